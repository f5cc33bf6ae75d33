package runner

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// process is what others see of one.
type process struct {
	pid           int
	name          string
	args, environ string
}

// processes are a process and all that it started, as /proc shows them.
func processes(t *testing.T, pid int) []process {
	t.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	require.NoError(t, err)
	children := map[int][]int{}
	for _, path := range stats {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		// The name, in brackets, may hold anything.
		fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
		parent, err := strconv.Atoi(fields[1])
		require.NoError(t, err)
		child, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		require.NoError(t, err)
		children[parent] = append(children[parent], child)
	}
	var all []process
	for next := []int{pid}; len(next) > 0; next = next[1:] {
		read := func(file string) string {
			text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", next[0], file))
			if err != nil {
				return ""
			}
			return string(bytes.ReplaceAll(text, []byte{0}, []byte("\n")))
		}
		p := process{pid: next[0], args: read("cmdline"), environ: read("environ")}
		p.name = filepath.Base(strings.SplitN(p.args, "\n", 2)[0])
		all = append(all, p)
		next = append(next, children[next[0]]...)
	}
	return all
}

// find is the process of that name.
func find(t *testing.T, all []process, name string) process {
	t.Helper()
	for _, p := range all {
		if p.name == name {
			return p
		}
	}
	require.FailNow(t, "there is no such process", "%s in %v", name, all)
	return process{}
}

// alive says whether a process is there.
func alive(pid int) bool {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	return fields[0] != "Z" // nobody has waited for it yet
}
