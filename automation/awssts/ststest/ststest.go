// Package ststest serves as much of AWS STS as roles need, over its own protocol
// (AWS Query), to the real SDK.
package ststest

import (
	"crypto/rand"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// Said is in the words of each refusal.
const Said = "User: arn:aws:sts::999988887777:assumed-role/server/i-0 is not authorized"

// Call is one AssumeRole.
type Call struct {
	Role, SessionName, ExternalID, Duration, Policy string
	Tags                                            map[string]string
	Authorization                                   string
	// AccessKeyID, Secret and Token are what was answered.
	AccessKeyID, Secret, Token string
}

// Service is STS; the zero value answers.
type Service struct {
	// Lasts is how long credentials hold, whatever was asked for; 0 for that.
	Lasts time.Duration

	mu     sync.Mutex
	calls  []Call
	refuse string
}

// Serve serves it until the test ends, and returns the address.
func (s *Service) Serve(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return server.URL
}

// Refuse has it refuse with an error code; empty for no more.
func (s *Service) Refuse(code string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuse = code
}

// Calls are those that were answered with credentials, from the first.
func (s *Service) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Call(nil), s.calls...)
}

// Role is that of an access key; empty for one that was never given.
func (s *Service) Role(accessKeyID string) string {
	for _, c := range s.Calls() {
		if c.AccessKeyID == accessKeyID {
			return c.Role
		}
	}
	return ""
}

// ServeHTTP implements http.Handler.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w.Header().Set("Content-Type", "text/xml")
	if err := r.ParseForm(); err != nil || r.Form.Get("Action") != "AssumeRole" {
		fail(w, "InvalidAction")
		return
	}
	if s.refuse != "" {
		fail(w, s.refuse)
		return
	}
	c := Call{
		Role: r.Form.Get("RoleArn"), SessionName: r.Form.Get("RoleSessionName"), ExternalID: r.Form.Get("ExternalId"), Duration: r.Form.Get("DurationSeconds"),
		Policy: r.Form.Get("Policy"), Tags: tags(r.Form), Authorization: r.Header.Get("Authorization"),
		AccessKeyID: "ASIA" + rand.Text()[:16], Secret: "secret+" + rand.Text(), Token: "session/" + rand.Text(),
	}
	s.calls = append(s.calls, c)
	lasts := s.Lasts
	if lasts == 0 {
		seconds, err := time.ParseDuration(c.Duration + "s")
		if err != nil {
			fail(w, "ValidationError")
			return
		}
		lasts = seconds
	}
	fmt.Fprintf(w, `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>`+
		`<AssumedRoleUser><Arn>%s/%s</Arn><AssumedRoleId>AROA:%s</AssumedRoleId></AssumedRoleUser>`+
		`<Credentials><AccessKeyId>%s</AccessKeyId><SecretAccessKey>%s</SecretAccessKey><SessionToken>%s</SessionToken><Expiration>%s</Expiration></Credentials>`+
		`</AssumeRoleResult></AssumeRoleResponse>`,
		strings.Replace(c.Role, ":iam:", ":sts:", 1), c.SessionName, c.SessionName, c.AccessKeyID, c.Secret, c.Token, time.Now().Add(lasts).UTC().Format(time.RFC3339))
}

// tags are a request's session tags.
func tags(form url.Values) map[string]string {
	all := map[string]string{}
	for i := 1; form.Has(fmt.Sprintf("Tags.member.%d.Key", i)); i++ {
		all[form.Get(fmt.Sprintf("Tags.member.%d.Key", i))] = form.Get(fmt.Sprintf("Tags.member.%d.Value", i))
	}
	return all
}

func fail(w http.ResponseWriter, code string) {
	w.WriteHeader(http.StatusForbidden)
	_ = xml.NewEncoder(w).Encode(struct {
		XMLName xml.Name `xml:"ErrorResponse"`
		Code    string   `xml:"Error>Code"`
		Message string   `xml:"Error>Message"`
	}{Code: code, Message: Said}) // a client that is gone
}
