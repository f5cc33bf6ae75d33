package main

import (
	"fmt"
	"strings"
)

// packNames are what the documents call the policy packs that are compared.
var packNames = map[string]string{
	"empty":    "no rule, on Redoubt's server (the floor)",
	"redoubt":  "Redoubt",
	"policyx":  "Redoubt's rules in the Go SDK's library for packs",
	"awsguard": "AWSGuard, on Node",
	"node-ten": "ten of Redoubt's rules, on Node",
}

// renderPolicy is what the policy pack costs, and what its peers do.
func renderPolicy(b *strings.Builder, results []result) {
	renderPackPreviews(b, family(results, "PackPreview"))
	renderPackCalls(b, family(results, "PackCalls"))
	renderPackStarts(b, family(results, "PackStart"))
}

func renderPackPreviews(b *strings.Builder, rows []result) {
	if len(rows) == 0 {
		return
	}
	b.WriteString("\n## Policy pack: what it adds to a preview\n\nPreviews of a new stack with the stock CLI, in turns; the stack is the prod stack of this repository, as often as it takes. The ratios are the medians of those of each pair, in time and in CPU time of all processes.\n\n| resources | no pack, s | a pack without rules, s | all rules, s | all rules to no rules | in CPU time |\n|---|---|---|---|---|---|\n")
	for _, r := range rows {
		fmt.Fprintf(b, "| %s | %.2f | %.2f | %.2f | %.2f× | %.2f× |\n", r.labels["resources"],
			r.metrics["alone-s"], r.metrics["empty-s"], r.metrics["redoubt-s"], r.metrics["redoubt/empty"], r.metrics["redoubt/empty-cpu"])
	}
}

func renderPackCalls(b *strings.Builder, rows []result) {
	if len(rows) == 0 {
		return
	}
	b.WriteString("\n## Policy pack: what the calls of a preview take\n\nThe engine's own requests, with everything known as in a stack that stands, sent by gRPC to each pack's process: for each resource two, to repair and to judge it, and one for the stack. The CPU time is the pack's process's, for all of them, for each resource; the last column compares what each adds to the floor's with what Redoubt adds, and of Node's packs that is their server too. The library's packs decode a resource anew for each rule; the rules are the same. AWSGuard leaves out the three policies that ask AWS.\n\n| resources | pack | a resource, µs | to the floor | the stack, ms | CPU, µs/resource | beyond the floor, to Redoubt's |\n|---|---|---|---|---|---|---|\n")
	for _, r := range rows {
		f := packResult(rows, "empty", r.labels["resources"])
		fmt.Fprintf(b, "| %s | %s | %.0f | %s | %.1f | %.0f | %s |\n", r.labels["resources"], packNames[r.labels["pack"]],
			r.metrics["µs/resource"], ratio(r, f, "µs/resource"), r.metrics["stack-ms"], r.metrics["cpu-µs/resource"], beyond(r, rows))
	}
}

// packResult is that of a pack with a stack of the size, and empty without one.
func packResult(rows []result, pack, resources string) result {
	for _, r := range rows {
		if r.labels["pack"] == pack && r.labels["resources"] == resources {
			return r
		}
	}
	return result{}
}

// beyond is what a pack costs more than the floor, against what Redoubt does.
func beyond(r result, rows []result) string {
	const unit = "cpu-µs/resource"
	size := r.labels["resources"]
	floor := packResult(rows, "empty", size).metrics[unit]
	own, redoubt := r.metrics[unit]-floor, packResult(rows, "redoubt", size).metrics[unit]-floor
	if own <= 0 || redoubt <= 0 {
		return "–"
	}
	return fmt.Sprintf("%.1f×", own/redoubt)
}

func renderPackStarts(b *strings.Builder, rows []result) {
	if len(rows) == 0 {
		return
	}
	b.WriteString("\n## Policy pack: how soon it has started\n\nFrom the start of its process until it has described itself.\n\n| pack | policies | median, ms |\n|---|---|---|\n")
	for _, r := range rows {
		fmt.Fprintf(b, "| %s | %.0f | %.0f |\n", packNames[r.labels["pack"]], r.metrics["policies"], r.metrics["start-ms"])
	}
}
