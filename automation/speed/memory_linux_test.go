package speed

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/automation/engine"
	"redoubt/automation/operate"
)

// BenchmarkMemory is the most memory that the processes of a preview have: the
// operation's child, which runs the program, and the CLI. A provider and a policy
// pack come on top of that, and what the blueprints' packages take in the child.
func BenchmarkMemory(b *testing.B) {
	i := install(b, "")
	cli, err := engine.FindCLI()
	require.NoError(b, err)
	e, err := operate.Open(operate.Options{URL: i.states, Policy: operate.NoPolicy, Account: operate.AWS, Data: b.TempDir(), CLI: cli, Spare: spare})
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, e.Close()) })
	i.work(b, e)
	env := i.stack(b, "memory", 100)
	var child, pulumi int
	for range b.N {
		ended, watched := make(chan struct{}), make(chan map[int]peak)
		go func() { watched <- watch(ended) }()
		i.preview(b, env)
		close(ended)
		for _, p := range <-watched {
			if p.name == "pulumi" {
				pulumi = max(pulumi, p.kib)
			} else {
				child = max(child, p.kib)
			}
		}
	}
	require.NotZero(b, child)
	require.NotZero(b, pulumi)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(child)/1024, "child-MiB")
	b.ReportMetric(float64(pulumi)/1024, "cli-MiB")
}

// peak is the most that a process has had in memory.
type peak struct {
	name string
	kib  int
}

// watch looks at all processes below this one until the end. The system remembers
// each process's peak, so that only what comes in its last moments is missed.
func watch(ended <-chan struct{}) map[int]peak {
	seen := map[int]peak{}
	clock := time.NewTicker(5 * time.Millisecond)
	defer clock.Stop()
	for {
		for _, pid := range below(os.Getpid()) {
			if p, ok := peakOf(pid); ok {
				seen[pid] = p
			}
		}
		select {
		case <-ended:
			return seen
		case <-clock.C:
		}
	}
}

// below are the processes that a process has started, and theirs.
func below(pid int) (all []int) {
	lists, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil {
		return nil
	}
	for _, list := range lists {
		text, err := os.ReadFile(list)
		if err != nil {
			continue // it has ended
		}
		for _, field := range strings.Fields(string(text)) {
			if child, err := strconv.Atoi(field); err == nil {
				all = append(append(all, child), below(child)...)
			}
		}
	}
	return all
}

func peakOf(pid int) (p peak, ok bool) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return p, false
	}
	for line := range bytes.Lines(status) {
		switch fields := strings.Fields(string(line)); {
		case len(fields) == 2 && fields[0] == "Name:":
			p.name = fields[1]
		case len(fields) == 3 && fields[0] == "VmHWM:":
			p.kib, err = strconv.Atoi(fields[1])
			ok = err == nil
		}
	}
	return p, ok
}
