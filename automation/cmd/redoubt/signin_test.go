package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/automation/api"
	"redoubt/automation/backend"
	"redoubt/automation/client"
	"redoubt/automation/identity"
	"redoubt/automation/oidc"
	"redoubt/automation/oidc/oidctest"
)

// gate is an office that people sign in to, by access tokens and, where it has an
// issuer, as bob of that.
type gate struct {
	*office
	issuer *oidctest.Provider
	url    string
	home   string
}

func openGate(t *testing.T, withIssuer bool) *gate {
	t.Helper()
	g := &gate{office: openOffice(t), home: t.TempDir()}
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	g.url = server.URL
	o := identity.Options{Backend: g.stacks}
	if withIssuer {
		g.issuer = oidctest.Start(t)
		g.issuer.Add("bob", oidctest.Person{Methods: []string{"pwd", "otp"}, Claims: map[string]any{"groups": []string{"shop"}}})
		var err error
		o.OIDC, err = oidc.New(oidc.Config{Issuer: g.issuer.Issuer, ClientID: oidctest.ClientID, LoginClientID: oidctest.LoginClientID})
		require.NoError(t, err)
	}
	who := identity.New(o)
	mux.Handle("/auth/", identity.Browser{Identifier: who, Public: g.url}.Handler())
	mux.Handle("/v1/", api.New(g.service, api.Options{Identify: who.Identify}))
	return g
}

// run runs redoubt with what it has stored before. Nothing of it opens a browser.
func (g *gate) run(t *testing.T, typed string, env []string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	p := exec.Command(os.Args[0], args...)
	p.Env = append([]string{asRedoubt + "=1", "PATH=" + os.Getenv("PATH"), "PULUMI_HOME=" + g.home, "BROWSER=/bin/true"}, env...)
	var out, err bytes.Buffer
	p.Stdin, p.Stdout, p.Stderr = strings.NewReader(typed), &out, &err
	_ = p.Run() // the exit code says it
	return p.ProcessState.ExitCode(), out.String(), err.String()
}

// begin starts redoubt login and returns what it says when it says so.
func (g *gate) begin(t *testing.T, say string, args ...string) (*process, []string) {
	t.Helper()
	p := begin(t, []string{"PULUMI_HOME=" + g.home, "BROWSER=/bin/true"}, append([]string{"login", g.url}, args...)...)
	form := regexp.MustCompile(say)
	require.Eventually(t, func() bool { return form.MatchString(p.err.String()) || exited(p) }, patience, 10*time.Millisecond)
	found := form.FindStringSubmatch(p.err.String())
	require.NotNil(t, found, "%s\n%s", p.out, p.err)
	return p, found
}

func TestLoginWithAToken(t *testing.T) {
	t.Parallel()
	g := openGate(t, false)
	code, _, stderr := g.run(t, "", nil, "login", g.url)
	require.Equal(t, exitError, code)
	require.Contains(t, stderr, "has no identity provider: sign in with an access token, in REDOUBT_TOKEN or by --token-stdin")
	code, _, stderr = g.run(t, "redoubt_made_up\n", nil, "login", g.url, "--token-stdin")
	require.Equal(t, exitError, code)
	require.Contains(t, stderr, "sign in again: redoubt login "+g.url)
	require.NoFileExists(t, filepath.Join(g.home, "credentials.json"), "what is not good is not kept")
	code, _, stderr = g.run(t, "\n", nil, "login", g.url, "--token-stdin")
	require.Equal(t, exitError, code)
	require.Contains(t, stderr, "has no access token")

	code, stdout, stderr := g.run(t, g.admin+"\n", nil, "login", g.url+"/", "--token-stdin")
	require.Equal(t, exitOK, code, stderr)
	require.Equal(t, "Signed in to "+g.url+" as user:admin.\n", stdout)
	info, err := os.Stat(filepath.Join(g.home, "credentials.json"))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())

	// Other commands find it, and the environment wins over it.
	code, stdout, stderr = g.run(t, "", nil, "whoami")
	require.Equal(t, exitOK, code, stderr)
	require.Regexp(t, `(?s)Server +`+g.url+`\nYou are +user:admin\nGroups +none\nBy +token tok_\w+\nSecond factor +no`, stdout)
	admin, err := g.stacks.Authenticate(t.Context(), g.admin)
	require.NoError(t, err)
	_, deploy, err := g.stacks.CreateToken(t.Context(), admin, backend.NewToken{
		Name: "ci", Principal: "sa:deploy", Human: "alice", Groups: []string{"builders"}, Grants: []backend.Grant{{Stacks: "acme/*/*", Verbs: []backend.Verb{backend.Read}}},
	})
	require.NoError(t, err)
	code, stdout, stderr = g.run(t, "", []string{"REDOUBT_TOKEN=" + deploy}, "whoami", "--json")
	require.Equal(t, exitOK, code, stderr)
	var who client.WhoAmI
	require.NoError(t, json.Unmarshal([]byte(stdout), &who))
	require.Equal(t, []string{"service_account:deploy", "alice", "builders"}, []string{who.Subject, who.Human, strings.Join(who.Groups, " ")})

	code, stdout, _ = g.run(t, "", nil, "logout")
	require.Equal(t, exitOK, code)
	require.Equal(t, "Signed out of "+g.url+".\n", stdout)
	code, _, stderr = g.run(t, "", nil, "logout")
	require.Equal(t, exitError, code)
	require.Contains(t, stderr, "nobody is signed in")
	code, _, stderr = g.run(t, "", nil, "whoami")
	require.Equal(t, exitError, code)
	require.Contains(t, stderr, "redoubt login URL")

	code, stdout, stderr = g.run(t, "", []string{"REDOUBT_TOKEN=" + deploy}, "login", g.url)
	require.Equal(t, exitOK, code, stderr)
	require.Contains(t, stdout, "as service_account:deploy")
}

func TestLoginThroughTheIdentityProvider(t *testing.T) {
	t.Parallel()
	g := openGate(t, true)
	p, page := g.begin(t, `(?m)^(http://\S+/authorize\?\S+)$`)
	answer, err := oidctest.Browser(t, "bob").Get(page[1])
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	require.Equal(t, http.StatusOK, answer.StatusCode)
	require.Equal(t, exitOK, p.end(t), p.err)
	require.Contains(t, p.out.String(), "as user:bob")
	require.Contains(t, p.out.String(), "redoubt login renews it")
	require.NotContains(t, p.out.String()+p.err.String(), "eyJ", "the token is nobody's to see")
	code, stdout, stderr := g.run(t, "", nil, "whoami")
	require.Equal(t, exitOK, code, stderr)
	require.Regexp(t, `(?s)user:bob\nGroups +shop\nBy +oidc\nSecond factor +(yes|no)`, stdout)
	code, _, stderr = g.run(t, "", nil, "project", "create", "acme/shop")
	require.Equal(t, exitOK, code, stderr)
}

func TestLoginWithABrowserElsewhere(t *testing.T) {
	t.Parallel()
	g := openGate(t, true)
	p, code := g.begin(t, `type the code (\S+)\n`, "--no-browser")
	g.issuer.Code(t, code[1], "bob", true)
	require.Equal(t, exitOK, p.end(t), p.err)
	require.Contains(t, p.out.String(), "as user:bob")

	p, code = g.begin(t, `type the code (\S+)\n`, "--no-browser")
	g.issuer.Code(t, code[1], "bob", false)
	require.Equal(t, exitError, p.end(t))
	require.Contains(t, p.err.String(), "refused in the browser")
}

func TestLoginToWhatIsNoServer(t *testing.T) {
	t.Parallel()
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) }))
	t.Cleanup(other.Close)
	for url, want := range map[string]string{other.URL: "no server of Redoubt", "redoubt.example": "is no address of a server", "http://127.0.0.1:1": "does not answer"} {
		code, _, stderr := ask(t, nil, "login", url)
		require.Equal(t, exitError, code)
		require.Contains(t, stderr, want)
	}
}
