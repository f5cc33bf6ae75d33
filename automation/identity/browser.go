package identity

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"

	"redoubt/automation/oidc"
	"redoubt/automation/provision"
)

// Browser has the pages that a browser signs in and out by. They are below /auth/:
//
//	GET  /auth/login?return=/…&fresh=1   to the identity provider
//	GET  /auth/callback                  back from it
//	POST /auth/token                     form: token=redoubt_…, return=/…
//	POST /auth/logout                    ends the session, and the provider's
//	GET  /auth/options                   how command lines sign in: SignIn
type Browser struct {
	*Identifier
	// Public is the service's own address, without a slash at the end.
	Public string
	// Fail answers with an error; nil for its text.
	Fail func(http.ResponseWriter, *http.Request, error)
}

// Handler serves the pages. It needs Options.Sessions.
func (b Browser) Handler() http.Handler {
	if b.Fail == nil {
		b.Fail = plain
	}
	mux := http.NewServeMux()
	for pattern, do := range map[string]func(http.ResponseWriter, *http.Request) error{
		"GET /auth/login": b.login, "GET /auth/callback": b.callback, "POST /auth/token": b.token, "POST /auth/logout": b.logout,
		"GET /auth/options": b.options,
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Cache-Control", "no-store")
			// An address with a code in it goes nowhere else.
			w.Header().Set("Referrer-Policy", "no-referrer")
			if err := do(w, r); err != nil {
				b.Fail(w, r, err)
			}
		})
	}
	return mux
}

// statuses are those of the codes that the pages answer with.
var statuses = map[provision.Code]int{
	provision.CodeUnauthenticated: http.StatusUnauthorized, provision.CodeForbidden: http.StatusForbidden,
	provision.CodeNotFound: http.StatusNotFound, provision.CodeUnavailable: http.StatusServiceUnavailable,
	provision.CodeQuotaExceeded: http.StatusTooManyRequests, provision.CodeInvalid: http.StatusUnprocessableEntity,
}

func plain(w http.ResponseWriter, _ *http.Request, err error) {
	status, ok := statuses[provision.CodeOf(err)]
	text := "something went wrong; the service's log says more"
	if ok {
		text = err.Error()
	} else {
		status = http.StatusInternalServerError
	}
	http.Error(w, text, status)
}

// flow is what a browser keeps between the two halves of a sign-in.
type flow struct {
	oidc.Flow
	Return string `json:"to"`
}

// flowLife is how long somebody may take at the identity provider.
const flowLife = 15 * time.Minute

func (b Browser) flowCookie(value string, age time.Duration) *http.Cookie {
	secure := strings.HasPrefix(b.Public, "https:")
	name := "redoubt_signin"
	if secure {
		name = "__Host-redoubt-signin"
	}
	seconds := int(age / time.Second)
	if age == 0 {
		seconds = -1
	}
	return &http.Cookie{Name: name, Value: value, Path: "/", MaxAge: seconds, Secure: secure, HttpOnly: true, SameSite: http.SameSiteLaxMode}
}

var errNoProvider = &provision.Error{Code: provision.CodeNotFound, Message: "no identity provider is configured: sign in with an access token"}

func (b Browser) login(w http.ResponseWriter, r *http.Request) error {
	if b.opts.OIDC == nil {
		return errNoProvider
	}
	address, begun, err := b.opts.OIDC.Begin(r.Context(), b.Public+"/auth/callback", r.FormValue("fresh") != "")
	if err != nil {
		return err
	}
	text, err := json.Marshal(flow{begun, local(r.FormValue("return"))})
	if err != nil {
		return err
	}
	http.SetCookie(w, b.flowCookie(base64.RawURLEncoding.EncodeToString(text), flowLife))
	http.Redirect(w, r, address, http.StatusSeeOther)
	return nil
}

func (b Browser) callback(w http.ResponseWriter, r *http.Request) error {
	if b.opts.OIDC == nil {
		return errNoProvider
	}
	var f flow
	cookie, err := r.Cookie(b.flowCookie("", 0).Name)
	if err == nil {
		var text []byte
		if text, err = base64.RawURLEncoding.DecodeString(cookie.Value); err == nil {
			err = json.Unmarshal(text, &f)
		}
	}
	if err != nil {
		return provision.Fail(provision.CodeUnauthenticated, "this browser did not begin a sign-in here, or took more than %s: sign in again", flowLife)
	}
	http.SetCookie(w, b.flowCookie("", 0)) // it is good once
	f.Redirect = b.Public + "/auth/callback"
	who, err := b.opts.OIDC.Finish(r.Context(), f.Flow, r.URL.Query())
	if err != nil {
		return err
	}
	return b.start(w, r, who, f.Return)
}

// token signs in with an access token, where there is no identity provider.
func (b Browser) token(w http.ResponseWriter, r *http.Request) error {
	if err := http.NewCrossOriginProtection().Check(r); err != nil {
		return provision.Fail(provision.CodeForbidden, "the browser sent this for a page of another site")
	}
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	address := b.opts.Address(r)
	who, err := b.Token(r, address, strings.TrimSpace(r.PostFormValue("token")))
	if err != nil {
		return err
	}
	return b.start(w, r, who, r.PostFormValue("return"))
}

func (b Browser) start(w http.ResponseWriter, r *http.Request, who provision.Principal, back string) error {
	if err := b.opts.Sessions.Start(w, r, who); err != nil {
		return err
	}
	http.Redirect(w, r, local(back), http.StatusSeeOther)
	return nil
}

func (b Browser) logout(w http.ResponseWriter, r *http.Request) error {
	p, unknown := b.opts.Sessions.Authenticate(r)
	if err := b.opts.Sessions.End(w, r); err != nil {
		return err
	}
	to := "/"
	if unknown == nil && b.opts.OIDC != nil && p.Caller.Token.ID == "" {
		// Where the provider does not answer, the session here has ended all the same.
		if end, err := b.opts.OIDC.LogoutURL(r.Context(), b.Public+"/"); err == nil && end != "" {
			to = end
		}
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

// local is a path of our own to go back to, and "/" for anything else: a link must
// not lead to another site by way of a sign-in here.
func local(path string) string {
	u, err := url.Parse(path)
	if err != nil || u.Scheme != "" || u.Host != "" || !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") ||
		strings.ContainsRune(path, '\\') || strings.ContainsFunc(path, unicode.IsControl) {
		return "/"
	}
	return path
}
