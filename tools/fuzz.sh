#!/usr/bin/env bash
# Runs every fuzz test of the module for the given time.
set -euo pipefail
cd "$(dirname "$0")/.."
grep -rHo --include='*_test.go' '^func Fuzz[A-Za-z0-9_]*' . | sort | while IFS=: read -r file decl; do
	echo "== ${decl#func } in $(dirname "$file")"
	go test -run '^$' -fuzz "^${decl#func }\$" -fuzztime "${1:-20s}" "$(dirname "$file")"
done
