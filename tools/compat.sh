#!/usr/bin/env bash
# Runs the CLI's conformance story with the oldest Pulumi CLI that is supported,
# too: built once into bin/ from a module of its own (tools/compat).
set -euo pipefail
cd "$(dirname "$0")/compat"
version=v$(go list -m -f '{{.Version}}' github.com/pulumi/pulumi/pkg/v3 | sed 's/^v//')
cli=../../bin/pulumi-${version#v}
if [ ! -x "$cli" ]; then
	echo "Building the Pulumi CLI $version into bin/. This happens once and takes about 6 minutes on 2 cores." >&2
	go build -o "$cli" -ldflags "-s -w \
		-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=$version \
		-X github.com/pulumi/pulumi/pkg/v3/version.Version=$version" \
		github.com/pulumi/pulumi/pkg/v3/cmd/pulumi
fi
cli=$(cd ../../bin && pwd)/pulumi-${version#v}
cd ../..
REDOUBT_PULUMI_CLIS=$cli go test -count=1 -run Conformance ./automation/pulumiapi
