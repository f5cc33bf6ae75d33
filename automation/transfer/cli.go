package transfer

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"redoubt/automation/engine"
)

// cli runs the stock CLI for one side. Its home is a private folder that is
// removed afterwards: the CLI writes logs and credentials there.
type cli struct {
	exe  string
	home string
	env  []string
	// hidden are the texts that no message may hold.
	hidden []string
}

// lookCLI returns the path of the CLI.
func lookCLI() (string, error) {
	found, err := engine.FindCLI()
	if err != nil {
		return "", err
	}
	if found.Folder != "" {
		return filepath.Join(found.Folder, "pulumi"), nil
	}
	return exec.LookPath("pulumi")
}

// environment is this process's without what configures another use of the
// CLI. What says how states are stored stays.
func environment() []string {
	return slices.DeleteFunc(os.Environ(), func(e string) bool {
		name, _, _ := strings.Cut(e, "=")
		ours := strings.HasPrefix(name, "PULUMI_") || strings.HasPrefix(name, "REDOUBT_")
		return ours && !strings.HasPrefix(name, "PULUMI_DIY_BACKEND_") && !strings.HasPrefix(name, "PULUMI_SELF_MANAGED_STATE_")
	})
}

// call is one run of the CLI.
type call struct {
	args []string
	// folder is where it runs; empty for one without a project.
	folder string
	stdin  io.Reader
	// passphrase is of the stack; nil for none.
	passphrase *string
}

// grace is what an interrupted CLI gets to take its lock back.
const grace = 10 * time.Second

// run returns what the CLI printed. Its error is what the CLI said was wrong,
// without what is hidden.
func (c *cli) run(ctx context.Context, call call) ([]byte, error) {
	cmd := exec.CommandContext(ctx, c.exe, append([]string{"--non-interactive", "--color", "never"}, call.args...)...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = grace
	cmd.Dir, cmd.Stdin, cmd.Env = call.folder, call.stdin, c.env
	if cmd.Dir == "" {
		cmd.Dir = c.home
	}
	hidden := c.hidden
	if call.passphrase != nil {
		cmd.Env = append(slices.Clone(c.env), "PULUMI_CONFIG_PASSPHRASE="+*call.passphrase)
		hidden = append(slices.Clone(hidden), *call.passphrase)
	}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, said(stderr.String(), err, hidden)
	}
	return stdout.Bytes(), nil
}

// said turns what the CLI wrote into an error of one line.
func said(text string, err error, hidden []string) error {
	var lines []string
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || strings.Trim(line, "=") == "" || strings.HasPrefix(line, "Logging in using access token") {
			continue
		}
		if rest, ok := strings.CutPrefix(line, "error:"); ok {
			line = strings.TrimSpace(rest)
		}
		if line != "" {
			lines = append(lines, line)
		}
	}
	message := strings.Join(lines, " ")
	if message == "" {
		message = "the Pulumi CLI failed: " + err.Error()
	}
	return errors.New(clip(hide(message, hidden)))
}

// clip keeps a message readable.
func clip(text string) string {
	const limit = 600
	if len(text) > limit {
		return strings.ToValidUTF8(text[:limit], "") + "…"
	}
	return text
}

func hide(text string, hidden []string) string {
	for _, h := range hidden {
		// Whoever has an empty or one-letter passphrase hides nothing with it.
		if len(h) > 1 {
			text = strings.ReplaceAll(text, h, "[hidden]")
		}
	}
	return text
}
