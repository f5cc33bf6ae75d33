package rule

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/stretchr/testify/require"
)

// FuzzValue reads any path of any JSON value by every accessor: none panics,
// and they agree with each other.
func FuzzValue(f *testing.F) {
	f.Add(`{"a":[{"b":"1"}]}`, "a.b", byte(0))
	f.Add(`{"a":[[],[{"b":true}],null],"*":{"x":{"y":1e308}}}`, "*.*.y", byte(1))
	f.Add(`{"a":"{\"b\":[1,2]}"}`, "a..b", byte(2))
	f.Add(`[]`, "", byte(3))
	f.Fuzz(func(t *testing.T, text, path string, mark byte) {
		var raw any
		if len(path) > 200 || json.Unmarshal([]byte(text), &raw) != nil {
			return
		}
		v := resource.NewPropertyValue(raw)
		switch mark % 4 {
		case 1:
			v = resource.MakeSecret(v)
		case 2:
			v = resource.NewOutputProperty(resource.Output{Element: v, Known: false})
		case 3:
			v = resource.NewOutputProperty(resource.Output{Element: v, Known: true, Secret: true})
		}
		r := res(resource.PropertyMap{"a": v})
		for _, each := range append(append(r.Each("a."+path), r.Each(path)...), r.Get("a."+path), r.Get("a"), r.Get("a").Decoded()) {
			require.Equal(t, each.Absent(), !each.Present())
			if each.Unknown() {
				_, str := each.Str()
				_, number := each.Number()
				require.False(t, each.Empty() || str || number, each.Path())
				require.Equal(t, Undetermined, each.True("").Outcome)
			}
			if each.Secret() && each.Present() {
				require.Equal(t, "[secret]", each.Show())
			}
			if n, ok := each.Int(); ok {
				_, ok = each.Number()
				require.True(t, ok, n)
			}
			for _, e := range each.Items() {
				require.True(t, e.Secret() || !each.Secret(), "what stands in a secret is one")
			}
			each.Secrets()
			each.HasUnknown()
			_, _ = each.JSON(strings.ToLower)
			_, _ = ReadDocument(each)
		}
	})
}

// FuzzRanges joins any address ranges: what one of them holds, the joined ones
// hold too, and the widest that holds it is no narrower than it was.
func FuzzRanges(f *testing.F) {
	f.Add("192.0.2.0/25 192.0.2.128/25 10.0.0.0/8")
	f.Add("0.0.0.0/1 128.0.0.0/1 ::/1 8000::/1 ::ffff:0.0.0.0/96")
	f.Add("fe80::1%eth0/64 1.2.3.4/33 1.2.3.4/-1 /")
	f.Fuzz(func(t *testing.T, text string) {
		cidrs := strings.Fields(text)
		joined := Join(cidrs)
		for _, c := range cidrs {
			InternetWide(c)
			PrivateCIDR(c)
			p, err := netip.ParsePrefix(c)
			widest, ok := joined.Widest(c)
			require.Equal(t, err == nil, ok, c)
			if !ok {
				continue
			}
			require.LessOrEqual(t, widest.Bits(), p.Bits())
			require.True(t, widest.Contains(p.Addr()), "%s in %s", p, widest)
			require.True(t, SubsetOf(c, []string{c}))
			if widest.Bits() > 0 && joined[widest] {
				require.False(t, joined[sibling(widest)], "%s and its other half are not joined", widest)
			}
		}
	})
}
