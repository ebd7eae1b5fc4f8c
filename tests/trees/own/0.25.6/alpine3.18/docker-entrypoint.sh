#!/bin/sh
# Options alone, or nothing at all, are for the server; anything else is run as it stands.
set -eu

case "${1:--}" in
    -*) set -- nats-streaming-server "$@" ;;
esac

exec "$@"
