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
	"sync"
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
	require.Contains(t, p.out.String(), "This is renewed by itself")
	require.NotContains(t, p.out.String()+p.err.String(), "eyJ", "the token is nobody's to see")
	code, stdout, stderr := g.run(t, "", nil, "whoami")
	require.Equal(t, exitOK, code, stderr)
	require.Regexp(t, `(?s)user:bob\nGroups +shop\nBy +oidc\nSecond factor +(yes|no)`, stdout)
	code, _, stderr = g.run(t, "", nil, "project", "create", "acme/shop")
	require.Equal(t, exitOK, code, stderr)
}

// signsIn signs bob in.
func (g *gate) signsIn(t *testing.T) {
	t.Helper()
	p, page := g.begin(t, `(?m)^(http://\S+/authorize\?\S+)$`)
	answer, err := oidctest.Browser(t, "bob").Get(page[1])
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	require.Equal(t, exitOK, p.end(t), p.err)
}

// refresh is the refresh token that is stored; empty for none.
func (g *gate) refresh(t *testing.T) string {
	t.Helper()
	path := filepath.Join(g.home, "redoubt-signins.json")
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	var stored map[string]struct {
		Refresh string `json:"refresh_token"`
	}
	require.NoError(t, json.Unmarshal(text, &stored))
	return stored[g.url].Refresh
}

// The tokens live for less than commands want before them: each command renews.
func TestASignInIsRenewed(t *testing.T) {
	t.Parallel()
	g := openGate(t, true)
	g.issuer.Lifetime(30 * time.Second)
	g.signsIn(t)
	first := g.refresh(t)
	require.True(t, g.issuer.Renewable(t, first))
	text, err := os.ReadFile(filepath.Join(g.home, "credentials.json"))
	require.NoError(t, err)
	require.NotContains(t, string(text), first, "the Pulumi CLI does not get it")

	code, stdout, stderr := g.run(t, "", nil, "whoami")
	require.Equal(t, exitOK, code, stderr)
	require.Contains(t, stdout, "user:bob")
	second := g.refresh(t)
	require.NotEqual(t, first, second, "the issuer rotates it")
	require.False(t, g.issuer.Renewable(t, first))
	require.True(t, g.issuer.Renewable(t, second))

	// Many at once, of which none uses what another one has used already.
	var all sync.WaitGroup
	codes, texts := make([]int, 6), make([]string, 6)
	for i := range codes {
		all.Go(func() { codes[i], _, texts[i] = g.run(t, "", nil, "project", "list") })
	}
	all.Wait()
	require.Equal(t, make([]int, 6), codes, texts)
	require.True(t, g.issuer.Renewable(t, g.refresh(t)))

	// A token that is good for long is not renewed.
	g.issuer.Lifetime(time.Hour)
	for range 2 {
		code, _, stderr = g.run(t, "", nil, "whoami")
		require.Equal(t, exitOK, code, stderr)
	}
	kept := g.refresh(t)
	code, _, stderr = g.run(t, "", nil, "whoami")
	require.Equal(t, exitOK, code, stderr)
	require.Equal(t, kept, g.refresh(t))

	code, _, stderr = g.run(t, "", nil, "logout")
	require.Equal(t, exitOK, code, stderr)
	require.Empty(t, g.refresh(t))
	require.False(t, g.issuer.Renewable(t, kept), "the issuer was told")
	require.NotContains(t, stdout+stderr, kept)
}

func TestASignInThatIsNotRenewed(t *testing.T) {
	t.Parallel()
	g := openGate(t, true)
	g.issuer.Lifetime(30 * time.Second)
	g.signsIn(t)
	kept := g.refresh(t)

	// An issuer that is away is asked again by the next command.
	g.issuer.Down(true)
	code, _, stderr := g.run(t, "", nil, "whoami")
	require.Equal(t, exitError, code)
	require.Contains(t, stderr, "does not answer")
	require.Equal(t, kept, g.refresh(t))
	g.issuer.Down(false)

	// One that refuses is not asked again.
	g.issuer.SignOut(t, "bob")
	code, _, stderr = g.run(t, "", nil, "project", "list")
	require.Equal(t, exitError, code)
	require.Contains(t, stderr, "the sign-in has ended: the identity provider does not renew it (\"invalid_grant\") (sign in again: redoubt login "+g.url+")")
	require.NotContains(t, stderr, kept)
	require.Empty(t, g.refresh(t))

	// Signing in again makes it good; and who signs out while the issuer is away is
	// signed out here.
	g.signsIn(t)
	g.issuer.Down(true)
	code, _, stderr = g.run(t, "", nil, "logout")
	require.Equal(t, exitError, code)
	require.Contains(t, stderr, "the sign-in was forgotten here, and the identity provider was not told to end it")
	require.Empty(t, g.refresh(t))
	code, _, stderr = g.run(t, "", nil, "whoami")
	require.Equal(t, exitError, code)
	require.Contains(t, stderr, "redoubt login URL")
}

// An access token replaces a sign-in, and what renewed that goes.
func TestAnAccessTokenReplacesASignIn(t *testing.T) {
	t.Parallel()
	g := openGate(t, true)
	g.signsIn(t)
	require.NotEmpty(t, g.refresh(t))
	code, _, stderr := g.run(t, g.admin+"\n", nil, "login", g.url, "--token-stdin")
	require.Equal(t, exitOK, code, stderr)
	require.Empty(t, g.refresh(t))
	code, stdout, stderr := g.run(t, "", nil, "whoami")
	require.Equal(t, exitOK, code, stderr)
	require.Contains(t, stdout, "user:admin")
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
