#!/usr/bin/env bash
# Installs the policy packs of Node that the benchmarks compare with into
# bin/node-packs. Without Node they are left out: the benchmarks say so.
set -euo pipefail
cd "$(dirname "$0")/.."
from=policy/speed/node to=bin/node-packs

if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
	echo "No node and npm on PATH: the policy packs of Node are not measured." >&2
	exit 0
fi
mkdir -p "$to"
if ! cmp -s "$from/package-lock.json" "$to/package-lock.json" || [ ! -e "$to/node_modules/.package-lock.json" ]; then
	echo "Installing the policy packs of Node for the benchmarks. This happens once, and takes some minutes." >&2
	cp "$from/package.json" "$from/package-lock.json" "$to/"
	# Nothing is compiled, and no plugin fetched: the packs are only served.
	if ! (cd "$to" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2); then
		echo "npm could not install them: the policy packs of Node are not measured." >&2
		rm -rf "$to"
		exit 0
	fi
fi
cp -R "$from/awsguard" "$from/ten" "$to/"
