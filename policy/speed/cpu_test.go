package speed

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// spent is the CPU time of this process and of the children that have ended. It
// says what something costs whatever else the machine does.
func spent() time.Duration {
	var total time.Duration
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var u syscall.Rusage
		if err := syscall.Getrusage(who, &u); err == nil {
			total += time.Duration(u.Utime.Nano() + u.Stime.Nano())
		}
	}
	return total
}

// spentBy is the CPU time of a process that runs, and zero where /proc does not say.
func spentBy(pid int) time.Duration {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	// The name, in brackets, may have spaces; utime and stime are fields 14 and 15.
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	const tick = time.Second / 100 // the kernel's USER_HZ, on every architecture that Go knows
	return time.Duration(user+system) * tick
}
