package pulumiapi

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"redoubt/automation/backend"
)

// packLink is the address of a pack's archive, for one method and for a while;
// who has it needs no credential.
func (c *call) packLink(method, org, pack string, version int64) string {
	place := "/packs/" + url.PathEscape(org) + "/" + url.PathEscape(pack) + "/" + strconv.FormatInt(version, 10)
	expires := strconv.FormatInt(time.Now().Add(c.opts.PackLinkLife).Unix(), 10)
	query := url.Values{"expires": {expires}, "signature": {c.sign(method, place, expires)}}
	return c.origin() + place + "?" + query.Encode()
}

func (s *Server) sign(method, place, expires string) string {
	mac := hmac.New(sha256.New, s.opts.SignKey)
	fmt.Fprintf(mac, "policy pack\n%s\n%s\n%s", method, place, expires)
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// verify checks the address of a request that packLink made.
func (c *call) verify() error {
	query := c.r.URL.Query()
	expires := query.Get("expires")
	want := c.sign(c.r.Method, c.r.URL.EscapedPath(), expires)
	at, err := strconv.ParseInt(expires, 10, 64)
	if err != nil || !hmac.Equal([]byte(query.Get("signature")), []byte(want)) || time.Now().Unix() >= at {
		return backend.Fail(backend.CodeForbidden, "the link is not one of this service's, or it has expired: run the command again")
	}
	return nil
}
