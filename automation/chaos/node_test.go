package chaos

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/automation/server"
	"redoubt/internal/loopback"
)

// patience is how long a test waits for what must come, on a slow machine too.
const patience = 90 * time.Second

// settings are a server's, as JSON in the environment.
type settings struct {
	Listen, Data, Database string
	Lease, First           time.Duration
	// Disk, if set, is how many bytes the disk of the data folder has.
	Disk int
}

// greeting is the first line that a server says.
type greeting struct{ Address, Token string }

// serve is the server's process.
func serve(text string) error {
	var s settings
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return err
	}
	// It does not outlive the test, however that ends.
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(1)
	}()
	if s.Disk > 0 {
		if err := smallDisk(s.Data, s.Disk); err != nil {
			return fmt.Errorf("a small disk: %w", err)
		}
	}
	config := server.Defaults()
	config.Listen, config.Data, config.Database.URL = s.Listen, s.Data, s.Database
	config.Leases.Duration, config.Leases.First, config.Leases.Sweep = s.Lease, s.First, 100*time.Millisecond
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	r, err := server.Open(ctx, config, server.WithLog(server.NewLog(config.Log, os.Stderr)))
	if err != nil {
		return err
	}
	token, err := r.Bootstrap(ctx)
	if err != nil {
		return err
	}
	if err := json.NewEncoder(os.Stdout).Encode(greeting{r.Addr().String(), token}); err != nil {
		return err
	}
	if err := r.Run(ctx); err != nil {
		return err
	}
	return r.Close()
}

// node is a server that can be killed and started again, where it was.
type node struct {
	settings settings
	token    string
	log      string

	mu      sync.Mutex
	process *exec.Cmd
}

func newNode(t testing.TB, s settings) *node {
	t.Helper()
	folder := t.TempDir()
	if s.Data = filepath.Join(folder, "data"); s.Listen == "" {
		s.Listen = net.JoinHostPort(loopback.Host(), "0")
	}
	n := &node{settings: s, log: filepath.Join(folder, "server.log")}
	require.NoError(t, n.start())
	t.Cleanup(func() {
		n.kill()
		if t.Failed() {
			text, err := os.ReadFile(n.log)
			require.NoError(t, err)
			t.Logf("the server's log:\n%s", text[max(0, len(text)-2000):])
		}
	})
	return n
}

// start starts the process and waits until it listens.
func (n *node) start() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	text, err := json.Marshal(n.settings)
	if err != nil {
		return err
	}
	log, err := os.OpenFile(n.log, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close() //nolint:errcheck // the process has its own
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), serverVariable+"="+string(text))
	cmd.Stderr = log
	if n.settings.Disk > 0 {
		cmd.SysProcAttr = ownMounts()
	}
	if _, err := cmd.StdinPipe(); err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	var said greeting
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &said)
	}
	if err != nil {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		text, _ := os.ReadFile(n.log) // the better message
		return fmt.Errorf("the server did not start: %w\n%s", err, text)
	}
	n.process, n.settings.Listen = cmd, said.Address
	if said.Token != "" {
		n.token = said.Token
	}
	return nil
}

// ensure starts the process if it does not run.
func (n *node) ensure(t testing.TB) {
	t.Helper()
	n.mu.Lock()
	runs := n.process != nil
	n.mu.Unlock()
	if !runs {
		require.NoError(t, n.start())
	}
}

// kill ends the process as a failing machine does.
func (n *node) kill() { n.end(syscall.SIGKILL) }

// end sends a signal and waits for the end.
func (n *node) end(s os.Signal) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.process == nil {
		return
	}
	_ = n.process.Process.Signal(s)
	_ = n.process.Wait() // killed
	n.process = nil
}

func (n *node) url() string { return "http://" + n.settings.Listen }

// ask asks as the administrator and returns the status and the body; it waits
// for the server to be there.
func (n *node) ask(t testing.TB, method, path string, in any) (int, []byte) {
	t.Helper()
	text, err := json.Marshal(in)
	require.NoError(t, err)
	for deadline := time.Now().Add(patience); ; {
		q, err := http.NewRequestWithContext(t.Context(), method, n.url()+path, bytes.NewReader(text))
		require.NoError(t, err)
		q.Header.Set("Authorization", "token "+n.token)
		answer, err := http.DefaultClient.Do(q)
		if err != nil && time.Now().Before(deadline) {
			continue
		}
		require.NoError(t, err)
		body, err := io.ReadAll(answer.Body)
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		return answer.StatusCode, body
	}
}

// do is ask for an answer of 200.
func (n *node) do(t testing.TB, method, path string, in any) []byte {
	t.Helper()
	status, body := n.ask(t, method, path, in)
	require.Equal(t, http.StatusOK, status, "%s %s: %s", method, path, body)
	return body
}

// org and project are those of all stacks.
const (
	org     = "main"
	project = "chaos"
)

func stackPath(name string) string { return "/api/stacks/" + org + "/" + project + "/" + name }

// create makes a stack.
func (n *node) create(t testing.TB, name string) {
	t.Helper()
	n.do(t, http.MethodPost, "/api/stacks/"+org+"/"+project, map[string]any{"stackName": name})
}

func (n *node) export(t testing.TB, name string) json.RawMessage {
	t.Helper()
	return n.do(t, http.MethodGet, stackPath(name)+"/export", nil)
}

// active is the update that holds a stack.
func (n *node) active(t testing.TB, name string) string {
	t.Helper()
	var stack struct{ ActiveUpdate string }
	require.NoError(t, json.Unmarshal(n.do(t, http.MethodGet, stackPath(name), nil), &stack))
	return stack.ActiveUpdate
}

// free waits until nobody holds a stack.
func (n *node) free(t testing.TB, name string) {
	t.Helper()
	require.Eventually(t, func() bool { return n.active(t, name) == "" }, patience, 50*time.Millisecond, "the lease frees itself")
}

// refused requires that an update of a stack is refused because it needs
// recovery, at once.
func (n *node) refused(t testing.TB, name string) {
	t.Helper()
	for _, kind := range []string{"update", "destroy"} {
		status, body := n.ask(t, http.MethodPost, stackPath(name)+"/"+kind, map[string]any{})
		require.Equal(t, http.StatusConflict, status, "%s", body)
		require.Contains(t, string(body), "needs recovery")
	}
}
