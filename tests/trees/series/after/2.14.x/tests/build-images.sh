#!/bin/bash
set -euo pipefail
ver=(NATS_SERVER 2.14.5)

(
	cd "../../2.14.x/alpine3.22"
	docker build --tag "nats:${ver[1]}-alpine3.22" .
)
(
	cd "../scratch"
	docker build --tag "nats:${ver[1]}-scratch" .
)
