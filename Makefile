# What people do here. `make demo` and `make test` set up all that they need.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help tools build functions demo test lint bench chaos compat fuzz generate clean

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
GO_BUILD = go build

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

tools: ## Build the Pulumi CLI into bin/ where none new enough is on PATH
	@tools/pulumi.sh

build: ## Build bin/redoubt and the policy pack bin/redoubt-policy
	@[ -x bin/redoubt ] || echo "Building redoubt. The first time compiles the AWS SDK of Pulumi (about 5 minutes on 2 cores); then it is cached."
	@$(GO_BUILD) -ldflags '-s -w -X main.version=$(VERSION)' -o bin/redoubt ./automation/cmd/redoubt
	@$(GO_BUILD) -ldflags '-s -w' -o bin/redoubt-policy ./policy

functions: ## Build the archives of the Lambda functions into dist/functions
	@go run ./infra/workload/functions/pack $(if $(RDS_CA),-authorities $(RDS_CA))

demo: tools build functions ## Rehearse dev and prod, see each known mistake refused, then order from a server
	@bin/redoubt rehearse --stack dev --stack prod
	@echo
	@echo "And now with mistakes: each must be refused at preview."
	@bin/redoubt rehearse --break all
	@echo
	@echo "And now self-service: a server takes orders."
	@tools/demo.sh

# How many packages are tested at once: many tests wait, for a disk or for a lease.
PACKAGES ?= $(shell echo $$(($$(getconf _NPROCESSORS_ONLN) + 1)))
test: tools build functions ## Run all tests
	@tools/postgres.sh
	@cd tools && go build -o ../bin/reference-replay ./reference-replay
	@go vet ./...
	@set -o pipefail; REDOUBT_TEST_BIN=$(CURDIR)/bin go test -vet off -p $(PACKAGES) -json ./... | go run ./internal/testprogress -of $$(go list ./... | wc -l)

lint: ## gofumpt, go vet and staticcheck
	@tools/linters.sh

bench: tools build functions ## Measure, as ratios in one run, into docs/performance.md
	@tools/postgres.sh
	@tools/node-packs.sh
	@set -o pipefail; { \
		go test -run '^$$' -bench . -benchtime 1x -timeout 60m ./automation/speed ./policy/speed && \
		go test -run '^$$' -bench . -benchtime 3x ./internal/rehearsal ./automation/rehearse ./automation/backend/replay && \
		go test -run '^$$' -bench . -benchtime 1s ./automation/sql; } | go run ./internal/benchdoc

ROUNDS ?= 500
chaos: tools ## Kill, stop and starve real updates ROUNDS times on each database
	@tools/postgres.sh
	@REDOUBT_CHAOS_ROUNDS=$(ROUNDS) REDOUBT_CHAOS_POSTGRES=1 go test -count=1 -timeout 120m ./automation/chaos
	@REDOUBT_LARGE_STATE=400 go test -count=1 -timeout 30m -run LargeState ./automation/backend

compat: tools ## Run the CLI's story with the oldest Pulumi CLI too (built once)
	@tools/postgres.sh
	@tools/compat.sh

FUZZTIME ?= 20s
fuzz: ## Fuzz every parser and evaluator for FUZZTIME each
	@tools/fuzz.sh $(FUZZTIME)

generate: ## Write the generated documents, and the API's client
	@go run ./internal/docgen
	@go run ./internal/apigen

clean: ## Remove what was built here
	@rm -rf bin dist .redoubt
