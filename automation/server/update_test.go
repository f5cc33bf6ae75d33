package server_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/automation/server"
	"redoubt/internal/loopback"
)

// cli asks for things as the stock CLI does, and as patiently: where nobody
// answers it asks again.
type cli struct {
	url, token string
	http       *http.Client
}

// ask returns the status of the answer, and the answer in out.
func (c *cli) ask(t *testing.T, method, path, credential string, in, out any) int {
	t.Helper()
	text, err := json.Marshal(in)
	require.NoError(t, err)
	for deadline := time.Now().Add(patience); ; {
		request, err := http.NewRequestWithContext(t.Context(), method, c.url+path, bytes.NewReader(text))
		require.NoError(t, err)
		request.Header.Set("Authorization", credential)
		response, err := c.client().Do(request)
		if err != nil && time.Now().Before(deadline) {
			continue
		}
		require.NoError(t, err)
		var answer json.RawMessage
		require.NoError(t, json.NewDecoder(response.Body).Decode(&answer))
		require.NoError(t, response.Body.Close())
		if out != nil {
			require.NoError(t, json.Unmarshal(answer, out), string(answer))
		}
		return response.StatusCode
	}
}

func (c *cli) client() *http.Client {
	if c.http == nil {
		return http.DefaultClient
	}
	return c.http
}

// person asks with the access token; it must be answered.
func (c *cli) person(t *testing.T, method, path string, in, out any) {
	t.Helper()
	require.Equal(t, http.StatusOK, c.ask(t, method, path, "token "+c.token, in, out), path)
}

// endedInterrupted is a metric.
const endedInterrupted = `redoubt_updates_ended_total{status="interrupted"}`

const aStack = "/api/stacks/main/shop/prod"

// update makes the stack and starts an update of it; the path is where the
// update's calls go, with the lease as credential.
func (c *cli) update(t *testing.T) (path, lease string) {
	t.Helper()
	c.person(t, http.MethodPost, "/api/stacks/main/shop", map[string]any{"stackName": "prod"}, nil)
	var made struct {
		UpdateID string `json:"updateID"`
	}
	c.person(t, http.MethodPost, aStack+"/update", map[string]any{}, &made)
	path = aStack + "/update/" + made.UpdateID
	var started struct {
		Token string `json:"token"`
	}
	c.person(t, http.MethodPost, path, map[string]any{"journalVersion": 1}, &started)
	require.NotEmpty(t, started.Token)
	return path, "update-token " + started.Token
}

// entry is a journal entry of a resource that was made.
func entry(sequence int) map[string]any {
	return map[string]any{"entries": []any{map[string]any{
		"version": 1, "kind": 1, "sequenceID": sequence, "operationID": sequence,
		"state": map[string]any{
			"urn": fmt.Sprintf("urn:pulumi:prod::shop::test:index:Thing::thing%d", sequence), "custom": false, "type": "test:index:Thing",
		},
	}}}
}

func (c *cli) resources(t *testing.T) (urns []string) {
	t.Helper()
	var state struct {
		Deployment struct {
			Resources []struct {
				URN string `json:"urn"`
			} `json:"resources"`
		} `json:"deployment"`
	}
	c.person(t, http.MethodGet, aStack+"/export", nil, &state)
	for _, r := range state.Deployment.Resources {
		urns = append(urns, r.URN)
	}
	return urns
}

// A client in the middle of an update does not notice that the server was
// restarted, but for the time that it takes.
func TestUpdateSurvivesARestartInTheMiddle(t *testing.T) {
	t.Parallel()
	config := configure(t, func(c *server.Config) { c.Listen = net.JoinHostPort(loopback.Host(), "0") })
	s, client := bootstrap(t, config)
	c := &cli{url: s.URL(), token: client.Token}
	path, lease := c.update(t)
	require.Equal(t, http.StatusOK, c.ask(t, http.MethodPatch, path+"/journalentries", lease, entry(1), nil))

	config.Listen = s.Addr().String() // the client knows no other
	s.Stop()
	answered := make(chan int, 1)
	go func() { answered <- c.ask(t, http.MethodPatch, path+"/journalentries", lease, entry(2), nil) }()
	s = start(t, config)
	require.Equal(t, http.StatusOK, <-answered)
	var renewed struct {
		Token string `json:"token"`
	}
	require.Equal(t, http.StatusOK, c.ask(t, http.MethodPost, path+"/renew_lease", lease, map[string]any{"duration": 300}, &renewed))
	require.Equal(t, http.StatusOK, c.ask(t, http.MethodPatch, path+"/journalentries", "update-token "+renewed.Token, entry(3), nil))
	require.Equal(t, http.StatusOK, c.ask(t, http.MethodPost, path+"/complete", "update-token "+renewed.Token, map[string]any{"status": "succeeded"}, nil))
	require.Len(t, c.resources(t), 3, "what was acknowledged before the restart and after it")

	_, metrics := get(t, s.URL()+"/metrics")
	require.Contains(t, metrics, "redoubt_journal_entries_total 2\n")
	require.Contains(t, metrics, "redoubt_journal_append_seconds_count 2\n")
	require.Contains(t, metrics, `redoubt_updates_ended_total{status="succeeded"} 1`)
}

// An update of which nothing is heard is closed, what it did is kept, and it
// writes nothing more.
func TestSilentUpdateIsClosed(t *testing.T) {
	t.Parallel()
	s, client := bootstrap(t, configure(t, func(c *server.Config) {
		c.Leases.Duration, c.Leases.First = time.Second, time.Second
	}))
	c := &cli{url: s.URL(), token: client.Token}
	path, lease := c.update(t)
	require.Equal(t, http.StatusOK, c.ask(t, http.MethodPatch, path+"/journalentries", lease, entry(1), nil))
	_, metrics := get(t, s.URL()+"/metrics")
	require.Contains(t, metrics, "redoubt_updates_active 1\n")
	require.Contains(t, metrics, `redoubt_updates_started_total{kind="update"} 1`)

	require.Eventually(t, func() bool {
		_, metrics = get(t, s.URL()+"/metrics")
		return strings.Contains(metrics, endedInterrupted+" 1\n")
	}, patience, 20*time.Millisecond)
	require.Contains(t, metrics, "redoubt_updates_active 0\n")
	require.Equal(t, http.StatusForbidden, c.ask(t, http.MethodPatch, path+"/journalentries", lease, entry(2), nil))
	require.Len(t, c.resources(t), 1)
	_, metrics = get(t, s.URL()+"/metrics")
	require.Contains(t, metrics, "redoubt_lease_refusals_total 1\n")
	require.NotContains(t, s.Log.String(), lease[len("update-token "):], "a lease's token is in no log")
}
