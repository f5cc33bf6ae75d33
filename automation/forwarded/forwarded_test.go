package forwarded_test

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/forwarded"
)

func TestOnlyTrustedProxiesAreBelieved(t *testing.T) {
	t.Parallel()
	proxies := forwarded.Proxies{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for _, row := range []struct {
		name, peer string
		hops       []string
		proto      string
		address    string
		tls        bool
	}{
		{"a client that speaks for itself", "192.0.2.1:999", []string{"1.2.3.4"}, "https", "192.0.2.1", false},
		{"a proxy", "10.0.0.1:999", []string{"192.0.2.7"}, "https", "192.0.2.7", true},
		{"a proxy that speaks IPv4 in IPv6", "[::ffff:10.0.0.1]:999", []string{"192.0.2.7"}, "http", "192.0.2.7", false},
		{"two proxies", "[fd00::1]:999", []string{"192.0.2.7, 10.1.1.1"}, "HTTPS", "192.0.2.7", true},
		{"hops in two headers", "10.0.0.1:999", []string{"192.0.2.7", "10.1.1.1"}, "", "192.0.2.7", false},
		{"a client that makes up hops", "10.0.0.1:999", []string{"1.2.3.4, 192.0.2.7"}, "", "192.0.2.7", false},
		{"nonsense", "10.0.0.1:999", []string{"192.0.2.7, <script>"}, "", "10.0.0.1", false},
		{"a proxy that says nothing", "10.0.0.1:999", nil, "", "10.0.0.1", false},
		{"proxies alone", "10.0.0.1:999", []string{"10.0.0.9"}, "", "10.0.0.9", false},
		{"no address at all", "@", []string{"10.0.0.9"}, "https", "@", false},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = row.peer
		r.Header["X-Forwarded-For"] = row.hops
		r.Header.Set("X-Forwarded-Proto", row.proto)
		require.Equal(t, row.address, proxies.Address(r), row.name)
		require.Equal(t, row.tls, proxies.TLS(r), row.name)
	}
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.TLS = &tls.ConnectionState{}
	require.True(t, forwarded.Proxies(nil).TLS(r))
}
