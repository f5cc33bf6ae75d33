package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"

	"redoubt/automation/backend"
	"redoubt/automation/client"
	"redoubt/automation/identity"
	"redoubt/automation/oidc"
	"redoubt/automation/redact"
)

type loginCommand struct {
	URL        string `arg:"" help:"Address of the server." env:"REDOUBT_URL" name:"url"`
	TokenStdin bool   `help:"Read an access token from standard input." name:"token-stdin"`
	NoBrowser  bool   `help:"Show an address and a code, for a browser on another machine." name:"no-browser"`
	JSON       bool   `help:"Print JSON." name:"json"`
}

// Help is the long text of redoubt login --help.
func (loginCommand) Help() string {
	return `Signs in with the access token in REDOUBT_TOKEN or on standard input, else through
the identity provider that the server names, in a browser. What it gets it stores
where the Pulumi CLI has its own (credentials.json, readable by its owner alone), and
there all other commands find it. An identity provider's token ends by itself, often
after an hour: where the provider gives a refresh token, commands renew it, until
redoubt logout or the provider ends that. It does not open the stock Pulumi CLI, which
takes an access token.

Examples:
  redoubt login https://redoubt.example
  redoubt login https://redoubt.example --no-browser
  redoubt login https://redoubt.example --token-stdin < token.txt`
}

// signInPatience is how long somebody may take in the browser.
const signInPatience = 10 * time.Minute

// Run carries the command out.
func (c *loginCommand) Run(ctx context.Context, s *streams) error {
	address := strings.TrimSuffix(c.URL, "/")
	if err := checkServer(address); err != nil {
		return err
	}
	got, err := c.credential(ctx, s, address)
	if err != nil {
		return err
	}
	who, err := whoIs(ctx, address, got.Token)
	if err != nil {
		return err
	}
	if err := (signIns{}).begin(address, who.ID, got); err != nil {
		return err
	}
	return remote{JSON: c.JSON}.print(s, who, func(w io.Writer) {
		fmt.Fprintf(w, "Signed in to %s as %s.\n", redact.URL(address), clean(who.Subject))
		switch {
		case got.Refresh != "":
			fmt.Fprintln(w, "This is renewed by itself, until redoubt logout or the identity provider ends it.")
		case !got.Expires.IsZero():
			fmt.Fprintf(w, "This ends at %s; redoubt login renews it.\n", dateText(got.Expires, ""))
		}
	})
}

// credential is what one signs in with.
func (c *loginCommand) credential(ctx context.Context, s *streams, address string) (got signedIn, err error) {
	switch token := os.Getenv("REDOUBT_TOKEN"); {
	case c.TokenStdin:
		text, err := io.ReadAll(io.LimitReader(s.in, 64<<10))
		if err != nil {
			return got, err
		}
		token := strings.TrimSpace(string(text))
		if token == "" || strings.ContainsAny(token, " \r\n\t") {
			return got, errors.New("standard input has no access token: one line, redoubt_…")
		}
		return signedIn{Login: oidc.Login{Token: token}}, nil
	case token != "":
		return signedIn{Login: oidc.Login{Token: token}}, nil
	}
	offered, err := signInOptions(ctx, address)
	if err != nil {
		return got, err
	}
	if offered.Issuer == "" {
		return got, fmt.Errorf("%s has no identity provider: sign in with an access token, in REDOUBT_TOKEN or by --token-stdin (an administrator makes one: redoubt token create)", redact.URL(address))
	}
	got.SignIn = offered
	provider, err := providerOf(offered)
	if err != nil {
		return got, fmt.Errorf("what %s says of its identity provider is not good: %w", redact.URL(address), err)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, signInPatience, fmt.Errorf("that took more than %s", signInPatience))
	defer cancel()
	if c.NoBrowser {
		got.Login, err = provider.LogInElsewhere(ctx, func(d oidc.Device) error {
			fmt.Fprintf(s.err, "Open %s in a browser, and type the code %s\n", clean(d.Address), clean(d.Code))
			if d.Complete != "" {
				fmt.Fprintf(s.err, "or open %s\n", clean(d.Complete))
			}
			return nil
		})
		return got, err
	}
	got.Login, err = provider.LogIn(ctx, func(page string) error {
		fmt.Fprintf(s.err, "Sign in with %s in the browser. Where none opens, open this address, on this machine (or use --no-browser):\n%s\n", clean(offered.Issuer), clean(page))
		browse(ctx, page)
		return nil
	})
	return got, err
}

// signedIn is what somebody signed in with, and where; nowhere with an access token.
type signedIn struct {
	identity.SignIn
	oidc.Login
}

// providerOf is an identity provider as a command line signs in with it.
func providerOf(s identity.SignIn) (*oidc.Provider, error) {
	return oidc.New(oidc.Config{Issuer: s.Issuer, ClientID: s.ClientID, Offline: true})
}

// browse opens a page in the person's browser. Where that fails they have read the
// address.
func browse(ctx context.Context, page string) {
	command := []string{"xdg-open"}
	switch chosen := os.Getenv("BROWSER"); {
	case chosen != "":
		command = []string{chosen}
	case runtime.GOOS == "darwin":
		command = []string{"open"}
	case runtime.GOOS == "windows":
		command = []string{"rundll32", "url.dll,FileProtocolHandler"}
	}
	opened := exec.CommandContext(context.WithoutCancel(ctx), command[0], append(command[1:], page)...)
	if opened.Start() == nil {
		go opened.Wait() //nolint:errcheck // the browser's own affair
	}
}

// maxOptions is more than the ways to sign in to a server take, in bytes.
const maxOptions = 64 << 10

// signInOptions asks a server how one signs in; the zero value for access tokens
// alone.
func signInOptions(ctx context.Context, address string) (o identity.SignIn, err error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address+"/auth/options", nil)
	if err != nil {
		return o, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return o, fmt.Errorf("%s does not answer (is it the address of a server of Redoubt, and does that run?): %w", redact.URL(address), errors.Unwrap(err))
	}
	defer response.Body.Close() //nolint:errcheck // it was read
	switch {
	case response.StatusCode == http.StatusNotFound:
		return o, nil // it keeps states alone
	case response.StatusCode != http.StatusOK:
		return o, fmt.Errorf("%s answered %s: it is no server of Redoubt", redact.URL(address), response.Status)
	}
	if err := json.NewDecoder(io.LimitReader(response.Body, maxOptions)).Decode(&o); err != nil {
		return o, fmt.Errorf("%s does not say how one signs in: it is no server of Redoubt, or an older one", redact.URL(address))
	}
	return o, nil
}

type logoutCommand struct {
	remote
}

// Help is the long text of redoubt logout --help.
func (logoutCommand) Help() string {
	return `Forgets the credential of a server on this machine, and has the identity provider end
the sign-in. An access token goes on to be good: redoubt token revoke ends it.

Examples:
  redoubt logout
  redoubt logout --url https://redoubt.example`
}

// Run carries the command out.
func (c *logoutCommand) Run(ctx context.Context, s *streams) error {
	stored, err := workspace.GetStoredCredentials()
	if err != nil {
		return fmt.Errorf("the credentials of the Pulumi CLI cannot be read: %w", err)
	}
	address := strings.TrimSuffix(first(c.URL, stored.Current), "/")
	_, account := stored.Accounts[address]
	if _, token := stored.AccessTokens[address]; address == "" || !account && !token {
		return fmt.Errorf("nobody is signed in to %s here", first(redact.URL(address), "any server"))
	}
	if err := (signIns{}).end(ctx, address); err != nil {
		return err
	}
	return c.print(s, map[string]string{"signed_out": address}, func(w io.Writer) { fmt.Fprintf(w, "Signed out of %s.\n", redact.URL(address)) })
}

type whoamiCommand struct{ remote }

// Help is the long text of redoubt whoami --help.
func (whoamiCommand) Help() string {
	return `Examples:
  redoubt whoami
  redoubt whoami --json | jq -r .subject`
}

// Run carries the command out.
func (c *whoamiCommand) Run(ctx context.Context, s *streams) error {
	found, err := login(c.URL)
	if err != nil {
		return err
	}
	who, err := whoIs(ctx, found.URL, found.Token)
	if err != nil {
		return err
	}
	return c.print(s, who, func(w io.Writer) {
		fmt.Fprintf(w, "Server\t%s\nYou are\t%s\n", redact.URL(found.URL), clean(who.Subject))
		if who.Human != "" && who.Human != who.ID {
			fmt.Fprintf(w, "For\t%s\n", clean(who.Human))
		}
		fmt.Fprintf(w, "Groups\t%s\n", orText(clean(strings.Join(who.Groups, ", ")), "none"))
		fmt.Fprintf(w, "By\t%s\nSecond factor\t%s\n", orText(clean(strings.TrimSpace(who.AuthMethod+" "+who.Token)), "?"), yesOrNo(who.SecondFactor))
	})
}

// whoIs asks a server whom a token speaks for: over the API, or, where the server
// keeps states alone, as the Pulumi CLI asks.
func whoIs(ctx context.Context, address, token string) (client.WhoAmI, error) {
	who, err := (&client.Client{URL: address, Token: token}).WhoAmI(ctx)
	if err == nil || client.CodeOf(err) != "" || !strings.HasPrefix(token, backend.TokenPrefix) {
		return who, signInAgain(err, address)
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	request, failed := http.NewRequestWithContext(ctx, http.MethodGet, address+"/api/user", nil)
	if failed != nil {
		return who, failed
	}
	request.Header.Set("Authorization", "token "+token)
	response, failed := http.DefaultClient.Do(request)
	if failed != nil {
		return who, err // which says that it does not answer
	}
	defer response.Body.Close() //nolint:errcheck // it was read
	if response.StatusCode == http.StatusUnauthorized {
		return who, fmt.Errorf("%s does not know the token, or it has ended", redact.URL(address))
	}
	var user struct {
		Name string `json:"githubLogin"`
	}
	if json.NewDecoder(io.LimitReader(response.Body, maxOptions)).Decode(&user) != nil || response.StatusCode != http.StatusOK || user.Name == "" {
		return who, err
	}
	return client.WhoAmI{Type: "user", ID: user.Name, Groups: []string{}, AuthMethod: "token", Subject: "user:" + user.Name}, nil
}

// signInAgain says what helps where a credential is not believed.
func signInAgain(err error, address string) error {
	if client.CodeOf(err) != "unauthenticated" {
		return err
	}
	u, failed := url.Parse(address)
	if failed != nil {
		return err
	}
	return fmt.Errorf("%w (sign in again: redoubt login %s)", err, u.Redacted())
}
