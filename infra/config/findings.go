package config

import (
	"fmt"
	"strings"
)

// Finding is one thing wrong with the configuration.
type Finding struct {
	// Field is the way to it, for example "redoubt:network.cidr".
	Field string
	// Reason says what is wrong; Fix says what to write instead, and is empty
	// where the reason says that too.
	Reason, Fix string
}

func (f Finding) String() string {
	if f.Fix == "" {
		return f.Field + ": " + f.Reason
	}
	return fmt.Sprintf("%s: %s (%s)", f.Field, f.Reason, f.Fix)
}

// Findings is an error that lists everything wrong, a line each.
type Findings []Finding

func (fs Findings) Error() string {
	var b strings.Builder
	noun := "findings"
	if len(fs) == 1 {
		noun = "finding"
	}
	fmt.Fprintf(&b, "configuration: %d %s", len(fs), noun)
	for _, f := range fs {
		b.WriteString("\n  " + f.String())
	}
	return b.String()
}

// orNil keeps an empty list from becoming a non-nil error.
func (fs Findings) orNil() error {
	if len(fs) == 0 {
		return nil
	}
	return fs
}

func (fs *Findings) add(field, reason, fix string) {
	*fs = append(*fs, Finding{Field: Project + ":" + field, Reason: reason, Fix: fix})
}
