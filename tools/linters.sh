#!/usr/bin/env bash
# Runs the pinned linters over the product's module.
set -euo pipefail
cd "$(dirname "$0")"
mkdir -p ../bin
go build -o ../bin/gofumpt mvdan.cc/gofumpt
go build -o ../bin/staticcheck honnef.co/go/tools/cmd/staticcheck
cd ..
unformatted=$(git ls-files -co --exclude-standard '*.go' | xargs bin/gofumpt -l)
if [ -n "$unformatted" ]; then
	printf 'not formatted (run bin/gofumpt -w on them):\n%s\n' "$unformatted" >&2
	exit 1
fi
go vet ./...
bin/staticcheck ./...
