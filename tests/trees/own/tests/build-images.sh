#!/usr/bin/env bash
# Builds and tags the Linux images, each after the image that it copies the server from.
# DOCKER names the client: docker (the default), podman, or tests/images/buildah, which needs no daemon.
set -euo pipefail

NATS_STREAMING_SERVER=0.25.6

cd "$(dirname "$0")/../$NATS_STREAMING_SERVER"

for variant in alpine3.18 scratch; do
    "${DOCKER:-docker}" build --tag "nats-streaming:$NATS_STREAMING_SERVER-$variant" "$variant"
done
