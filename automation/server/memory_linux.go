package server

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// descendantsMemory is how much memory the processes below this one have, in bytes:
// those of the operations that it runs, with the CLI and its plugins. What they share
// counts for each of them.
func descendantsMemory() (bytes float64, ok bool) {
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil || len(files) == 0 {
		return 0, false
	}
	type process struct {
		parent int
		pages  float64
	}
	all := map[int]process{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		// The name is in parentheses, and may have any in it: fields are counted from
		// the last one (proc_pid_stat(5)).
		_, rest, found := strings.Cut(string(text[max(0, strings.LastIndexByte(string(text), ')')):]), " ")
		fields := strings.Fields(rest)
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		if !found || err != nil || len(fields) < 22 {
			continue
		}
		parent, _ := strconv.Atoi(fields[1]) // the kernel's numbers
		pages, _ := strconv.ParseFloat(fields[21], 64)
		all[pid] = process{parent, pages}
	}
	self := os.Getpid()
	for pid, p := range all {
		// Those who die meanwhile end the way up, and a circle there cannot be for long.
		for up, steps := pid, 0; steps < 100; steps++ {
			if up = all[up].parent; up == self {
				bytes += p.pages
				break
			} else if up <= 1 {
				break
			}
		}
	}
	return bytes * float64(os.Getpagesize()), true
}
