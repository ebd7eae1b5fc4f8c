#!/bin/bash
set -euo pipefail

ver=(NATS_STREAMING_SERVER 0.25.5)

(
	cd "../${ver[1]}/alpine3.18"
	docker build --tag nats-streaming:${ver[1]}-alpine3.18 .
)

(
	cd "../${ver[1]}/scratch"
	docker build --tag nats-streaming:${ver[1]}-scratch .
)
