package transfer

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
)

// service is the API of a Pulumi service, Redoubt's or another: what
// pkg/backend/httpstate/client calls, as far as it is needed to write a state.
type service struct {
	url, token string
	http       *http.Client
}

func newService(url, token string) *service {
	return &service{url: url, token: token, http: &http.Client{Timeout: 10 * time.Minute}}
}

// errNotFound is a 404.
var errNotFound = errors.New("not found")

// do sends a request and reads the answer into out, if that is not nil.
func (s *service) do(ctx context.Context, method, path string, body, out any) error {
	var packed bytes.Buffer
	if body != nil {
		text, err := encode(body)
		if err != nil {
			return err
		}
		z := gzip.NewWriter(&packed)
		if _, err := z.Write(text); err != nil {
			return err
		}
		if err := z.Close(); err != nil {
			return err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, s.url+path, &packed)
	if err != nil {
		return err
	}
	req.Header.Set("Accept", "application/vnd.pulumi+9")
	req.Header.Set("Authorization", "token "+s.token)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "redoubt")
	if body != nil {
		req.Header.Set("Content-Encoding", "gzip")
	}
	res, err := s.http.Do(req)
	if err != nil {
		return fmt.Errorf("the service does not answer: %w", err)
	}
	defer func() { _ = res.Body.Close() }() // it was read
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return fmt.Errorf("the service's answer broke off: %w", err)
	}
	switch {
	case res.StatusCode == http.StatusNotFound:
		return fmt.Errorf("%w: %s", errNotFound, refusal(text))
	case res.StatusCode == http.StatusUnauthorized:
		return errors.New("the service does not know the access token")
	case res.StatusCode >= http.StatusBadRequest:
		return errors.New(refusal(text))
	case out == nil:
		return nil
	}
	if err := json.Unmarshal(text, out); err != nil {
		return errors.New("the service's answer is not what was expected: is it a Pulumi service?")
	}
	return nil
}

// refusal is a service's sentence.
func refusal(text []byte) string {
	var answer apitype.ErrorResponse
	if err := json.Unmarshal(text, &answer); err != nil || answer.Message == "" {
		return clip(string(bytes.TrimSpace(text)))
	}
	return clip(answer.Message)
}

func pathOf(n Name) string {
	return "/api/stacks/" + url.PathEscape(n.Org) + "/" + url.PathEscape(n.Project) + "/" + url.PathEscape(n.Stack)
}

// defaultOrg is the organization that names without one belong to.
func (s *service) defaultOrg(ctx context.Context) (string, error) {
	var answer apitype.GetDefaultOrganizationResponse
	err := s.do(ctx, http.MethodGet, "/api/user/organizations/default", nil, &answer)
	if err != nil && !errors.Is(err, errNotFound) {
		return "", err
	}
	if answer.GitHubLogin == "" {
		return "", errors.New("the service names no default organization: name one with --org")
	}
	return answer.GitHubLogin, nil
}

// checkOrg says whether a token may see an organization.
func (s *service) checkOrg(ctx context.Context, org string) error {
	var user struct {
		Name          string `json:"githubLogin"`
		Organizations []struct {
			Name string `json:"githubLogin"`
		} `json:"organizations"`
	}
	if err := s.do(ctx, http.MethodGet, "/api/user", nil, &user); err != nil {
		return err
	}
	names := []string{user.Name}
	for _, o := range user.Organizations {
		names = append(names, o.Name)
	}
	if !slices.Contains(names, org) {
		return fmt.Errorf("organization %q is none that the access token may see", org)
	}
	return nil
}

// stack returns errNotFound for one that is not there.
func (s *service) stack(ctx context.Context, n Name) (apitype.Stack, error) {
	var answer apitype.Stack
	err := s.do(ctx, http.MethodGet, pathOf(n), nil, &answer)
	return answer, err
}

func (s *service) create(ctx context.Context, n Name, tags map[string]string) error {
	path := "/api/stacks/" + url.PathEscape(n.Org) + "/" + url.PathEscape(n.Project)
	return s.do(ctx, http.MethodPost, path, map[string]any{"stackName": n.Stack, "tags": tags}, nil)
}

func (s *service) remove(ctx context.Context, n Name) error {
	return s.do(ctx, http.MethodDelete, pathOf(n)+"?force=false", nil, nil)
}

func (s *service) setTags(ctx context.Context, n Name, tags map[string]string) error {
	return s.do(ctx, http.MethodPatch, pathOf(n)+"/tags", tags, nil)
}

// Limits of a batch of secrets: the number is the CLI's
// (pkg/resource/stack/secrets.go), the bytes keep far from what a service takes.
const (
	batchCount = 1000
	batchBytes = 8 << 20
)

// encrypt encrypts texts with the key of a stack, in their order.
func (s *service) encrypt(ctx context.Context, n Name, texts [][]byte) ([][]byte, error) {
	var out [][]byte
	for from := 0; from < len(texts); {
		to, size := from, 0
		for to < len(texts) && to-from < batchCount && (to == from || size+len(texts[to]) <= batchBytes) {
			size += len(texts[to])
			to++
		}
		var answer apitype.BatchEncryptResponse
		if err := s.do(ctx, http.MethodPost, pathOf(n)+"/batch-encrypt", apitype.BatchEncryptRequest{Plaintexts: texts[from:to]}, &answer); err != nil {
			return nil, fmt.Errorf("secrets cannot be encrypted: %w", err)
		}
		if len(answer.Ciphertexts) != to-from {
			return nil, errors.New("the service encrypted another number of secrets than it was given")
		}
		out = append(out, answer.Ciphertexts...)
		from = to
	}
	return out, nil
}

// importState makes a state the newest one and waits until it is.
func (s *service) importState(ctx context.Context, n Name, doc object) error {
	var answer apitype.ImportStackResponse
	if err := s.do(ctx, http.MethodPost, pathOf(n)+"/import", doc, &answer); err != nil {
		return err
	}
	path := pathOf(n) + "/update/" + url.PathEscape(answer.UpdateID)
	for next := path; ; {
		var results apitype.UpdateResults
		if err := s.do(ctx, http.MethodGet, next, nil, &results); err != nil {
			return fmt.Errorf("the import was accepted and its end is not known: %w", err)
		}
		if results.ContinuationToken == nil {
			if results.Status != apitype.StatusSucceeded {
				return fmt.Errorf("the service did not import the state: %s", results.Status)
			}
			return nil
		}
		next = path + "?continuationToken=" + url.QueryEscape(*results.ContinuationToken)
		// Redoubt is done at once; others say when to ask again by making us wait.
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pollPeriod):
		}
	}
}

// pollPeriod is how often an import that runs is asked after.
const pollPeriod = 500 * time.Millisecond
