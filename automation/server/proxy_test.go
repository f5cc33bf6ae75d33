package server_test

import (
	"net/http"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/adminapi"
	"redoubt/automation/server"
)

// forwarding adds a header as a proxy does.
type forwarding struct{ address string }

func (f forwarding) RoundTrip(r *http.Request) (*http.Response, error) {
	r.Header.Set("X-Forwarded-For", f.address)
	return http.DefaultTransport.RoundTrip(r)
}

func TestAuditHasTheAddressThatATrustedProxySays(t *testing.T) {
	t.Parallel()
	for want, trusted := range map[string][]netip.Prefix{
		"192.0.2.7": {netip.MustParsePrefix("127.0.0.0/8")},
		"127.0.0.1": nil,
	} {
		_, client := bootstrap(t, configure(t, func(c *server.Config) { c.Proxy.Trusted = trusted }))
		client.HTTP = &http.Client{Transport: forwarding{"192.0.2.7"}}
		require.NoError(t, client.CreateOrganization(t.Context(), "acme"))
		c := &cli{url: client.URL, token: client.Token, http: client.HTTP}
		c.person(t, http.MethodPost, "/api/stacks/acme/shop", map[string]any{"stackName": "prod"}, nil)
		var actions []string
		require.NoError(t, client.Audit(t.Context(), 0, func(e adminapi.AuditEntry) error {
			if e.Action == "org.create" || e.Action == "stack.create" {
				actions = append(actions, e.Action)
				require.Equal(t, want, e.Detail["address"], e.Action)
			}
			return nil
		}))
		require.Equal(t, []string{"org.create", "stack.create"}, actions)
	}
}
