// Package forwarded tells what trusted proxies say about a request: who sent it,
// and whether they did so over TLS.
package forwarded

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// Proxies are the networks of proxies that are believed; nil believes none.
type Proxies []netip.Prefix

// Address is where a request comes from: the connection's other end, or what
// trusted proxies say of theirs.
func (p Proxies) Address(r *http.Request) string {
	host := peer(r)
	if !p.trusted(host) {
		return host
	}
	// The last one is what the nearest proxy saw; those before it may be made up.
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		hop = strings.TrimSpace(hop)
		if _, err := netip.ParseAddr(hop); err != nil {
			return host
		}
		host = hop
		if !p.trusted(hop) {
			return host
		}
	}
	return host
}

// TLS says whether the client's connection is encrypted, to us or to a trusted
// proxy.
func (p Proxies) TLS(r *http.Request) bool {
	return r.TLS != nil || p.trusted(peer(r)) && strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https")
}

func peer(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

func (p Proxies) trusted(host string) bool {
	address, err := netip.ParseAddr(host)
	return err == nil && slices.ContainsFunc(p, func(n netip.Prefix) bool { return n.Contains(address.Unmap()) })
}
