package monitoring

import "fmt"

// Level is how urgent an alert is: the guide's three priorities, each with a
// topic of its own.
type Level string

// The levels.
const (
	// High wakes somebody up.
	High Level = "high"
	// Medium is looked at within the working day.
	Medium Level = "medium"
	// Low is read when somebody reviews what changed.
	Low Level = "low"
)

// Levels are all of them, the most urgent first.
var Levels = []Level{High, Medium, Low}

// UnmarshalText reads a level from a table or a configuration.
func (l *Level) UnmarshalText(text []byte) error {
	for _, known := range Levels {
		if string(text) == string(known) {
			*l = known
			return nil
		}
	}
	return fmt.Errorf("level %q is not a choice (one of high, medium, low)", text)
}
