package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"
	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"

	"redoubt/automation/engine"
	"redoubt/automation/identity"
	"redoubt/automation/oidc"
	"redoubt/automation/provision"
	"redoubt/automation/redact"
)

// signIns are this user's sign-ins through identity providers, by server. Tokens are
// where the Pulumi CLI has its own; what renews them is in a file beside that, which
// the CLI does not read: it would take a refresh token to be one of Pulumi Cloud's.
type signIns struct{}

// signIn is one of them. Issuer and client are those of the sign-in: a server that
// names others later gets nobody's refresh token sent there.
type signIn struct {
	identity.SignIn
	// Subject is who signed in: a renewal is of the same person.
	Subject string `json:"subject"`
	Refresh string `json:"refresh_token"`
}

const (
	signInsFile = "redoubt-signins.json"
	// renewBefore is how long before its end a token is renewed: a command that has
	// begun with it goes on with it.
	renewBefore = time.Minute
	// renewFor is how long a renewal may take, with those of other commands before it.
	renewFor = 30 * time.Second
)

// folder is where the Pulumi CLI keeps its credentials.
func (signIns) folder() (string, error) {
	if folder := os.Getenv(workspace.PulumiCredentialsPathEnvVar); folder != "" {
		return folder, nil
	}
	return workspace.GetPulumiHomeDir()
}

// locked runs do with the sign-ins, alone of all commands of the user: of two that
// renew at once with the same refresh token an issuer that rotates them would take the
// second for a thief. What do changes is kept, also where it fails.
func (s signIns) locked(ctx context.Context, do func(map[string]signIn) error) error {
	folder, err := s.folder()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	lock := flock.New(filepath.Join(folder, signInsFile+".lock"), flock.SetPermissions(0o600))
	ctx, cancel := context.WithTimeout(ctx, renewFor)
	defer cancel()
	if _, err := lock.TryLockContext(ctx, 20*time.Millisecond); err != nil {
		return fmt.Errorf("the sign-ins are being changed by another command: %w", err)
	}
	defer lock.Unlock() //nolint:errcheck // it ends with the process
	path := filepath.Join(folder, signInsFile)
	all := map[string]signIn{}
	text, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(text, &all)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("the sign-ins cannot be read: %w (remove %s, and sign in again)", err, path)
	}
	done := do(all)
	return errors.Join(done, s.write(path, all))
}

// write replaces the file; it never holds half of it.
func (signIns) write(path string, all map[string]signIn) error {
	text, err := json.Marshal(all)
	if err != nil {
		return err
	}
	file, err := os.CreateTemp(filepath.Dir(path), signInsFile+".") // 0600
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	if err = errors.Join(err, file.Close()); err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return nil
}

// begin stores what somebody has just signed in with.
func (s signIns) begin(address, subject string, got signedIn) error {
	return s.locked(context.Background(), func(all map[string]signIn) error {
		delete(all, address)
		if got.Refresh != "" {
			all[address] = signIn{got.SignIn, got.Name, got.Refresh}
		}
		return s.store(address, subject, got.Login, true)
	})
}

// store stores a token for all commands, readable by its owner alone.
func (s signIns) store(address, username string, got oidc.Login, current bool) error {
	account := workspace.Account{Username: username, LastValidatedAt: time.Now().UTC()}
	account.SetCredentials(got.Token, got.Expires, "")
	if err := workspace.StoreAccount(address, account, current); err != nil {
		return fmt.Errorf("the credential could not be stored: %w (without storing it: set REDOUBT_URL and REDOUBT_TOKEN)", err)
	}
	folder, err := s.folder()
	if err != nil {
		return err
	}
	return os.Chmod(filepath.Join(folder, "credentials.json"), 0o600)
}

// ends says whether a token is about to, or has.
func ends(a workspace.Account) bool {
	return a.TokenInformation != nil && a.TokenInformation.ExpiresAt != nil && time.Until(*a.TokenInformation.ExpiresAt) < renewBefore
}

// token is an account's token, renewed where it is about to end and can be.
func (s signIns) token(ctx context.Context, address string, account workspace.Account) (string, error) {
	if !ends(account) {
		return account.AccessToken, nil
	}
	token := account.AccessToken
	err := s.locked(ctx, func(all map[string]signIn) error {
		kept, ok := all[address]
		if !ok {
			return nil // the server says what is wrong with it
		}
		stored, err := workspace.GetStoredCredentials()
		if err != nil {
			return err
		}
		if fresh := stored.Accounts[address]; fresh.AccessToken != account.AccessToken && !ends(fresh) {
			token = fresh.AccessToken // another command was faster
			return nil
		}
		got, err := kept.renew(ctx)
		if provision.CodeOf(err) == provision.CodeUnauthenticated {
			delete(all, address)
			return fmt.Errorf("%w (sign in again: redoubt login %s)", err, redact.URL(address))
		}
		if err != nil {
			return err
		}
		kept.Refresh, token = got.Refresh, got.Token
		all[address] = kept
		return s.store(address, account.Username, got, stored.Current == address)
	})
	return token, err
}

// renew gets another token, of the same person.
func (k signIn) renew(ctx context.Context) (oidc.Login, error) {
	provider, err := providerOf(k.SignIn)
	if err != nil {
		return oidc.Login{}, err
	}
	got, err := provider.Renew(ctx, k.Refresh)
	if err == nil && got.Name != k.Subject {
		return oidc.Login{}, provision.Fail(provision.CodeUnauthenticated, "the identity provider renewed the sign-in of somebody else")
	}
	return got, err
}

// end forgets what is known of a server, and has the issuer end its refresh token.
// Where the issuer is away it is forgotten here nevertheless.
func (s signIns) end(ctx context.Context, address string) error {
	return s.locked(ctx, func(all map[string]signIn) error {
		kept, ok := all[address]
		delete(all, address)
		if err := workspace.DeleteAccount(address); err != nil {
			return err
		}
		if !ok {
			return nil
		}
		provider, err := providerOf(kept.SignIn)
		if err == nil {
			err = provider.Revoke(ctx, kept.Refresh)
		}
		if err != nil {
			return fmt.Errorf("the sign-in was forgotten here, and the identity provider was not told to end it: %w", err)
		}
		return nil
	})
}

// client sends the requests of a command with a stored token: one that takes longer
// than the token is good goes on with the next one. It is nil, for the usual one, where
// the token is somebody else's, as that of the environment is, or does not end.
func (signIns) client(found engine.Backend) *http.Client {
	stored, err := workspace.GetStoredCredentials()
	if account := stored.Accounts[found.URL]; err != nil || account.AccessToken != found.Token || account.TokenInformation == nil {
		return nil
	}
	return &http.Client{Transport: renewing{found.URL}}
}

// renewing sends requests to a server with the token that is stored for it.
type renewing struct{ address string }

// RoundTrip implements http.RoundTripper.
func (r renewing) RoundTrip(request *http.Request) (*http.Response, error) {
	stored, err := workspace.GetStoredCredentials()
	if err != nil {
		return nil, err
	}
	token, err := signIns{}.token(request.Context(), r.address, stored.Accounts[r.address])
	if err != nil {
		return nil, err
	}
	request = request.Clone(request.Context())
	scheme, _, _ := strings.Cut(request.Header.Get("Authorization"), " ")
	request.Header.Set("Authorization", scheme+" "+token)
	return http.DefaultTransport.RoundTrip(request)
}
