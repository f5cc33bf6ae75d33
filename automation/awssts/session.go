package awssts

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Session is the credentials of one run.
type Session struct {
	// Role is the ARN of the role that was assumed.
	Role string

	account     Account
	credentials *aws.CredentialsCache
	server      *http.Server
	address     string
	token       string

	mu      sync.Mutex
	last    aws.Credentials
	renewed func(secrets ...string)
}

// handedOn are settings of this process that say how AWS is reached, and no more.
var handedOn = []string{"AWS_CA_BUNDLE", "AWS_USE_DUALSTACK_ENDPOINT", "AWS_USE_FIPS_ENDPOINT"}

// Env is what a run's processes get. There are no credentials in it.
func (s *Session) Env() map[string]string {
	env := map[string]string{
		"AWS_CONTAINER_CREDENTIALS_FULL_URI": s.address,
		"AWS_CONTAINER_AUTHORIZATION_TOKEN":  s.token,
		"AWS_REGION":                         s.account.Region,
		"AWS_DEFAULT_REGION":                 s.account.Region,
	}
	for _, name := range handedOn {
		if value := os.Getenv(name); value != "" {
			env[name] = value
		}
	}
	return env
}

// Secrets are the values that nothing of the run may print; Renewed has later ones
// told, before the run gets them.
func (s *Session) Secrets() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return secretsOf(s.last)
}

// Renewed says who is told of the secrets of later credentials.
func (s *Session) Renewed(tell func(secrets ...string)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.renewed = tell
	tell(secretsOf(s.last)...) // they may have been replaced since Secrets was asked
}

func secretsOf(c aws.Credentials) []string {
	return []string{c.AccessKeyID, c.SecretAccessKey, c.SessionToken}
}

// Close ends the address. What was told holds until it expires.
func (s *Session) Close() error {
	return s.server.Close()
}

// retrieve returns the present credentials, new ones where those end soon.
func (s *Session) retrieve(ctx context.Context) (aws.Credentials, error) {
	now, err := s.credentials.Retrieve(ctx)
	if err != nil {
		return now, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if now.AccessKeyID != s.last.AccessKeyID || now.SessionToken != s.last.SessionToken {
		s.last = now
		if s.renewed != nil {
			s.renewed(secretsOf(now)...)
		}
	}
	return now, nil
}

// serve opens the address. It is this machine's alone, but other users of the
// machine can reach it: who has not the token gets nothing.
func (s *Session) serve() error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s.token = rand.Text()
	s.address = fmt.Sprintf("http://%s/credentials", listener.Addr())
	s.server = &http.Server{Handler: http.HandlerFunc(s.tell), ReadHeaderTimeout: 10 * time.Second, MaxHeaderBytes: 16 << 10}
	go func() { _ = s.server.Serve(listener) }() // until Close
	return nil
}

// tell answers as the container's agent of ECS does.
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
func (s *Session) tell(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	answer := func(status int, v any) {
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(v) // the run is gone: good
	}
	if subtle.ConstantTimeCompare([]byte(r.Header.Get("Authorization")), []byte(s.token)) != 1 || r.URL.Path != "/credentials" {
		answer(http.StatusForbidden, map[string]string{"code": "Forbidden", "message": "these are another run's credentials"})
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), timeout)
	defer cancel()
	c, err := s.retrieve(ctx)
	if err != nil {
		answer(http.StatusBadGateway, map[string]string{"code": "NoCredentials", "message": refusal(err, s.Role, s.account, Request{}).Error()})
		return
	}
	answer(http.StatusOK, map[string]string{
		"AccessKeyId": c.AccessKeyID, "SecretAccessKey": c.SecretAccessKey, "Token": c.SessionToken,
		"Expiration": c.Expires.UTC().Format(time.RFC3339), "AccountId": s.account.ID, "RoleArn": s.Role,
	})
}
