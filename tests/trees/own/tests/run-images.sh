#!/usr/bin/env bash
# Starts each Linux image that build-images.sh has built, and sees that it is still running a second later.
# DOCKER names the client: docker (the default), podman, or tests/images/buildah, which needs no daemon.
set -euo pipefail

NATS_STREAMING_SERVER=0.25.6

docker="${DOCKER:-docker}"
failed=0

for variant in alpine3.18 scratch; do
    image="nats-streaming:$NATS_STREAMING_SERVER-$variant"
    container=$("$docker" run --detach "$image")
    sleep 1
    if [ "$("$docker" inspect --format '{{.State.Running}}' "$container")" = true ]; then
        echo "$image runs"
    else
        echo "$image stopped within a second:" >&2
        "$docker" logs "$container" >&2
        failed=1
    fi
    "$docker" rm --force "$container" >/dev/null
done

exit "$failed"
