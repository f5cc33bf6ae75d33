package story

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"redoubt/automation/client"
	"redoubt/automation/provision"
	"redoubt/internal/postgrestest"
)

// Secrets of an order, of a webhook and of tokens are in nothing that is kept, said,
// sent or answered: not in the database, the data folder, the log, the folders of
// operations and what is left of temporary files, the command lines and environments
// of processes, webhooks, the events and the API.
func TestSecrets(t *testing.T) {
	t.Parallel()
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		keepsSecrets(t, nil, client.ProjectSettings{Rehearse: true}, func(said) {})
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		// Every statement is in its log, with what it was given.
		server := postgrestest.Start(t, "max_connections = 200")
		url := databaseOf(t, server)
		keepsSecrets(t, []string{"--database", url}, client.ProjectSettings{}, func(s said) {
			s.dump(t, url)
			s["the database's log"] = []byte(server.Log(t))
		})
	})
}

// said is what was found, by where.
type said map[string][]byte

func keepsSecrets(t *testing.T, database []string, settings client.ProjectSettings, dump func(said)) {
	c := newCloud(t)
	o := open(t, join(c.flags(), database, []string{"--log-level", "debug", "--webhook-networks", "127.0.0.0/8"})...)
	p := o.project(t, "shop", settings)
	b, err := o.as(rita).GetBlueprint(t.Context(), "defense-in-depth")
	require.NoError(t, err)
	require.ElementsMatch(t, []string{"/pagerUrl", "/pagerDutyRoutingKey"}, b.SecretInputs)
	var inputs map[string]any
	require.NoError(t, json.Unmarshal(b.Example, &inputs))
	inputs["pagerUrl"], inputs["pagerDutyRoutingKey"] = "https://pager.example.com/canary-url-5e1f", "canarykey77aa03bb41cc92dd05ee66ff"
	given, err := json.Marshal(inputs)
	require.NoError(t, err)
	received := receive(t)
	hook, err := o.as(admin).CreateWebhook(t.Context(), client.NewWebhook{Org: org, URL: received.url, Types: []string{"*"}})
	require.NoError(t, err)
	signs := strings.TrimPrefix(hook.Secret, "whsec_")
	key, err := base64.StdEncoding.DecodeString(signs)
	require.NoError(t, err)

	canaries := map[string]string{"the address": "canary-url-5e1f", "the key": "canarykey77aa03bb41cc92dd05ee66ff", "the webhook's": signs, "the webhook's key": string(key)}
	for who, token := range o.tokens {
		canaries["the token of "+who] = token
	}
	s := said{}
	g := c.gate("whole", changed, some)
	ordered, err := o.as(rita).CreateStack(t.Context(), client.NewStack{ProjectID: p.ID, Name: "whole", Blueprint: b.Name, Inputs: given}, client.CreateStackParams{})
	require.NoError(t, err)
	s["the order's answer"] = []byte(text(ordered))
	op := ordered.Operation
	g.await(t)
	s.files(t, o, "while it runs")
	s.processes(t, o)
	require.Contains(t, text(s.places()), "redoubt-operation-", "the folder of the operation was looked at")
	g.open()
	o.reaches(t, op.ID, provision.Succeeded)
	require.Contains(t, text(c.Resources()), canaries["the address"], "the program had the address")

	for _, who := range []string{rita, anna, omar, paul, admin} {
		for _, path := range []string{
			"/v1/operations/" + op.ID, "/v1/operations/" + op.ID + "/plan", "/v1/operations/" + op.ID + "/policy-results", "/v1/operations/" + op.ID + "/approvals",
			"/v1/operations?limit=200", "/v1/stacks", "/v1/stacks/" + op.StackID, "/v1/stacks/" + op.StackID + "/outputs", "/v1/stacks/" + op.StackID + "/resources",
			"/v1/stacks/" + op.StackID + "/history", "/v1/projects", "/v1/audit?limit=200", "/v1/webhooks?org=" + org, "/v1/webhooks/" + hook.Webhook.ID + "/deliveries", "/v0/admin/tokens", "/metrics",
		} {
			_, _, answer := o.raw(t, who, http.MethodGet, path, nil, "")
			s[who+" GET "+path] = []byte(answer)
		}
	}
	status, _, seen := o.raw(t, rita, http.MethodGet, "/v1/stacks/"+op.StackID, nil, "")
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, seen, `"pagerUrl":"[secret]"`)
	s["the events"] = []byte(text(o.events(t, op.ID)))
	require.Eventually(t, func() bool { return strings.Contains(received.text(), "operation.succeeded") }, patience, often, "the webhook is told")
	s["the webhook"] = []byte(received.text())
	dump(s)
	s.files(t, o, "at the end")
	o.end(t, syscall.SIGTERM) // which writes all that is to be written
	s.files(t, o, "after the end")
	require.Contains(t, s, "after the end: server.log")
	for where, content := range s {
		for what, canary := range canaries {
			for _, form := range forms(canary) {
				require.False(t, bytes.Contains(content, form), "%s is in %s", what, where)
			}
		}
	}
}

// forms are a text as it is, in hexadecimal digits, and what base64 makes of it
// wherever it stands in something longer.
func forms(of string) [][]byte {
	all := [][]byte{[]byte(of), []byte(hex.EncodeToString([]byte(of)))}
	for before := range 3 {
		coded := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat("x", before) + of))
		// The first and the last characters are of what stands beside it too.
		all = append(all, []byte(coded[(before*8+5)/6:len(coded)-1]))
	}
	return all
}

// places are where something was found.
func (s said) places() (all []string) {
	for where := range s {
		all = append(all, where)
	}
	return all
}

// files adds all files of the installation but the token that the first start wrote
// for its administrator.
func (s said) files(t *testing.T, o *office, when string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(o.folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return nil // it was removed in the meantime
		}
		name, err := filepath.Rel(o.folder, path)
		if err != nil || name == "token" {
			return err
		}
		content, err := os.ReadFile(path)
		if os.IsNotExist(err) {
			return nil
		}
		s[when+": "+name] = content
		return err
	}))
}

// processes adds what others see of the processes.
func (s said) processes(t *testing.T, o *office) {
	t.Helper()
	server := o.process.Process.Pid
	found := 0
	for _, pid := range append(descendants(t, server), server) {
		for _, what := range []string{"cmdline", "environ"} {
			if content, err := os.ReadFile(filepath.Join("/proc", fmt.Sprint(pid), what)); err == nil { // else it has ended
				s[fmt.Sprintf("%s of process %d", what, pid)] = content
				found++
			}
		}
	}
	require.Greater(t, found, 4, "the server, the operation's process, the CLI")
}

// dump adds all rows of all tables.
func (s said) dump(t *testing.T, url string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close(t.Context())) }()
	rows, err := conn.Query(t.Context(), "SELECT schemaname || '.' || quote_ident(tablename) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')")
	require.NoError(t, err)
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	require.Greater(t, len(tables), 20)
	for _, table := range tables {
		rows, err := conn.Query(t.Context(), "SELECT t::text FROM "+table+" AS t")
		require.NoError(t, err)
		content, err := pgx.CollectRows(rows, pgx.RowTo[string])
		require.NoError(t, err)
		s["table "+table] = []byte(strings.Join(content, "\n"))
	}
	require.Contains(t, string(s["table public.operations"]), "defense-in-depth")
}

// receiver is where webhooks lead.
type receiver struct {
	url string
	mu  sync.Mutex
	got strings.Builder
}

func receive(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{}
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, q *http.Request) {
		body, err := io.ReadAll(q.Body)
		r.mu.Lock()
		defer r.mu.Unlock()
		fmt.Fprintln(&r.got, q.Header, string(body), err)
	}))
	t.Cleanup(server.Close)
	r.url = server.URL
	return r
}

func (r *receiver) text() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.got.String()
}

// What is looked for is found, wherever it stands in something longer.
func TestForms(t *testing.T) {
	t.Parallel()
	const canary = "canary-5e1f"
	for before := range 5 {
		long := []byte(strings.Repeat("-", before) + canary + "and more")
		for _, kept := range []string{string(long), hex.EncodeToString(long), base64.StdEncoding.EncodeToString(long)} {
			require.Condition(t, func() bool {
				for _, form := range forms(canary) {
					if strings.Contains(kept, string(form)) {
						return true
					}
				}
				return false
			}, kept)
		}
	}
}
