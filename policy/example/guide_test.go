package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/internal/clitest"
	"redoubt/internal/languagehost"
	"redoubt/internal/rehearsal"
)

// step is a block of the guide: a file to write, or commands and what they print.
type step struct {
	file, text       string
	commands, output []string
}

var (
	fence = regexp.MustCompile("^```(\\w*)$")
	// named is the file that a block is: the line above it ends with its name.
	named = regexp.MustCompile("`([\\w./-]+)`:$")
)

// steps reads the guide's blocks.
func steps(t *testing.T, path string) []step {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	var out []step
	var above, language string
	var block []string
	inside := false
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		m := fence.FindStringSubmatch(line)
		switch {
		case m != nil && !inside:
			inside, language, block = true, m[1], nil
		case m != nil && language == "console":
			inside = false
			out = append(out, console(block))
		case m != nil:
			inside = false
			name := named.FindStringSubmatch(above)
			require.NotNil(t, name, "the line above a block of %s must end with its file's name: %q", language, above)
			out = append(out, step{file: name[1], text: strings.Join(block, "\n") + "\n"})
		case inside:
			block = append(block, line)
		case line != "":
			above = line
		}
	}
	return out
}

func console(block []string) step {
	var s step
	for _, line := range block {
		if command, is := strings.CutPrefix(line, "$ "); is {
			s.commands = append(s.commands, command)
		} else {
			s.output = append(s.output, line)
		}
	}
	return s
}

// script does all that the guide says, in one shell; a line with a number begins
// what a step prints.
func script(all []step) string {
	const until = "END_OF_FILE_OF_THE_GUIDE"
	out := []string{"set -e", "exec 2>&1"}
	for i, s := range all {
		out = append(out, fmt.Sprintf("echo %s%d", mark, i))
		if s.file != "" {
			out = append(out, fmt.Sprintf("mkdir -p %q", filepath.Dir(s.file)), fmt.Sprintf("cat >%q <<'%s'", s.file, until), strings.TrimSuffix(s.text, "\n"), until)
		}
		out = append(out, s.commands...)
	}
	return strings.Join(out, "\n") + "\n"
}

const mark = "=== step "

// broken is what the guide only says: a preview is stopped by a mandatory rule that
// breaks, and nobody sees the value that it broke at.
var broken = []step{
	{file: "broken.go", text: `package main

import "redoubt/policy/rule"

func init() {
	own = append(own, rule.Rule{
		Name: "breaks", Summary: "It breaks.", Severity: rule.Low, Level: rule.Mandatory, Types: []string{"sqs/queue"},
		Check: func(r *rule.Resource, _ rule.Params) rule.Verdict {
			name, _ := r.Get("name").Str()
			panic("value of " + name)
		},
		Fix: "mend it", URL: "https://wiki.example.com/breaks",
	})
}
`},
	{file: "only.json", text: `{"all": "disabled", "breaks": "mandatory"}`},
	console([]string{
		"$ go build -o acme-policy .",
		`$ pulumi -C try preview --policy-pack "$PWD/acme-policy" --policy-pack-config "$PWD/only.json" >preview.txt 2>&1 || echo "the preview is refused"`,
		"$ cat preview.txt",
		"$ if grep 'value of' preview.txt; then exit 1; fi",
		"the preview is refused",
		"        - [mandatory] [severity: low]  breaks  (aws:sqs:Queue: orders)",
		"          low: breaks on sqs/queue orders: the rule broke while judging it (string at broken.go:10), so that nobody knows whether it holds.",
	}),
}

// TestTheGuideIsTrue does what docs/authoring.md says, from an empty folder to a
// preview by the stock CLI that the pack refuses, in another module than Redoubt's.
// The account is the simulated one.
func TestTheGuideIsTrue(t *testing.T) {
	t.Parallel()
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	all := steps(t, filepath.Join(root, "docs", "authoring.md"))
	require.Greater(t, len(all), 10)
	all = append(all, broken...)

	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash")
	cmd.Stdin = strings.NewReader(script(all))
	cmd.Dir = t.TempDir()
	cmd.Env = environment(t, root)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)

	printed := split(t, out, len(all))
	for i, s := range all {
		for _, want := range s.output {
			require.Regexp(t, pattern(want), printed[i])
		}
	}
}

// environment is that of a machine with a checkout, the Pulumi CLI and an account.
func environment(t *testing.T, root string) []string {
	t.Helper()
	account, err := rehearsal.Open(filepath.Join(t.TempDir(), "account.jsonl"))
	require.NoError(t, err)
	aws, err := rehearsal.Serve(t.Context(), account, "127.0.0.1:0")
	require.NoError(t, err)
	golang, err := languagehost.Serve(t.Context(), languagehost.Options{Stderr: os.Stderr})
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, golang.Close())
		require.NoError(t, aws.Close())
		require.NoError(t, account.Close())
	})
	path := strings.Join([]string{filepath.Dir(clitest.Path(t)), golang.Folder(), os.Getenv("PATH")}, string(os.PathListSeparator))
	return clitest.Environment(t.TempDir(), "REDOUBT="+root, "PATH="+path, aws.Env(), golang.Env(),
		"PULUMI_BACKEND_URL=file://"+t.TempDir(), "PULUMI_CONFIG_PASSPHRASE=guide", "PULUMI_OPTION_COLOR=never", "GOWORK=off")
}

// split is what each step printed.
func split(t *testing.T, out []byte, steps int) []string {
	t.Helper()
	var printed []string
	lines := bufio.NewScanner(bytes.NewReader(out))
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), mark) {
			printed = append(printed, "")
			continue
		}
		require.NotEmpty(t, printed)
		printed[len(printed)-1] += lines.Text() + "\n"
	}
	require.NoError(t, lines.Err())
	require.Len(t, printed, steps)
	return printed
}

// pattern matches a line in which … is any text.
func pattern(line string) *regexp.Regexp {
	parts := strings.Split(line, "…")
	for i, p := range parts {
		parts[i] = regexp.QuoteMeta(p)
	}
	return regexp.MustCompile("(?m)^" + strings.Join(parts, ".*") + "$")
}
