package runner

import (
	"strings"
	"time"
)

// Fork is one run of the CLI.
type Fork struct {
	// Command is the CLI's: "preview", "up", "stack".
	Command string `json:"command"`
	// Code is its exit code; negative where it had none.
	Code int           `json:"code"`
	Took time.Duration `json:"took"`
}

// commandOf is the command in the CLI's arguments: the first that is no flag.
func commandOf(args []string) string {
	for _, arg := range args {
		if !strings.HasPrefix(arg, "-") {
			return arg
		}
	}
	return ""
}
