#!/bin/bash
set -uo pipefail

# The tags of 0.25.5, as build-images.sh makes them
images=(
	nats-streaming:0.25.5-alpine3.18
	nats-streaming:0.25.5-scratch
)

for img in "${images[@]}"; do
	cid=$(docker run -d "$img")
	sleep 1
	docker ps -q --no-trunc | grep -q "$cid" || exit 1
	docker kill "$cid"
done
