#!/bin/sh
# After removal. Only `dpkg --purge` removes what the gateway wrote.
set -e
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
fi
if [ "$1" = purge ]; then
	rm -rf /var/log/ftpalg /var/lib/ftpalg
	rmdir /etc/ftpalg 2>/dev/null || true
fi
