package sql

import "time"

// clock tells the time of a process: that of the wall when it started, and what
// has passed since then. A wall clock that is set, by a person or by NTP, does
// not end leases or lengthen them.
type clock struct {
	// wall is the time when the process was at start. They are apart because
	// arithmetic with one value would follow the wall where it lost its monotonic
	// part.
	wall, start time.Time
}

func newClock() clock {
	now := time.Now()
	return clock{wall: now.Round(0).UTC(), start: now}
}

// now is to the microsecond, as times are kept.
func (c clock) now() time.Time {
	return c.wall.Add(time.Since(c.start)).Truncate(time.Microsecond)
}
