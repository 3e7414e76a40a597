#!/bin/sh
# Before removal (remove, or 0 packages left); an upgrade leaves the gateway alone.
set -e
case "$1" in
remove | 0)
	if [ -d /run/systemd/system ]; then
		systemctl --quiet disable --now ftpalg.service || true
	fi
	;;
esac
