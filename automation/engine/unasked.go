package engine

import (
	"context"
	"io"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
)

// unasked answers what the Automation API asks the CLI and nobody here reads:
// after each update the stack's outputs, twice, and its history, and before the
// first one whether the stack is there, which the update itself finds out. Each
// would be another start of the CLI, and together they cost more than a small
// update.
type unasked struct {
	auto.PulumiCommand
	// selects is true where selecting the stack is for the CLI to do.
	selects bool
}

var unaskedAnswers = []struct {
	command []string
	answer  string
}{
	{[]string{"stack", "output"}, "{}"},
	{[]string{"stack", "history"}, "[]"},
	{[]string{"stack", "select"}, ""},
}

func (c unasked) Run(ctx context.Context, dir string, stdin io.Reader, stdout, stderr []io.Writer, env []string, args ...string) (string, string, int, error) {
	for _, u := range unaskedAnswers {
		if c.selects && u.command[1] == "select" {
			continue
		}
		if len(args) >= len(u.command) && slices.Equal(args[:len(u.command)], u.command) {
			return u.answer, "", 0, nil
		}
	}
	return c.PulumiCommand.Run(ctx, dir, stdin, stdout, stderr, env, args...)
}
