package identity

import (
	"encoding/json"
	"net/http"
)

// SignIn is how a command line may sign in besides with an access token. Its zero
// value, {}, says that there is no identity provider.
type SignIn struct {
	// Issuer is the identity provider's address, and ClientID the public client of
	// command lines there.
	Issuer   string `json:"issuer,omitempty"`
	ClientID string `json:"client_id,omitempty"`
}

// options answers anybody: who signs in is not known yet.
func (b Browser) options(w http.ResponseWriter, _ *http.Request) error {
	var o SignIn
	if b.opts.OIDC != nil {
		o = SignIn{b.opts.OIDC.Issuer(), b.opts.OIDC.LoginClient()}
	}
	w.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(w).Encode(o)
}
