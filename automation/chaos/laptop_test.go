package chaos

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/internal/clitest"
	"redoubt/internal/languagehost"
)

// laptop is where somebody runs the stock CLI, with the cloud and a language
// runtime attached.
type laptop struct {
	exe, folder string
	env         []string
}

func newLaptop(t testing.TB, c *cloud, url, token string) *laptop {
	t.Helper()
	l := &laptop{exe: clitest.Path(t), folder: t.TempDir()}
	program := filepath.Join(t.TempDir(), programName)
	self, err := os.Executable()
	require.NoError(t, err)
	require.NoError(t, os.Symlink(self, program))
	language, err := languagehost.Serve(context.WithoutCancel(t.Context()), languagehost.Options{Programs: map[string]string{l.folder: program}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, language.Close()) })
	require.NoError(t, os.WriteFile(filepath.Join(l.folder, "Pulumi.yaml"), []byte("name: "+project+"\nruntime: go\n"), 0o600))
	l.env = clitest.Environment(t.TempDir(), fmt.Sprintf("PULUMI_DEBUG_PROVIDERS=chaos:%d", c.port), language.Env(),
		"PATH="+language.Folder()+string(os.PathListSeparator)+os.Getenv("PATH"),
		"PULUMI_ACCESS_TOKEN="+token, "PULUMI_BACKEND_URL="+url, "PULUMI_JOURNALING_BATCH_PERIOD=1", "PULUMI_JOURNALING_BATCH_SIZE=10",
		// The CLI is short-lived: collecting garbage takes longer than it saves.
		"GOGC=400")
	return l
}

// run is a CLI that runs.
type run struct {
	*exec.Cmd
	out  safeBuffer
	args []string
	// Done is closed when it has ended, and then err is how.
	Done chan struct{}
	err  error
}

// start starts the CLI for a stack whose program has a version.
func (l *laptop) start(t testing.TB, stack string, version int, args ...string) *run {
	t.Helper()
	config := fmt.Sprintf("config:\n  %s:version: %d\n", project, version)
	require.NoError(t, os.WriteFile(filepath.Join(l.folder, "Pulumi."+stack+".yaml"), []byte(config), 0o600))
	args = append(args, "--stack", org+"/"+project+"/"+stack, "--non-interactive", "--color", "never")
	if args[0] != "preview" {
		args = append(args, "--yes", "--skip-preview")
	}
	r := &run{Cmd: exec.Command(l.exe, args...), args: args, Done: make(chan struct{})}
	r.Dir, r.Env = l.folder, l.env
	r.Stdout, r.Stderr = &r.out, &r.out
	require.NoError(t, r.Start())
	go func() {
		r.err = r.Wait()
		close(r.Done)
	}()
	t.Cleanup(func() {
		_ = r.Process.Kill()
		<-r.Done
	})
	return r
}

// kill ends the CLI as kill -9 does.
func (r *run) kill() {
	_ = r.Process.Kill()
	<-r.Done
}

// ends waits for the end.
func (r *run) ends() error {
	<-r.Done
	return r.err
}

// succeeds waits for the end and wants it to be a good one.
func (r *run) succeeds(t testing.TB) string {
	t.Helper()
	require.NoError(t, r.ends(), "pulumi %s\n%s", strings.Join(r.args, " "), r.out.String())
	return r.out.String()
}

// do runs the CLI and wants it to succeed.
func (l *laptop) do(t testing.TB, stack string, version int, args ...string) string {
	t.Helper()
	return l.start(t, stack, version, args...).succeeds(t)
}

// safeBuffer is written by one and read by another.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
