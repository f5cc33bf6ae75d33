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
// operation's child, which runs the program, and the CLI; and what the process has of
// its own that waits for the next operation. A provider and a policy pack come on top
// of that, and what the blueprints' packages take in the child.
func BenchmarkMemory(b *testing.B) {
	i := install(b, "")
	cli, err := engine.FindCLI()
	require.NoError(b, err)
	e, err := operate.Open(operate.Options{URL: i.states, Policy: operate.NoPolicy, Account: operate.Ambient, Data: b.TempDir(), CLI: cli, Spare: spare})
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
	b.ReportMetric(float64(waiting(b))/1024, "spare-MiB")
}

// waiting is what the process has of its own, in KiB, that waits for an operation: the
// only one below this one, when nothing runs.
func waiting(b *testing.B) (kib int) {
	b.Helper()
	require.Eventually(b, func() bool {
		pids := below(os.Getpid())
		if len(pids) != 1 {
			return false
		}
		fields, err := statusOf(pids[0])
		kib = fields["RssAnon:"]
		return err == nil && kib > 0
	}, time.Minute, 20*time.Millisecond)
	return kib
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
	fields, err := statusOf(pid)
	if err != nil {
		return p, false
	}
	name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	return peak{strings.TrimSpace(string(name)), fields["VmHWM:"]}, err == nil && fields["VmHWM:"] > 0
}

// statusOf are the figures of memory that the system has of a process, in KiB.
func statusOf(pid int) (map[string]int, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return nil, err
	}
	figures := map[string]int{}
	for line := range bytes.Lines(status) {
		if fields := strings.Fields(string(line)); len(fields) == 3 && fields[2] == "kB" {
			if figures[fields[0]], err = strconv.Atoi(fields[1]); err != nil {
				return nil, err
			}
		}
	}
	return figures, nil
}
