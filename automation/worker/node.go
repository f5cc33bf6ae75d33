package worker

import (
	"crypto/rand"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// nodeID names this worker. A process that is started again is another one: what
// the one before it had is nobody's.
func nodeID() string {
	host, err := os.Hostname()
	if err != nil || host == "" {
		host = "node"
	}
	return fmt.Sprintf("%s-%d-%s", host, os.Getpid(), strings.ToLower(rand.Text()[:6]))
}

const (
	defaultSlots = 4
	// slotMemory is what an operation may need: the CLI, its plugins and the
	// program, of which a provider of AWS alone takes half a gigabyte.
	slotMemory = 1 << 30
)

// Slots is how many operations may run at once on this machine where so many are
// wanted, 0 for four: no more than there are gigabytes of memory, and at least one.
func Slots(wanted int) int {
	if wanted <= 0 {
		wanted = defaultSlots
	}
	if total := memory(); total > 0 {
		wanted = min(wanted, int(total/slotMemory))
	}
	return max(1, wanted)
}

// memory is what this process may have, in bytes; 0 where that is not known. A
// container's limit counts, not the machine's memory.
func memory() uint64 {
	if text, err := os.ReadFile("/sys/fs/cgroup/memory.max"); err == nil {
		if limit, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64); err == nil {
			return limit
		}
	}
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) == 3 && fields[0] == "MemTotal:" {
			if kib, err := strconv.ParseUint(fields[1], 10, 64); err == nil {
				return kib << 10
			}
		}
	}
	return 0
}
