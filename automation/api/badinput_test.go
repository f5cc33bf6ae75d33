package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/automation/api"
	"redoubt/automation/identity"
	"redoubt/automation/oidc"
	"redoubt/automation/oidc/oidctest"
	"redoubt/automation/provision"
)

// attack is one thing that is wrong with a request, of any endpoint.
type attack struct {
	name string
	who  string
	// change makes a good request a bad one; it is false where that is nothing to the
	// endpoint.
	change func(r *request) bool
	// status and code are what must be answered; codes may depend on the endpoint.
	codes []string
	// audited says that it must be an entry of the audit log.
	audited bool
}

// request is one before it is sent.
type request struct {
	method, path, body string
	headers            []string
	row                access
	foreign            string // path with another project's ids, empty where it has none
	foreignBody        string
}

// hostile are texts that have been somebody's way in.
var hostile = []string{
	"..", "--help", "$(id)", "'; DROP TABLE stacks; --", "<script>alert(1)</script>", "{{7*7}}", "a\u202eb", "\u0000", strings.Repeat("x", 20_000), "%s%n", "prod\n", "-s",
}

// fields are the fields of a body, by name.
func (r *request) fields() map[string]any {
	fields := map[string]any{}
	_ = json.Unmarshal([]byte(r.body), &fields) // "" has none
	return fields
}

// set writes a body anew.
func (r *request) set(fields map[string]any) bool {
	text, err := json.Marshal(fields)
	if err != nil {
		panic(err)
	}
	r.body = string(text)
	return true
}

// attacks are all of them.
func attacks() []attack {
	list := []attack{
		{"an oversized body", "root", func(r *request) bool { r.body = `{"x":"` + strings.Repeat("x", 2<<20) + `"}`; return true }, []string{"too_large"}, false},
		{"an unknown field", "root", func(r *request) bool {
			fields := r.fields()
			fields["nobody_knows"] = 1
			return r.body != "" && r.set(fields)
		}, []string{"validation_failed"}, false},
		{"an unknown parameter", "root", func(r *request) bool {
			join := "?"
			if strings.Contains(r.path, "?") {
				join = "&"
			}
			r.path += join + "nobody_knows=1"
			return true
		}, []string{"validation_failed"}, false},
		{"no JSON", "root", func(r *request) bool { given := r.body != ""; r.body = "{"; return given }, []string{"malformed"}, false},
		{"a list for an object", "root", func(r *request) bool { given := r.body != ""; r.body = "[]"; return given }, []string{"validation_failed"}, false},
		{"wrong types", "root", func(r *request) bool {
			fields := r.fields()
			for name := range fields {
				fields[name] = map[string]any{"a": []int{1}}
			}
			return r.body != "" && r.set(fields)
		}, []string{"validation_failed"}, false},
		{"no token", "", func(*request) bool { return true }, []string{"unauthenticated"}, false},
		{"an expired token", "expired", func(*request) bool { return true }, []string{"unauthenticated"}, false},
		{"a foreign project's ids", "alice", func(r *request) bool {
			if r.foreign == "" {
				return false
			}
			r.path, r.body = r.foreign, r.foreignBody
			return true
		}, []string{"not_found"}, true},
		{"what the role does not allow", "victor", func(r *request) bool { return r.row.victor == refused }, []string{"forbidden"}, true},
	}
	for i, text := range hostile {
		list = append(list, attack{fmt.Sprintf("hostile text %d in every field", i), "root", func(r *request) bool {
			fields := r.fields()
			texts := 0
			for name, value := range fields {
				if _, ok := value.(string); ok && !slices.Contains(freeTexts, name) {
					fields[name] = text
					texts++
				}
			}
			return texts > 0 && r.set(fields)
		}, []string{"validation_failed", "not_found", "conflict"}, false})
	}
	return list
}

// freeTexts are for people to write what they like: a description may have any text.
var freeTexts = []string{"reason", "description"}

// unharmed is everything that a request might change, but for refusals in the audit
// log.
func (w *world) unharmed(t *testing.T) string {
	t.Helper()
	var all []any
	require.NoError(t, w.store.View(t.Context(), func(tx provision.Tx) error {
		keep := func(v any, err error) {
			require.NoError(t, err)
			all = append(all, v)
		}
		keep(tx.Projects("", "", 0))
		keep(tx.Environments(provision.EnvironmentQuery{}))
		keep(tx.Operations(provision.OperationQuery{}))
		keep(tx.Bindings())
		keep(tx.Webhooks("acme"))
		keep(tx.Deliveries(w.hook.ID, "", 0))
		keep(tx.Waivers(w.shop.ID))
		keep(tx.Waivers(w.bank.ID))
		keep(tx.AccessTokens("", "", 0))
		keep(tx.Stack(w.stack.Name))
		entries, err := tx.Audit(0, 0)
		for _, e := range entries {
			if !e.Denied {
				keep(e, err)
			}
		}
		return nil
	}))
	paused, err := w.queues.Paused(t.Context(), "default")
	require.NoError(t, err)
	text, err := json.Marshal(append(all, paused))
	require.NoError(t, err)
	return string(text)
}

// denied counts the refusals in the audit log.
func (w *world) denied(t *testing.T) (n int) {
	t.Helper()
	require.NoError(t, w.store.View(t.Context(), func(tx provision.Tx) error {
		entries, err := tx.Audit(0, 0)
		for _, e := range entries {
			if e.Denied {
				n++
			}
		}
		return err
	}))
	return n
}

// Bad input of every kind, to every endpoint: the right code, nothing changed, and an
// entry in the audit log where somebody tried what they may not.
func TestBadInput(t *testing.T) {
	t.Parallel()
	for _, a := range attacks() {
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			w := open(t)
			before, tried := w.unharmed(t), 0
			for route, row := range matrix {
				r := w.good(route, row)
				if !a.change(r) {
					continue
				}
				tried++
				denied := w.denied(t)
				got := w.ask(t, a.who, r.method, r.path, r.body, r.headers...)
				p := got.problem(t)
				require.Contains(t, a.codes, string(p.Code), "%s: %s", route, got.body)
				require.NotContains(t, string(got.body), "DROP TABLE stacks; --\"}", "%s: what was sent is not sent back as it was", route)
				require.Less(t, len(got.body), 8<<10, "%s: the answer is no larger than it must be", route)
				if a.audited && p.Code != "validation_failed" {
					require.Greater(t, w.denied(t), denied, "%s: nobody sees that it was tried", route)
				}
				require.Equal(t, before, w.unharmed(t), "%s changed something", route)
			}
			require.Positive(t, tried)
		})
	}
}

// good is a request that its endpoint takes.
func (w *world) good(route string, row access) *request {
	fixed := strings.NewReplacer("{hook}", w.hook.ID, "{binding}", w.binding.ID, "{delivery}", w.delivery.ID, "{name}", "secure-bucket", "{version}", "1.0.0",
		"{org}", "acme", "{state}", "1", "{token}", w.token.ID, "{account}", "deploy", "{queue}", "default")
	own := strings.NewReplacer("{project}", w.shop.ID, "{stack}", w.stack.ID, "{op}", w.op.ID, "{waiver}", w.shopWaiver.ID)
	other := strings.NewReplacer("{project}", w.bank.ID, "{stack}", w.bankStack.ID, "{op}", w.bankOp.ID, "{waiver}", w.bankWaiver.ID)
	method, path, _ := strings.Cut(route, " ")
	r := &request{method: method, path: fixed.Replace(own.Replace(path)), body: own.Replace(row.body), row: row, headers: []string{"If-Match", `"1"`, "Idempotency-Key", "k"}}
	if foreign := other.Replace(path); foreign != own.Replace(path) || other.Replace(row.body) != r.body {
		r.foreign, r.foreignBody = fixed.Replace(foreign), other.Replace(row.body)
	}
	return r
}

// Hostile text in place of an id is the id of nothing.
func TestHostileIDs(t *testing.T) {
	t.Parallel()
	w := open(t)
	before := w.unharmed(t)
	for route, row := range matrix {
		r := w.good(route, row)
		method, path, _ := strings.Cut(route, " ")
		if !strings.Contains(path, "{") {
			continue
		}
		for _, id := range []string{"..", ".", "%2e%2e", "%00", "--help", "-s", "a%2Fb", "a;b", "*", "x:y", "%F0%9F%A6%8A", strings.Repeat("x", 900), "stk_", "acme"} {
			head, tail, _ := strings.Cut(path, "{")
			_, tail, _ = strings.Cut(tail, "}")
			if strings.HasPrefix(head, "/v1/organizations/") && id == "acme" {
				continue
			}
			target := strings.NewReplacer("{state}", "1", "{version}", "1.0.0").Replace(head + id + tail)
			got := w.ask(t, "root", method, target, r.body, r.headers...)
			require.Contains(t, []int{http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusUnprocessableEntity}, got.status, "%s: %s", target, got.body)
			got.problem(t)
		}
		require.Equal(t, before, w.unharmed(t), "%s changed something", route)
	}
}

// Clocks differ by a little, and no token is good for longer than that.
func TestClocksDiffer(t *testing.T) {
	t.Parallel()
	issuer := oidctest.Start(t)
	issuer.Add("alice", oidctest.Person{})
	provider, err := oidc.New(oidc.Config{Issuer: issuer.Issuer, ClientID: oidctest.ClientID, LoginClientID: oidctest.ClientID})
	require.NoError(t, err)
	who := identity.New(identity.Options{OIDC: provider, Address: func(r *http.Request) string { return r.Header.Get("X-Test-Address") }})
	w := open(t, func(o *api.Options) { o.Identify = who.Identify })
	for i, c := range []struct {
		name                    string
		issued, begins, expires time.Duration
		want                    int
	}{
		{"good", 0, 0, time.Hour, http.StatusOK},
		{"its clock is a minute ahead", time.Minute, time.Minute, time.Hour, http.StatusOK},
		{"its clock is a minute behind", -time.Hour, -time.Hour, -time.Minute, http.StatusOK},
		{"issued in five minutes", 5 * time.Minute, 0, time.Hour, http.StatusUnauthorized},
		{"good in five minutes", 0, 5 * time.Minute, time.Hour, http.StatusUnauthorized},
		{"over for five minutes", -time.Hour, -time.Hour, -5 * time.Minute, http.StatusUnauthorized},
		{"of another century", -90 * 365 * 24 * time.Hour, 0, -80 * 365 * 24 * time.Hour, http.StatusUnauthorized},
	} {
		claims := issuer.Claims("alice")
		claims["iat"], claims["nbf"], claims["exp"] = unixIn(c.issued), unixIn(c.begins), unixIn(c.expires)
		token := issuer.Sign(t, claims)
		got := w.ask(t, token, "GET", "/v1/whoami", "", "X-Test-Address", fmt.Sprintf("192.0.2.%d", i))
		require.Equal(t, c.want, got.status, "%s: %s", c.name, got.body)
		require.NotContains(t, string(got.body), token, "%s", c.name)
		if c.want != http.StatusOK {
			require.Equal(t, provision.CodeUnauthenticated, got.problem(t).Code)
		}
	}
}

func unixIn(d time.Duration) int64 { return time.Now().Add(d).Unix() }
