#!/bin/bash
set -euo pipefail
ver=(NATS_SERVER 2.12.15)

(
	cd "../../2.12.x/alpine3.21"
	docker build --tag "nats:${ver[1]}-alpine3.21" .
)
(
	cd "../scratch"
	docker build --tag "nats:${ver[1]}-scratch" .
)
