package main

import (
	"fmt"
	"strings"
)

// renderService is what self-service costs.
func renderService(b *strings.Builder, results []result) {
	renderOverhead(b, family(results, "Service"))
	renderWaits(b, family(results, "Start"), "How soon an order starts", "From the order until its engine is started, on a node that has nothing else to do.",
		func(r result) string { return databaseNames[r.labels["database"]] }, "database")
	renderWaits(b, family(results, "API"), "How long the API takes", "With 10,000 operations kept, a request after the other, over HTTP, with a token and the policies. A list has fifty, each with its plan of ten changes.",
		func(r result) string {
			return endpointNames[r.labels["endpoint"]] + ", " + databaseNames[r.labels["database"]]
		}, "request")
	for _, r := range family(results, "Memory") {
		fmt.Fprintf(b, "\n## What an operation takes in memory\n\nAt its peak, a preview of a hundred resources takes %.0f MiB in its own process, which runs the program, and %.0f MiB in the CLI. Providers, the policy pack and what the packages of the blueprints take in the operation's process come on top of that: slots are counted with a gigabyte each. The process that waits for the next operation has %.0f MiB of its own, besides the pages of the executable, which it shares with the server.\n",
			r.metrics["child-MiB"], r.metrics["cli-MiB"], r.metrics["spare-MiB"])
	}
}

var databaseNames = map[string]string{"sqlite": "SQLite", "postgres": "PostgreSQL"}

var endpointNames = map[string]string{"list": "operations", "list-of-a-stack": "operations of a stack", "show": "one operation"}

// orders are the kinds of orders that are compared with the bare CLI.
var orders = []struct{ unit, name string }{
	{"preview", "preview"}, {"up", "update: a preview, and the update"},
}

func renderOverhead(b *strings.Builder, rows []result) {
	if len(rows) == 0 {
		return
	}
	b.WriteString("\n## What self-service costs over the bare CLI\n\nResources that do nothing, ordered from the service and run by its worker, and the same program run through the Automation API with the same CLI on the same backend, in turns; medians, and those of the ratios and the differences of each pair. The bare side is as bare as can be: one process that is warm, with its workspace there, and no start of the CLI beyond the one that works. Rehearsal, policy and approvals are off: they are what the service is for. What an order costs more is the same whatever it does: a process of its own for its program, which was started while the one before ran, and a few transactions. With a provider and a policy pack there is more to do, and its share is less.\n\n| order | resources | database | bare, s | ordered, s | ratio | more, ms | starts of the CLI, bare | ordered |\n|---|---|---|---|---|---|---|---|---|\n")
	for _, o := range orders {
		for _, r := range rows {
			of := func(figure string) float64 { return r.metrics[o.unit+"-"+figure] }
			fmt.Fprintf(b, "| %s | %s | %s | %.2f | %.2f | %.2f× | %.0f | %g | %g |\n", o.name, r.labels["resources"], databaseNames[r.labels["database"]],
				of("bare-s"), of("service-s"), of("ratio"), of("more-ms"), of("bare-forks"), of("service-forks"))
		}
	}
}

// renderWaits is a table of medians and of what nearly all are within.
func renderWaits(b *strings.Builder, rows []result, title, what string, name func(result) string, column string) {
	if len(rows) == 0 {
		return
	}
	fmt.Fprintf(b, "\n## %s\n\n%s\n\n| %s | median, ms | 99 of 100 within, ms |\n|---|---|---|\n", title, what, column)
	for _, r := range rows {
		fmt.Fprintf(b, "| %s | %.1f | %.1f |\n", name(r), r.metrics["p50-ms"], r.metrics["p99-ms"])
	}
}
