// Package processtest lets tests see the processes that a process has started, as
// Linux shows them.
package processtest

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Process is one that another has started.
type Process struct {
	PID int
	// Waits says that it does nothing: it sleeps until something comes.
	Waits bool
}

// Children are the processes that a process has started and that are there, by a word
// on their command line; empty for all.
func Children(t testing.TB, parent int, word string) (children []Process) {
	t.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	require.NoError(t, err)
	for _, path := range stats {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		// The name, in brackets, may hold anything.
		fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
		line, err := os.ReadFile(filepath.Join(filepath.Dir(path), "cmdline"))
		if err != nil || fields[1] != strconv.Itoa(parent) || !strings.Contains(string(line), word) {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		require.NoError(t, err)
		children = append(children, Process{pid, fields[0] == "S"})
	}
	return children
}

// PIDs are their numbers.
func PIDs(of []Process) []int {
	pids := make([]int, len(of))
	for i, p := range of {
		pids[i] = p.PID
	}
	return pids
}
