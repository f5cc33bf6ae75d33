package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// asRedoubt makes the test's own program be redoubt: a real process, and no
// second program to link.
const asRedoubt = "TEST_AS_REDOUBT"

// patience is how long a test waits for what must come.
const patience = time.Minute

// process is redoubt as a process of its own.
type process struct {
	*exec.Cmd
	out, err *output
}

// output may be read while it is written.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// begin starts redoubt with its own home, and an environment of ours only.
func begin(t *testing.T, env []string, args ...string) *process {
	t.Helper()
	p := &process{Cmd: exec.Command(os.Args[0], args...), out: &output{}, err: &output{}}
	p.Env = append([]string{asRedoubt + "=1", "PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir()}, env...)
	p.Stdout, p.Stderr = p.out, p.err
	require.NoError(t, p.Start())
	t.Cleanup(func() {
		if p.ProcessState == nil {
			_ = p.Process.Kill()
			_ = p.Wait()
		}
	})
	return p
}

// end waits and returns the exit code.
func (p *process) end(t *testing.T) int {
	t.Helper()
	ended := make(chan error, 1)
	go func() { ended <- p.Wait() }()
	select {
	case <-ended:
		return p.ProcessState.ExitCode()
	case <-time.After(patience):
		require.NoError(t, p.Process.Kill())
		<-ended
		require.Fail(t, "it did not end", "%s\n%s", p.out, p.err)
		return -1
	}
}

var readyForm = regexp.MustCompile(`Redoubt is ready on (\S+) \(data in `)

// serve starts a server on a free port and returns its address.
func serve(t *testing.T, env []string, args ...string) (p *process, url string) {
	t.Helper()
	p = begin(t, env, append([]string{"serve", "--listen", "127.0.0.1:0"}, args...)...)
	require.Eventually(t, func() bool { return readyForm.MatchString(p.out.String()) || exited(p) }, patience, 10*time.Millisecond)
	match := readyForm.FindStringSubmatch(p.out.String())
	require.NotNil(t, match, "%s\n%s", p.out, p.err)
	return p, match[1]
}

// exited says whether the process is gone, without waiting for it.
func exited(p *process) bool {
	state, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(p.Process.Pid), "stat"))
	return err != nil || strings.Contains(string(state), ") Z ")
}

var tokenForm = regexp.MustCompile(`redoubt_[0-9a-z]+_[0-9A-Z]+`)

// ask runs a command against a server and returns what it printed.
func ask(t *testing.T, env []string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	p := begin(t, env, args...)
	return p.end(t), p.out.String(), p.err.String()
}

// must is ask for what must succeed.
func must(t *testing.T, env []string, args ...string) string {
	t.Helper()
	code, stdout, stderr := ask(t, env, args...)
	require.Equal(t, exitOK, code, "%v\n%s\n%s", args, stdout, stderr)
	return stdout
}
