package adminapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"redoubt/automation/backend"
)

// Client asks a server. URL and Token are needed.
type Client struct {
	// URL is the server's: "https://redoubt.example".
	URL string
	// Token is an access token.
	Token string
	// HTTP is http.DefaultClient where it is nil.
	HTTP *http.Client
}

// answerTimeout is for one request; rewrapping many keys takes a while.
const answerTimeout = 5 * time.Minute

// Organizations are those that the token may see something in.
func (c *Client) Organizations(ctx context.Context) ([]Organization, error) {
	return many[Organization](ctx, c, "organizations")
}

// CreateOrganization makes an organization.
func (c *Client) CreateOrganization(ctx context.Context, name string) error {
	return c.do(ctx, http.MethodPost, "organizations", Organization{Name: name}, nil)
}

// Tokens lists all tokens.
func (c *Client) Tokens(ctx context.Context) ([]Token, error) { return many[Token](ctx, c, "tokens") }

// CreateToken makes a token.
func (c *Client) CreateToken(ctx context.Context, n NewToken) (made CreatedToken, err error) {
	err = c.do(ctx, http.MethodPost, "tokens", n, &made)
	return made, err
}

// RevokeToken ends a token.
func (c *Client) RevokeToken(ctx context.Context, id string) error {
	return c.do(ctx, http.MethodDelete, "tokens/"+url.PathEscape(id), nil, nil)
}

// Protect makes a stack take updates only from tokens that may apply to
// protected stacks, or takes that back.
func (c *Client) Protect(ctx context.Context, name backend.StackName, protected bool) error {
	method := map[bool]string{true: http.MethodPut, false: http.MethodDelete}[protected]
	return c.do(ctx, method, stackPath(name)+"/protection", nil, nil)
}

// RotateKey makes a new key for a stack.
func (c *Client) RotateKey(ctx context.Context, name backend.StackName) error {
	return c.do(ctx, http.MethodPost, stackPath(name)+"/keys", nil, nil)
}

// Salvage closes the update that holds a stack and cannot be closed otherwise, or
// says what that would do.
func (c *Client) Salvage(ctx context.Context, name backend.StackName, order SalvageOrder) (out Salvaged, err error) {
	err = c.do(ctx, http.MethodPost, stackPath(name)+"/salvage", order, &out)
	return out, err
}

// Journal is what an update sent, entry by entry.
func (c *Client) Journal(ctx context.Context, name backend.StackName, update string) ([]backend.JournalEntry, error) {
	return many[backend.JournalEntry](ctx, c, stackPath(name)+"/updates/"+url.PathEscape(update)+"/journal")
}

// Rewrap wraps every stack's keys with the operator's current key.
func (c *Client) Rewrap(ctx context.Context) (out Rewrapped, err error) {
	err = c.do(ctx, http.MethodPost, "keys/rewrap", nil, &out)
	return out, err
}

// Requirements are the policy packs that an organization's updates must run.
func (c *Client) Requirements(ctx context.Context, org string) ([]Requirement, error) {
	return many[Requirement](ctx, c, policyPath(org, ""))
}

// Require makes an organization's updates run a pack.
func (c *Client) Require(ctx context.Context, org string, r Requirement) error {
	return c.do(ctx, http.MethodPut, policyPath(org, r.Pack), r, nil)
}

// Release takes a requirement back.
func (c *Client) Release(ctx context.Context, org, pack string) error {
	return c.do(ctx, http.MethodDelete, policyPath(org, pack), nil, nil)
}

// Audit calls each for every entry of the audit log after a sequence, in order.
func (c *Client) Audit(ctx context.Context, after int64, each func(AuditEntry) error) error {
	for {
		page, err := many[AuditEntry](ctx, c, fmt.Sprintf("audit?after=%d&limit=%d", after, maxAudit))
		if err != nil || len(page) == 0 {
			return err
		}
		for _, e := range page {
			if e.Sequence <= after {
				return fmt.Errorf("the server sent entry %d of its audit log after entry %d", e.Sequence, after)
			}
			after = e.Sequence
			if err := each(e); err != nil {
				return err
			}
		}
	}
}

func stackPath(n backend.StackName) string {
	return "stacks/" + url.PathEscape(n.Org) + "/" + url.PathEscape(n.Project) + "/" + url.PathEscape(n.Stack)
}

func policyPath(org, pack string) string {
	path := "organizations/" + url.PathEscape(org) + "/policies"
	if pack != "" {
		path += "/" + url.PathEscape(pack)
	}
	return path
}

func many[T any](ctx context.Context, c *Client, path string) ([]T, error) {
	var out list[T]
	err := c.do(ctx, http.MethodGet, path, nil, &out)
	return out.Items, err
}

// do asks for something and reads the answer into out, unless that is nil.
func (c *Client) do(ctx context.Context, method, path string, in, out any) error {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	var sent io.Reader
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			return err
		}
		sent = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(c.URL, "/")+Prefix+path, sent)
	if err != nil {
		return fmt.Errorf("%s is no address of a server", c.URL)
	}
	request.Header.Set("Authorization", "token "+c.Token)
	request.Header.Set("Content-Type", "application/json")
	client := c.HTTP
	if client == nil {
		client = http.DefaultClient
	}
	response, err := client.Do(request)
	if err != nil {
		var where *url.Error
		if errors.As(err, &where) {
			err = where.Err
		}
		return fmt.Errorf("%s does not answer (is it the address of a server of Redoubt, and does that run?): %w", c.URL, err)
	}
	defer response.Body.Close() //nolint:errcheck // it was read
	if response.StatusCode >= http.StatusMultipleChoices {
		return refused(c.URL, response)
	}
	if out == nil {
		return nil
	}
	if err := json.NewDecoder(response.Body).Decode(out); err != nil {
		return fmt.Errorf("the answer of %s cannot be read (is it a server of Redoubt?): %w", c.URL, err)
	}
	return nil
}

func refused(where string, response *http.Response) error {
	var p Problem
	const most = 64 << 10
	if err := json.NewDecoder(io.LimitReader(response.Body, most)).Decode(&p); err != nil || p.Detail == "" {
		return fmt.Errorf("%s answered %s: it is no server of Redoubt, or an older one", where, response.Status)
	}
	return &p
}
