#!/bin/sh
# need.sh COMMAND:PACKAGE ... installs the Debian packages of those commands,
# or files, that this machine lacks. No service that comes with them is
# started.
set -eu
missing=
for pair in "$@"; do
  [ -e "${pair%%:*}" ] || command -v "${pair%%:*}" >/dev/null 2>&1 || missing="$missing ${pair##*:}"
done
[ -n "$missing" ] || exit 0
if ! command -v apt-get >/dev/null 2>&1; then
  echo "These packages are missing, and there is no apt-get to install them:$missing" >&2
  exit 1
fi
if [ "$(id -u)" != 0 ]; then
  echo "These packages are missing; as root: apt-get install$missing" >&2
  exit 1
fi
echo "installing:$missing"
# policy-rc.d (Debian Policy 9.3.3) keeps the packages from starting services.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
  trap 'rm -f "$policy"' EXIT
  trap 'exit 1' HUP INT TERM
fi
apt-get update -qq >/dev/null
# shellcheck disable=SC2086
DEBIAN_FRONTEND=noninteractive apt-get install -yqq --no-install-recommends $missing >/dev/null
