#!/bin/sh
# After installation and upgrade, in dpkg's words (configure) and rpm's (1, 2).
set -e
if command -v systemd-sysusers >/dev/null; then
	systemd-sysusers ftpalg.conf
elif ! getent passwd ftpalg >/dev/null; then
	useradd --system --no-create-home --shell /usr/sbin/nologin ftpalg
fi
if [ -d /run/systemd/system ]; then
	systemd-tmpfiles --create ftpalg.conf
	systemctl daemon-reload
	# A gateway that runs goes on with the old program, and its sessions with it.
	if systemctl --quiet is-active ftpalg.service; then
		echo "ftpalg runs on as it was; \`systemctl reload ftpalg\` has this version take over, and ends no session."
	fi
fi
