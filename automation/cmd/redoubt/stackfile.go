package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"
)

// makeStack makes the stack in the rehearsal's backend if it is not there.
// restore takes back what that writes into the stack's file, which is the
// user's: the salt of the rehearsal's passphrase.
func makeStack(ctx context.Context, project, stack string, env []string) (restore func() error, err error) {
	file := filepath.Join(project, "Pulumi."+stack+".yaml")
	before, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("stack %q: there is no %s (write one, or name another stack)", stack, file)
	}
	if err != nil {
		return nil, err
	}
	if hasSalt(before) && os.Getenv("PULUMI_CONFIG_PASSPHRASE") == "" && os.Getenv("PULUMI_CONFIG_PASSPHRASE_FILE") == "" {
		return nil, fmt.Errorf("stack %q has encrypted configuration (encryptionsalt in %s) and there is no passphrase: set PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE", stack, file)
	}
	restore = func() error { return withoutSalt(file, before) }
	cmd := exec.CommandContext(ctx, "pulumi", "stack", "select", stack, "--create", "--non-interactive", "--cwd", project)
	if path := lookPath("pulumi", env); path != "" {
		cmd.Path, cmd.Err = path, nil
	}
	cmd.Env = env
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, errors.Join(fmt.Errorf("stack %q cannot be made in the rehearsal's backend: %w\n%s", stack, err, bytes.TrimSpace(out)), restore())
	}
	return restore, nil
}

func hasSalt(text []byte) bool { return bytes.Contains(text, []byte("encryptionsalt:")) }

// withoutSalt removes the salt that was not in the file before. Where nothing
// else has changed the file is put back byte for byte; where the command has
// encrypted a value with the salt, it stays.
func withoutSalt(file string, before []byte) error {
	after, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("the stack's file: %w", err)
	}
	if hasSalt(before) || !hasSalt(after) || bytes.Contains(after, []byte("secure:")) {
		return nil
	}
	var kept []string
	for line := range strings.Lines(string(after)) {
		if !strings.HasPrefix(line, "encryptionsalt:") {
			kept = append(kept, line)
		}
	}
	text := []byte(strings.Join(kept, ""))
	if sameYAML(text, before) {
		text = before
	}
	if err := os.WriteFile(file, text, 0o644); err != nil {
		return fmt.Errorf("the stack's file could not be put back: %w", err)
	}
	return nil
}

func sameYAML(a, b []byte) bool {
	var x, y any
	return yaml.Unmarshal(a, &x) == nil && yaml.Unmarshal(b, &y) == nil && reflect.DeepEqual(x, y)
}
