#!/bin/sh
set -e

[ "$1" = server ] && shift
exec nats-streaming-server "$@"