#!/bin/bash
ver=(NATS_SERVER 2.12.14)
images=("nats:${ver[1]}-alpine3.21" "nats:${ver[1]}-scratch")
for img in "${images[@]}"; do docker run -d "$img"; done
