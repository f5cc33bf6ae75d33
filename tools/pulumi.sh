#!/usr/bin/env bash
# Builds the pinned Pulumi CLI into bin/, unless PATH or bin/ has one that is
# new enough already.
set -euo pipefail
cd "$(dirname "$0")"
minimum=3.259.0

new_enough() { # path of a pulumi
	local have
	have=$("$1" version 2>/dev/null | sed 's/^v//; s/[-+].*//') || return 1
	[ -n "$have" ] && [ "$(printf '%s\n%s\n' "$minimum" "$have" | sort -V | head -n 1)" = "$minimum" ]
}

if found=$(command -v pulumi) && new_enough "$found"; then exit 0; fi
if [ -x ../bin/pulumi ] && new_enough ../bin/pulumi; then exit 0; fi

version=v$(go list -m -f '{{.Version}}' github.com/pulumi/pulumi/pkg/v3 | sed 's/^v//')
echo "Building the Pulumi CLI $version into bin/, because no pulumi >= $minimum is on PATH. This happens once and takes about 6 minutes on 2 cores." >&2
mkdir -p ../bin
# Without the stamps `pulumi version` prints nothing and the Automation API
# refuses some operations.
go build -o ../bin/pulumi -ldflags "-s -w \
	-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=$version \
	-X github.com/pulumi/pulumi/pkg/v3/version.Version=$version" \
	github.com/pulumi/pulumi/pkg/v3/cmd/pulumi
