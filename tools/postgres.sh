#!/usr/bin/env bash
# Makes sure that a PostgreSQL server can be started: the password rotation and
# the service's database are tested against a real one. Installs Debian's package
# where that is possible.
set -euo pipefail
shopt -s nullglob
servers=(/usr/lib/postgresql/*/bin/postgres)
if [ ${#servers[@]} -gt 0 ] || command -v postgres >/dev/null; then exit 0; fi
if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
	echo "Installing PostgreSQL for the tests. This happens once." >&2
	apt-get update -qq
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql >/dev/null
	exit 0
fi
echo "The tests need a PostgreSQL server: install your system's package, for example apt-get install postgresql" >&2
exit 1
