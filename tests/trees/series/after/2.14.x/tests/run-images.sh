#!/bin/bash
ver=(NATS_SERVER 2.14.5)
images=("nats:${ver[1]}-alpine3.22" "nats:${ver[1]}-scratch")
for img in "${images[@]}"; do docker run -d "$img"; done
