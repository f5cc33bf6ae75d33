package engine

import (
	"context"
	"io"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
)

// unasked answers what the Automation API asks the CLI after each update and
// nobody here reads: the stack's outputs, twice, and its history. Each would
// be another start of the CLI, and together they cost more than a small update.
type unasked struct{ auto.PulumiCommand }

var unaskedAnswers = []struct {
	command []string
	answer  string
}{
	{[]string{"stack", "output"}, "{}"},
	{[]string{"stack", "history"}, "[]"},
}

func (c unasked) Run(ctx context.Context, dir string, stdin io.Reader, stdout, stderr []io.Writer, env []string, args ...string) (string, string, int, error) {
	for _, u := range unaskedAnswers {
		if len(args) >= len(u.command) && slices.Equal(args[:len(u.command)], u.command) {
			return u.answer, "", 0, nil
		}
	}
	return c.PulumiCommand.Run(ctx, dir, stdin, stdout, stderr, env, args...)
}
