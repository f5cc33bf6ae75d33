package main

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/internal/postgrestest"
)

func TestServeShowsTheFirstTokenOnce(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	p, url := serve(t, nil, "--data", data, "--log-format", "json", "--log-level", "debug")
	tokens := tokenForm.FindAllString(p.out.String(), -1)
	require.Len(t, tokens, 2, "the token, and the command to log in with it")
	require.Contains(t, p.out.String(), "PULUMI_ACCESS_TOKEN="+tokens[0]+" pulumi login "+url+"\n")
	env := []string{"REDOUBT_URL=" + url, "REDOUBT_TOKEN=" + tokens[0]}
	require.Contains(t, must(t, env, "org", "list"), "main")

	// A second process must not use the same folder.
	code, _, stderr := ask(t, nil, "serve", "--listen", "127.0.0.1:0", "--data", data)
	require.Equal(t, exitError, code)
	require.Contains(t, stderr, data+" is in use by another process")

	require.NoError(t, p.Process.Signal(syscall.SIGTERM))
	require.Equal(t, exitOK, p.end(t), p.err)
	require.Contains(t, p.err.String(), `"msg":"stopped"`)
	require.NotContains(t, p.err.String(), tokens[0], "not in the log")

	p, url = serve(t, nil, "--data", data)
	require.Empty(t, tokenForm.FindString(p.out.String()), "later starts show none")
	require.Contains(t, must(t, []string{"REDOUBT_URL=" + url, "REDOUBT_TOKEN=" + tokens[0]}, "org", "list"), "main")
	require.NoError(t, p.Process.Signal(os.Interrupt))
	require.Equal(t, exitOK, p.end(t))
}

func TestServeWritesTheFirstTokenToAFile(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	file := filepath.Join(folder, "token")
	p, url := serve(t, nil, "--data", filepath.Join(folder, "data"), "--bootstrap-token-file", file)
	require.Empty(t, tokenForm.FindString(p.out.String()))
	require.Contains(t, p.out.String(), "PULUMI_ACCESS_TOKEN=$(cat "+file+") pulumi login "+url)
	info, err := os.Stat(file)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	must(t, []string{"REDOUBT_URL=" + url, "REDOUBT_TOKEN=" + strings.TrimSpace(string(text))}, "token", "list")
	require.NoError(t, p.Process.Signal(syscall.SIGTERM))
	require.Equal(t, exitOK, p.end(t))

	// A file that cannot be written is known before there is a token to lose.
	code, _, stderr := ask(t, nil, "serve", "--listen", "127.0.0.1:0", "--data", filepath.Join(folder, "other"), "--bootstrap-token-file", "/no/such/token")
	require.Equal(t, exitError, code)
	require.Contains(t, stderr, "the file for the first token")
	p, _ = serve(t, nil, "--data", filepath.Join(folder, "other"))
	require.NotEmpty(t, tokenForm.FindString(p.out.String()))
}

func TestServeReportsEveryMistakeOfTheConfiguration(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "redoubt.yaml")
	require.NoError(t, os.WriteFile(file, []byte("lisen: x\nlog:\n  format: xml\ndatabase:\n  url: mysql://root:CANARY@db/x\n"), 0o600))
	code, stdout, stderr := ask(t, []string{"REDOUBT_LIMITS_BODY=lots", "REDOUBT_CONFIG=" + file}, "serve", "--listen", "0.0.0.0:0")
	require.Equal(t, exitError, code)
	require.Empty(t, stdout)
	for _, want := range []string{
		"did you mean listen? ", "[redoubt.yaml:1]", `log.format: "xml" is no format`, "mysql://root:redacted@db/x", "[environment REDOUBT_LIMITS_BODY]",
		"plain HTTP on 0.0.0.0:0", "--insecure", "5 error(s)",
	} {
		require.Contains(t, strings.ReplaceAll(stderr, "(did you mean listen?)", "did you mean listen? "), want)
	}
	require.NotContains(t, stderr, "CANARY")

	stdout = must(t, []string{"REDOUBT_LOG_FORMAT=json"}, "serve", "--check", "--database", "postgres://u:CANARY@db/x")
	require.Regexp(t, `log.format +json +environment REDOUBT_LOG_FORMAT`, stdout)
	require.Regexp(t, `listen +127.0.0.1:8090 +default`, stdout)
	require.NotContains(t, stdout, "CANARY")
}

// A request that does not end holds up the first signal, and not the second.
func TestServeEndsAtOnceAtTheSecondSignal(t *testing.T) {
	t.Parallel()
	p, url := serve(t, nil, "--data", filepath.Join(t.TempDir(), "data"), "--limits-shutdown", "1h")
	token := tokenForm.FindString(p.out.String())
	reader, writer, err := os.Pipe()
	require.NoError(t, err)
	request, err := http.NewRequest(http.MethodPost, url+"/v0/admin/organizations", reader)
	require.NoError(t, err)
	request.Header.Set("Authorization", "token "+token)
	go func() {
		if response, err := http.DefaultClient.Do(request); err == nil {
			_ = response.Body.Close()
		}
	}()
	_, err = writer.WriteString(`{"name":`)
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		response, err := http.Get(url + "/metrics")
		require.NoError(t, err)
		text, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		return strings.Contains(string(text), "redoubt_http_in_flight 1")
	}, patience, 10*time.Millisecond)
	require.NoError(t, p.Process.Signal(syscall.SIGTERM))
	require.Eventually(t, func() bool { return strings.Contains(p.err.String(), "stopping: requests in flight") }, patience, 10*time.Millisecond)
	require.NoError(t, p.Process.Signal(syscall.SIGTERM))
	require.Equal(t, exitError, p.end(t))
	require.NotContains(t, p.err.String(), "msg=stopped")
	require.NoError(t, writer.Close())
}

// What died with the process before this one holds credentials: they do not wait for
// the next order.
func TestServeRemovesTheFoldersOfKilledOperations(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	holds := map[string]*os.File{}
	for _, name := range []string{"redoubt-operation-killed", "redoubt-operation-running"} {
		require.NoError(t, os.MkdirAll(filepath.Join(folder, name, "home"), 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(folder, name, "home", "credentials.json"), []byte("canary"), 0o600))
		lock, err := os.Create(filepath.Join(folder, name, "lock"))
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, lock.Close()) })
		holds[name] = lock
	}
	require.NoError(t, syscall.Flock(int(holds["redoubt-operation-running"].Fd()), syscall.LOCK_EX))
	serve(t, []string{"TMPDIR=" + folder}, "--data", filepath.Join(t.TempDir(), "data"), "--role", "all", "--policy-pack", "none")
	require.NoDirExists(t, filepath.Join(folder, "redoubt-operation-killed"))
	require.FileExists(t, filepath.Join(folder, "redoubt-operation-running", "home", "credentials.json"))
}

func TestServeOnPostgreSQL(t *testing.T) {
	t.Parallel()
	database := postgrestest.Start(t)
	address := strings.Replace(database.URL(t, "postgres"), ":"+database.Password+"@", "@", 1)
	require.NotContains(t, address, database.Password)
	folder := t.TempDir()
	env := []string{"PGPASSWORD=" + database.Password}
	p, url := serve(t, env, "--data", folder, "--database", address)
	token := tokenForm.FindString(p.out.String())
	client := []string{"REDOUBT_URL=" + url, "REDOUBT_TOKEN=" + token}
	must(t, client, "org", "create", "acme")
	require.NoFileExists(t, filepath.Join(folder, "redoubt.db"))
	require.NoError(t, p.Process.Signal(syscall.SIGTERM))
	require.Equal(t, exitOK, p.end(t))

	file := filepath.Join(t.TempDir(), "pgpass")
	require.NoError(t, os.WriteFile(file, []byte("*:*:*:*:"+database.Password+"\n"), 0o600))
	p, url = serve(t, []string{"PGPASSFILE=" + file}, "--data", folder, "--database", address)
	require.Empty(t, tokenForm.FindString(p.out.String()))
	require.Contains(t, must(t, []string{"REDOUBT_URL=" + url, "REDOUBT_TOKEN=" + token}, "org", "list"), "acme")

	code, _, stderr := ask(t, []string{"PGPASSWORD=wrong"}, "serve", "--listen", "127.0.0.1:0", "--data", t.TempDir(), "--database", address)
	require.Equal(t, exitError, code)
	require.NotContains(t, stderr, "PGPASSWORD=wrong")
	require.Contains(t, stderr, "PostgreSQL")
}
