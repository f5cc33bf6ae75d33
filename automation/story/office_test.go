package story

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/automation/adminapi"
	"redoubt/automation/backend"
	"redoubt/automation/client"
	"redoubt/automation/provision"
)

const (
	// patience is how long a test waits for what must come, on a busy machine too.
	patience = 3 * time.Minute
	// often is how often it looks.
	often = 100 * time.Millisecond
	org   = "main"
)

// The people, by the one role that each has.
const (
	rita  = "rita" // orders
	anna  = "anna" // approves
	omar  = "omar" // operates
	paul  = "paul" // owns the policy
	admin = "admin"
)

var roles = map[string]provision.Role{rita: provision.Requester, anna: provision.Approver, omar: provision.Operator, paul: provision.PolicyOwner}

// office is `redoubt serve` as a process of its own, which can be killed and started
// again where it was, and the people who use it.
type office struct {
	folder, data, log, out string
	args                   []string
	url                    string
	tokens                 map[string]string

	mu      sync.Mutex
	process *exec.Cmd
	ended   chan struct{}
}

// open starts a server, with these flags besides, and gives the people their tokens
// and roles.
func open(t *testing.T, flags ...string) *office {
	t.Helper()
	folder := t.TempDir()
	o := &office{folder: folder, data: filepath.Join(folder, "data"), tokens: map[string]string{}}
	o.begin(t, "server", flags)
	token, err := os.ReadFile(filepath.Join(folder, "token"))
	require.NoError(t, err)
	o.tokens[admin] = strings.TrimSpace(string(token))
	for who, role := range roles {
		o.tokens[who] = o.token(t, who, who, backend.Read)
		_, err = o.as(admin).CreateBinding(t.Context(), client.NewBinding{Subject: "user:" + who, Role: string(role), Scope: org})
		require.NoError(t, err)
	}
	return o
}

// beside starts another process of the same installation, for the same people. Its
// name is that of its log.
func (o *office) beside(t *testing.T, name string, flags ...string) *office {
	t.Helper()
	n := &office{folder: o.folder, data: o.data, tokens: o.tokens}
	n.begin(t, name, flags)
	return n
}

// begin starts the process for the first time.
func (o *office) begin(t *testing.T, name string, flags []string) {
	t.Helper()
	o.log, o.out, o.args = filepath.Join(o.folder, name+".log"), filepath.Join(o.folder, name+".out"), flags
	t.Cleanup(func() {
		o.end(t, syscall.SIGTERM)
		if t.Failed() {
			said := o.logged(t)
			t.Logf("the log of the %s:\n%s", name, said[max(0, len(said)-6000):])
		}
	})
	o.start(t)
}

// logged is the process's log.
func (o *office) logged(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(o.log)
	require.NoError(t, err)
	return string(text)
}

// says waits until the process has logged something.
func (o *office) says(t *testing.T, what string) {
	t.Helper()
	require.Eventually(t, func() bool { return strings.Contains(o.logged(t), what) }, patience, often, "its log says: %s", what)
}

// token makes an access token for everything in the organization.
func (o *office) token(t *testing.T, principal, human string, verbs ...backend.Verb) string {
	t.Helper()
	c := adminapi.Client{URL: o.url, Token: o.tokens[admin]}
	made, err := c.CreateToken(t.Context(), adminapi.NewToken{
		Name: principal, Principal: principal, Human: human, Grants: []backend.Grant{{Stacks: org + "/*/*", Verbs: verbs}},
	})
	require.NoError(t, err)
	return made.Credential
}

// environment is that of this process without what would lead programs elsewhere.
func environment(more ...string) []string {
	env := slices.DeleteFunc(os.Environ(), func(e string) bool {
		return strings.HasPrefix(e, "PULUMI_") || strings.HasPrefix(e, "REDOUBT_") || strings.HasPrefix(e, "AWS_")
	})
	return append(env, more...)
}

// start starts the process where it was before, and waits until it serves.
func (o *office) start(t *testing.T) {
	t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	listen := "127.0.0.1:0"
	if o.url != "" {
		listen = strings.TrimPrefix(o.url, "http://")
	}
	args := append([]string{"serve", "--listen", listen, "--data", o.data, "--bootstrap-token-file", filepath.Join(o.folder, "token")}, o.args...)
	log, err := os.OpenFile(o.log, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	require.NoError(t, err)
	defer log.Close() //nolint:errcheck // the process has its own
	cmd := exec.Command(redoubt, args...)
	// The CLI is found in bin/, from the working directory up.
	temporary := filepath.Join(o.folder, "tmp")
	require.NoError(t, os.MkdirAll(temporary, 0o700))
	cmd.Dir, cmd.Env, cmd.Stderr = module, environment("TMPDIR="+temporary), log
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	o.process, o.ended = cmd, make(chan struct{})
	ready := make(chan string, 1)
	go func() {
		defer close(o.ended)
		keep, err := os.OpenFile(o.out, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err == nil {
			defer keep.Close() //nolint:errcheck // it is for a person who looks
		}
		lines := bufio.NewReader(io.TeeReader(out, keep))
		for {
			line, err := lines.ReadString('\n')
			if rest, ok := strings.CutPrefix(line, "Redoubt is ready on "); ok {
				ready <- strings.Fields(rest)[0]
			}
			if err != nil {
				break
			}
		}
		_ = cmd.Wait() // what became of it is in its log
	}()
	select {
	case o.url = <-ready:
	case <-o.ended:
		text, err := os.ReadFile(o.log)
		require.NoError(t, err)
		require.Fail(t, "the server did not start", "%s", text)
	case <-time.After(patience):
		require.Fail(t, "the server does not start")
	}
}

// end sends the process a signal and waits for its end.
func (o *office) end(t *testing.T, s syscall.Signal) {
	t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.process == nil {
		return
	}
	_ = o.process.Process.Signal(s)               // it may have ended
	_ = o.process.Process.Signal(syscall.SIGCONT) // or sleep
	select {
	case <-o.ended:
	case <-time.After(patience):
		_ = o.process.Process.Kill()
		<-o.ended
		t.Errorf("the server has not ended %s after %s", patience, s)
	}
	o.process = nil
}

// kill ends the process as a machine does that fails, and nothing else.
func (o *office) kill(t *testing.T) { t.Helper(); o.end(t, syscall.SIGKILL) }

// as is the API as somebody sees it.
func (o *office) as(who string) *client.Client {
	return &client.Client{URL: o.url, Token: o.tokens[who]}
}

// raw sends a request as somebody, and returns the status and the body.
func (o *office) raw(t *testing.T, who, method, path string, header http.Header, body string) (int, http.Header, string) {
	t.Helper()
	q, err := http.NewRequestWithContext(t.Context(), method, o.url+path, strings.NewReader(body))
	require.NoError(t, err)
	for name, values := range header {
		q.Header[name] = values
	}
	scheme := "Bearer "
	if strings.HasPrefix(path, "/api/") {
		scheme = "token " // the Pulumi CLI's
	}
	q.Header.Set("Authorization", scheme+o.tokens[who])
	if body != "" && q.Header.Get("Content-Type") == "" {
		q.Header.Set("Content-Type", "application/json")
	}
	answer, err := http.DefaultClient.Do(q)
	require.NoError(t, err)
	defer answer.Body.Close() //nolint:errcheck // it was read
	text, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	return answer.StatusCode, answer.Header, string(text)
}

// project makes a project.
func (o *office) project(t *testing.T, name string, settings client.ProjectSettings) client.Project {
	t.Helper()
	p, err := o.as(admin).CreateProject(t.Context(), client.NewProject{Org: org, Name: name, Settings: &settings})
	require.NoError(t, err)
	return p
}

// bucket are inputs of secure-bucket.
func bucket(days int) json.RawMessage {
	return json.RawMessage(fmt.Sprintf(`{"region":"eu-central-1","environment":"dev","expireAfterDays":%d,"tags":{"owner":"web","data-class":"internal"}}`, days))
}

// orders orders a bucket for rita, which is not protected.
func (o *office) orders(t *testing.T, p client.Project, name string, options *client.OrderOptions) client.Ordered {
	t.Helper()
	no := false
	ordered, err := o.as(rita).CreateStack(t.Context(), client.NewStack{
		ProjectID: p.ID, Name: name, Blueprint: "secure-bucket", Inputs: bucket(400), Protected: &no, Options: options,
	}, client.CreateStackParams{})
	require.NoError(t, err)
	return ordered
}

// again orders something else for a stack that there is.
func (o *office) again(t *testing.T, who, stack string, n client.NewOperation) client.Operation {
	t.Helper()
	op, err := o.as(who).CreateOperation(t.Context(), stack, n, client.CreateOperationParams{})
	require.NoError(t, err)
	return op
}

// reads is an operation as it is now.
func (o *office) reads(t *testing.T, id string) client.Operation {
	t.Helper()
	op, err := o.as(anna).GetOperation(t.Context(), id, client.GetOperationParams{})
	require.NoError(t, err)
	return op
}

// reaches waits until an operation is in one of the states, and fails where it is
// final in another, or needs a person.
func (o *office) reaches(t *testing.T, id string, states ...provision.State) client.Operation {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var op client.Operation
	for {
		seen, err := o.as(anna).GetOperation(ctx, id, client.GetOperationParams{Wait: "5s"})
		if err == nil {
			op = seen
		}
		if err == nil && slices.Contains(states, provision.State(op.State)) {
			return op
		}
		if op.Final || op.State == string(provision.NeedsRecovery) || ctx.Err() != nil {
			require.Failf(t, "the operation did not come there", "%s %s is %s (error %v), and should be %v: %s", op.Kind, id, op.State, err, states, text(op.Failure))
		}
	}
}

// becomes waits until an operation is in a state that it does not stay in.
func (o *office) becomes(t *testing.T, id string, state provision.State) client.Operation {
	t.Helper()
	var op client.Operation
	require.Eventually(t, func() bool {
		op = o.reads(t, id)
		return op.State == string(state)
	}, patience, often, "operation %s becomes %s", id, state)
	return op
}

// decides has somebody decide on the plan that there is.
func (o *office) decides(t *testing.T, who string, op client.Operation, decision string) (client.Operation, error) {
	t.Helper()
	return o.as(who).CreateApproval(t.Context(), op.ID, client.NewDecision{Decision: decision, PlanDigest: op.PlanDigest, Comment: "I looked at it"})
}

func (o *office) approves(t *testing.T, op client.Operation) {
	t.Helper()
	_, err := o.decides(t, anna, op, provision.Approve)
	require.NoError(t, err)
}

// events are all of an operation's.
func (o *office) events(t *testing.T, id string) (all []client.Event) {
	t.Helper()
	for after := int64(0); ; after = all[len(all)-1].Seq {
		page, err := o.as(anna).ListEvents(t.Context(), id, client.ListEventsParams{After: after, Limit: 200})
		require.NoError(t, err)
		all = append(all, page.Items...)
		if len(page.Items) == 0 || page.NextCursor == "" {
			return all
		}
	}
}

// way are the states that an operation has been in.
func (o *office) way(t *testing.T, id string) (states []string) {
	t.Helper()
	for _, e := range o.events(t, id) {
		var to struct{ To string }
		if require.NoError(t, json.Unmarshal(e.Data, &to)); e.Type == string(provision.EventState) {
			states = append(states, to.To)
		}
	}
	return states
}

// done waits until so many resources of an operation are done in a phase, and
// returns at once then.
func (o *office) done(t *testing.T, id string, phase provision.Phase, many int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	n := 0
	for e, err := range o.as(anna).Events(ctx, id, 0) {
		require.NoError(t, err)
		var data struct{ Phase, Status string }
		require.NoError(t, json.Unmarshal(e.Data, &data))
		if e.Type == string(provision.EventResource) && data.Phase == string(phase) && data.Status == "done" {
			n++
		}
		if n >= many {
			return
		}
	}
	require.Failf(t, "the operation has ended", "%d of %d resources were done in %s: %s", n, many, phase, text(o.reads(t, id)))
}

func text(v any) string {
	out, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(out)
}
