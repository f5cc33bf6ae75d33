#!/usr/bin/env bash
# Runs every fuzz test of the module for the given time.
set -euo pipefail
cd "$(dirname "$0")/.."
grep -rHo --include='*_test.go' '^func Fuzz[A-Za-z0-9_]*' . | sort | while IFS=: read -r file decl; do
	echo "== ${decl#func } in $(dirname "$file")"
	# Making inputs smaller is for failures: targets with a database reach new code
	# by chance, and would do little else.
	go test -run '^$' -fuzz "^${decl#func }\$" -fuzztime "${1:-20s}" -fuzzminimizetime 2s "$(dirname "$file")"
done
