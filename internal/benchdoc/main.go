// Command benchdoc writes docs/performance.md from what `go test -bench` printed
// on standard input. `make bench` runs it: no figure in that document is typed.
package main

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// result is one line of a benchmark.
type result struct {
	name string
	// labels are the parts "key=value" of the name.
	labels map[string]string
	// metrics are by unit.
	metrics map[string]float64
}

func main() {
	if err := run(os.Stdin, "docs/performance.md"); err != nil {
		fmt.Fprintf(os.Stderr, "benchdoc: %v (run it in the module's root, with the output of go test -bench)\n", err)
		os.Exit(1)
	}
}

func run(in io.Reader, path string) error {
	results, cpu, err := parse(io.TeeReader(in, os.Stdout))
	if err != nil {
		return err
	}
	if len(results) == 0 {
		return fmt.Errorf("no benchmark ran")
	}
	return os.WriteFile(path, []byte(render(results, cpu)), 0o644)
}

// parse reads lines such as "BenchmarkX/size=3-2  1  0.5 up-s/op  3 ns/op".
func parse(in io.Reader) (results []result, cpu string, err error) {
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		if model, ok := strings.CutPrefix(lines.Text(), "cpu: "); ok {
			cpu = model
		}
		fields := strings.Fields(lines.Text())
		if len(fields) < 4 || !strings.HasPrefix(fields[0], "Benchmark") {
			continue
		}
		name := strings.TrimPrefix(fields[0], "Benchmark")
		if i := strings.LastIndex(name, "-"); i > 0 {
			name = name[:i]
		}
		r := result{name: name, labels: map[string]string{}, metrics: map[string]float64{}}
		for _, part := range strings.Split(name, "/") {
			if key, value, ok := strings.Cut(part, "="); ok {
				r.labels[key] = value
			}
		}
		for i := 2; i+1 < len(fields); i += 2 {
			value, err := strconv.ParseFloat(fields[i], 64)
			if err != nil {
				return nil, "", fmt.Errorf("%q is no number in %q", fields[i], lines.Text())
			}
			r.metrics[fields[i+1]] = value
		}
		results = append(results, r)
	}
	return results, cpu, lines.Err()
}

// keeperNames are what the documents call the keepers.
var keeperNames = map[string]string{
	"unsafe":         "file, checkpoints off (the floor: a crash loses the state)",
	"file":           "file://, as Pulumi ships it",
	"sqlite":         "Redoubt on SQLite",
	"sqlite-untuned": "Redoubt on SQLite, the CLI's own batching (50 ms)",
	"postgres":       "Redoubt on PostgreSQL",
}

func render(results []result, cpu string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Performance\n\nWritten by `make bench`, in one run on one machine (%s, %d cores, Go %s): compare the ratios, not the seconds.\n", cpu, runtime.NumCPU(), strings.TrimPrefix(runtime.Version(), "go"))
	renderUpdates(&b, results)
	renderJournal(&b, results)
	renderService(&b, results)
	renderPolicy(&b, results)
	renderRest(&b, results)
	return b.String()
}

func family(results []result, name string) []result {
	return slices.DeleteFunc(slices.Clone(results), func(r result) bool {
		first, _, _ := strings.Cut(r.name, "/")
		return first != name
	})
}

// renderUpdates compares the keepers of a state, each with the floor of the
// same size.
func renderUpdates(b *strings.Builder, results []result) {
	rows := family(results, "Update")
	if len(rows) == 0 {
		return
	}
	floor := map[string]result{}
	for _, r := range rows {
		if r.labels["keeper"] == "unsafe" {
			floor[r.labels["resources"]] = r
		}
	}
	b.WriteString("\n## What keeps the state, and what it costs\n\nResources that do nothing, made (`up`) and destroyed through the Automation API with the stock CLI; the server and the CLI share the machine. The floor is the engine that writes no checkpoint at all.\n\n| resources | state is kept by | up, s | to the floor | destroy, s | to the floor |\n|---|---|---|---|---|---|\n")
	for _, r := range rows {
		f := floor[r.labels["resources"]]
		fmt.Fprintf(b, "| %s | %s | %.1f | %s | %.1f | %s |\n", r.labels["resources"], keeperNames[r.labels["keeper"]],
			r.metrics["up-s/op"], ratio(r, f, "up-s/op"), r.metrics["destroy-s/op"], ratio(r, f, "destroy-s/op"))
	}
}

func ratio(r, floor result, unit string) string {
	if floor.metrics[unit] == 0 {
		return "–"
	}
	return fmt.Sprintf("%.2f×", r.metrics[unit]/floor.metrics[unit])
}

func renderJournal(b *strings.Builder, results []result) {
	rows := family(results, "Journal")
	if len(rows) == 0 {
		return
	}
	b.WriteString("\n## How long a step waits\n\nFifty updates at once, each sending ten batches of journal entries a second; a batch is answered when it is on the disk.\n\n| database | median, ms | 99 of 100 within, ms |\n|---|---|---|\n")
	for _, r := range rows {
		fmt.Fprintf(b, "| %s | %.1f | %.1f |\n", keeperNames[r.labels["keeper"]], r.metrics["p50-ms"], r.metrics["p99-ms"])
	}
}

// renderRest lists the other benchmarks as they are.
func renderRest(b *strings.Builder, results []result) {
	rest := slices.DeleteFunc(slices.Clone(results), func(r result) bool {
		first, _, _ := strings.Cut(r.name, "/")
		return slices.Contains([]string{"Update", "Journal", "Service", "Start", "API", "Memory", "PackPreview", "PackCalls", "PackStart"}, first)
	})
	if len(rest) == 0 {
		return
	}
	b.WriteString("\n## Everything else\n\n| benchmark | figures |\n|---|---|\n")
	for _, r := range rest {
		var figures []string
		for _, unit := range slices.Sorted(maps.Keys(r.metrics)) {
			figures = append(figures, fmt.Sprintf("%s %s", strconv.FormatFloat(r.metrics[unit], 'g', 4, 64), unit))
		}
		fmt.Fprintf(b, "| `%s` | %s |\n", r.name, strings.Join(figures, ", "))
	}
}
