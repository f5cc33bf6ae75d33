// Package session keeps browsers signed in: a cookie with a random value, of which
// the store has the hash alone.
package session

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"time"

	"redoubt/automation/backend"
	"redoubt/automation/provision"
)

// Options of a manager. The zero value of each has a meaning.
type Options struct {
	// Plain is for browsers that come over plain HTTP, as on a laptop of one's own:
	// the cookie goes without TLS, and has another name, since browsers take
	// __Host- over TLS alone.
	Plain bool
	// Idle is how long a session lives that nothing is heard of; 0 for 8 hours.
	// Absolute is how long any does; 0 for 24 hours.
	Idle, Absolute time.Duration
	// Origins are addresses besides the service's own whose pages may send requests
	// that change something: "https://redoubt.example.org", where a proxy gives
	// another Host.
	Origins []string
}

// Manager makes and knows sessions; it is safe for concurrent use.
type Manager struct {
	store provision.Store
	opts  Options
	cross *http.CrossOriginProtection
}

// New makes a manager. The error is about Origins.
func New(store provision.Store, o Options) (*Manager, error) {
	if o.Idle == 0 {
		o.Idle = 8 * time.Hour
	}
	if o.Absolute == 0 {
		o.Absolute = 24 * time.Hour
	}
	m := &Manager{store: store, opts: o, cross: http.NewCrossOriginProtection()}
	for _, origin := range o.Origins {
		if err := m.cross.AddTrustedOrigin(origin); err != nil {
			return nil, &provision.Error{Code: provision.CodeInvalid, Cause: err, Message: "an origin is https://host, without a path: " + err.Error()}
		}
	}
	return m, nil
}

// Names of the cookie.
const (
	secureName = "__Host-redoubt"
	plainName  = "redoubt_session"
)

func (m *Manager) name() string {
	if m.opts.Plain {
		return plainName
	}
	return secureName
}

// cookie is one with a value; an empty value takes it away.
func (m *Manager) cookie(value string) *http.Cookie {
	age := int(m.opts.Absolute / time.Second)
	if value == "" {
		age = -1
	}
	return &http.Cookie{
		Name: m.name(), Value: value, Path: "/", MaxAge: age, Secure: !m.opts.Plain, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
}

// valueBytes is how many random bytes a cookie has.
const valueBytes = 32

// hashOf is what the store knows of the request's cookie; nil without one that can
// be ours.
func (m *Manager) hashOf(r *http.Request) []byte {
	cookie, err := r.Cookie(m.name())
	if err != nil {
		return nil
	}
	value, err := base64.RawURLEncoding.DecodeString(cookie.Value)
	if err != nil || len(value) != valueBytes {
		return nil
	}
	sum := sha256.Sum256(value)
	return sum[:]
}

// Has says whether the request comes with a session's cookie, good or not.
func (m *Manager) Has(r *http.Request) bool {
	_, err := r.Cookie(m.name())
	return err == nil
}

// Start begins a session for somebody who just signed in, and ends the one that
// the browser had: a value from before a sign-in is worth nothing after it.
func (m *Manager) Start(w http.ResponseWriter, r *http.Request, p provision.Principal) error {
	value := make([]byte, valueBytes)
	_, _ = rand.Read(value) // it does not fail
	hash, old := sha256.Sum256(value), m.hashOf(r)
	p.AuthMethod, p.Caller.Token.Hash = "session", nil
	err := m.store.Update(r.Context(), func(tx provision.Tx) error {
		if err := forget(tx, old); err != nil {
			return err
		}
		now := tx.Now()
		return tx.PutSession(provision.Session{Hash: hash[:], Principal: p, CreatedAt: now, ExpiresAt: m.end(now, now)})
	})
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	http.SetCookie(w, m.cookie(base64.RawURLEncoding.EncodeToString(value)))
	return nil
}

// end is when a session ends that began at one time and was heard of at another.
func (m *Manager) end(began, heard time.Time) time.Time {
	idle, absolute := heard.Add(m.opts.Idle), began.Add(m.opts.Absolute)
	if absolute.Before(idle) {
		return absolute
	}
	return idle
}

// forget deletes a session, where there is one.
func forget(tx provision.Tx, hash []byte) error {
	if hash == nil {
		return nil
	}
	if err := tx.DeleteSession(hash); !errors.Is(err, backend.ErrNotFound) {
		return err
	}
	return nil
}

// errEnded is for every reason alike.
var errEnded = &provision.Error{Code: provision.CodeUnauthenticated, Message: "the session has ended: sign in again"}

// extendEvery is how exact the end of an idle session is: a write for each request
// would be dear.
const extendEvery = 5 * time.Minute

// Authenticate returns whose session a request belongs to. A request that changes
// something must come from a page of our own: CodeForbidden where it does not.
func (m *Manager) Authenticate(r *http.Request) (provision.Principal, error) {
	hash := m.hashOf(r)
	if hash == nil {
		return provision.Principal{}, errEnded
	}
	if err := m.cross.Check(r); err != nil {
		return provision.Principal{}, &provision.Error{
			Code: provision.CodeForbidden, Cause: err,
			Message: "the browser sent this for a page of another site: requests that change something come from redoubt's own pages",
		}
	}
	var s provision.Session
	var now time.Time
	err := m.store.View(r.Context(), func(tx provision.Tx) (err error) {
		now = tx.Now()
		if s, err = tx.Session(hash); err != nil {
			return err
		}
		return still(tx, &s.Principal, now)
	})
	switch {
	case errors.Is(err, backend.ErrNotFound):
		return provision.Principal{}, errEnded
	case err != nil:
		return provision.Principal{}, err
	case !now.Before(s.ExpiresAt):
		return provision.Principal{}, errEnded
	}
	if later := m.end(s.CreatedAt, now); later.Sub(s.ExpiresAt) >= min(extendEvery, m.opts.Idle/2) {
		m.extend(r.Context(), hash, now)
	}
	return s.Principal, nil
}

// still looks whether the access token is good that a session began with, and may
// what it may now: ErrNotFound where it is not.
func still(tx provision.Tx, p *provision.Principal, now time.Time) error {
	id := p.Caller.Token.ID
	if id == "" {
		return nil
	}
	token, err := tx.Token(id)
	if err != nil {
		return err
	}
	if !token.RevokedAt.IsZero() || !token.ExpiresAt.IsZero() && !now.Before(token.ExpiresAt) {
		return backend.ErrNotFound
	}
	token.Hash = nil
	p.Caller.Token, p.Groups = token, token.Groups
	return nil
}

// extend gives a session its idle time again. Where that fails, as on a full disk,
// it ends earlier, and the request goes on.
func (m *Manager) extend(ctx context.Context, hash []byte, now time.Time) {
	_ = m.store.Update(ctx, func(tx provision.Tx) error {
		s, err := tx.Session(hash)
		if err != nil {
			return err // signed out meanwhile
		}
		s.ExpiresAt = m.end(s.CreatedAt, now)
		return tx.PutSession(s)
	})
}

// End signs out: the session is over, and the cookie is taken away. A request of
// another site's page does not.
func (m *Manager) End(w http.ResponseWriter, r *http.Request) error {
	if err := m.cross.Check(r); err != nil {
		return &provision.Error{Code: provision.CodeForbidden, Cause: err, Message: "the browser sent this for a page of another site"}
	}
	hash := m.hashOf(r)
	if hash != nil {
		if err := m.store.Update(r.Context(), func(tx provision.Tx) error { return forget(tx, hash) }); err != nil {
			return err
		}
	}
	http.SetCookie(w, m.cookie(""))
	return nil
}

// Prune deletes sessions that have ended, and returns how many; it is for the sweep.
func (m *Manager) Prune(ctx context.Context) (int64, error) {
	return backend.InBatches(ctx, func(limit int) (n int64, err error) {
		err = m.store.Update(ctx, func(tx provision.Tx) (err error) { n, err = tx.PruneSessions(tx.Now(), limit); return err })
		return n, err
	})
}
