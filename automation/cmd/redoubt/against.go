package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"

	"redoubt/automation/blueprint"
	"redoubt/automation/engine"
	"redoubt/internal/languagehost"
	"redoubt/internal/rehearsal"
)

// runCommand runs a command against an account that is kept in a file, so that
// several commands see the same one. The stacks live in a backend beside that
// file: a simulated resource must never get into a stack's real state.
func (c *rehearseCommand) runCommand(ctx context.Context, s *streams, command []string) (err error) {
	project, err := projectFolder(c.Project)
	if err != nil {
		return err
	}
	file := c.Account
	if !filepath.IsAbs(file) {
		file = filepath.Join(project, file)
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return fmt.Errorf("the account's folder: %w", err)
	}
	account, err := openAccount(file, project, stackOf(command))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, account.Close()) }()
	server, err := rehearsal.Serve(ctx, account, fmt.Sprintf("127.0.0.1:%d", c.Port))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Close()) }()

	env, stop, err := commandEnvironment(ctx, s, project, filepath.Dir(file), server.Env())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	fmt.Fprintf(s.err, "redoubt: rehearsal, nothing touches AWS; the account is kept in %s\n", file)

	if stack := stackOf(command); stack != "" {
		restore, err := makeStack(ctx, project, stack, env)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, restore()) }()
	}
	return runChild(s, command, env)
}

// openAccount opens the account of the file; a new one gets the id of the
// account that the stack is for, if it names one.
func openAccount(file, project, stack string) (*rehearsal.Account, error) {
	if _, err := os.Stat(file); err == nil || stack == "" {
		return rehearsal.Open(file)
	}
	id, err := engine.Setting(project, stack, blueprint.DefenseInDepth.Account)
	if err != nil {
		return nil, err
	}
	if id == "" {
		return rehearsal.Open(file)
	}
	return rehearsal.Open(file, rehearsal.WithAccountID(id))
}

// projectFolder is the nearest folder at or above dir with a Pulumi.yaml.
func projectFolder(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	for at := dir; ; at = filepath.Dir(at) {
		if _, err := os.Stat(filepath.Join(at, "Pulumi.yaml")); err == nil {
			return at, nil
		}
		if at == filepath.Dir(at) {
			return "", fmt.Errorf("there is no Pulumi.yaml in %s or above (run it in a project's folder, or name it with --project)", dir)
		}
	}
}

// commandEnvironment is this process's environment, with the simulated account
// instead of AWS and a backend of its own.
func commandEnvironment(ctx context.Context, s *streams, project, folder, provider string) (env []string, stop func() error, err error) {
	state := filepath.Join(folder, "state")
	if err := os.MkdirAll(state, 0o700); err != nil {
		return nil, nil, fmt.Errorf("the rehearsal's backend: %w", err)
	}
	env = append(os.Environ(), provider,
		"PULUMI_BACKEND_URL=file://"+state+"?metadata=skip",
		"PULUMI_SKIP_UPDATE_CHECK=true",
		"PULUMI_EXPERIMENTAL=true", "PULUMI_SKIP_CHECKPOINTS=true")
	for name, value := range engine.WithoutAWS {
		env = append(env, name+"="+value)
	}
	if os.Getenv("PULUMI_CONFIG_PASSPHRASE") == "" && os.Getenv("PULUMI_CONFIG_PASSPHRASE_FILE") == "" {
		// Nothing here is secret: it encrypts simulated values only. A stack
		// with secrets of its own is refused in makeStack.
		env = append(env, "PULUMI_CONFIG_PASSPHRASE=rehearsal")
	}
	if cli, err := engine.FindCLI(); err == nil && cli.Folder != "" {
		env = append(env, "PATH="+cli.Folder+string(os.PathListSeparator)+os.Getenv("PATH"))
	}
	stop = func() error { return nil }
	if needsGoHost(project) {
		host, err := languagehost.Serve(ctx, languagehost.Options{Stdout: s.err, Stderr: s.err})
		if err != nil {
			return nil, nil, err
		}
		env, stop = append(env, host.Env(), "PATH="+host.Folder()+string(os.PathListSeparator)+pathOf(env)), host.Close
	}
	return env, stop, nil
}

// needsGoHost says whether the project is a Go program on a machine without
// the CLI's own plugin for Go.
func needsGoHost(project string) bool {
	p, err := workspace.LoadProject(filepath.Join(project, "Pulumi.yaml"))
	if err != nil || p.Runtime.Name() != "go" {
		return false
	}
	_, err = exec.LookPath("pulumi-language-go")
	return err != nil
}

// stackOf is the stack that a pulumi command names, or empty.
func stackOf(command []string) string {
	if filepath.Base(command[0]) != "pulumi" {
		return ""
	}
	for i, arg := range command {
		if name, ok := strings.CutPrefix(arg, "--stack="); ok {
			return name
		}
		if (arg == "--stack" || arg == "-s") && i+1 < len(command) {
			return command[i+1]
		}
	}
	return ""
}

// runChild runs the command with this process's terminal and gives it the time
// that it needs. Control-C reaches it through the terminal's process group, so
// only a termination is passed on.
func runChild(s *streams, command, env []string) error {
	cmd := exec.Command(command[0], command[1:]...)
	if path := lookPath(command[0], env); path != "" {
		cmd.Path, cmd.Err = path, nil
	}
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = env, os.Stdin, s.out, s.err
	terminated := make(chan os.Signal, 1)
	signal.Notify(terminated, syscall.SIGTERM)
	defer signal.Stop(terminated)
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("%s cannot be started: %w", command[0], err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	for {
		select {
		case sig := <-terminated:
			if err := cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
				return fmt.Errorf("%s cannot be ended: %w", command[0], err)
			}
		case err := <-done:
			var exit *exec.ExitError
			if errors.As(err, &exit) {
				return &childExit{code: max(exit.ExitCode(), 1)}
			}
			return err
		}
	}
}

// lookPath finds a bare name on the PATH that the child will have.
func lookPath(name string, env []string) string {
	if strings.ContainsRune(name, filepath.Separator) {
		return ""
	}
	for _, dir := range filepath.SplitList(pathOf(env)) {
		path := filepath.Join(dir, name)
		if info, err := os.Stat(path); err == nil && !info.IsDir() && info.Mode()&0o111 != 0 {
			return path
		}
	}
	return ""
}

// pathOf is the PATH that a process with this environment has: the last one counts.
func pathOf(env []string) string {
	for i := len(env) - 1; i >= 0; i-- {
		if list, ok := strings.CutPrefix(env[i], "PATH="); ok {
			return list
		}
	}
	return ""
}
