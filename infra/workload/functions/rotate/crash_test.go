package main

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/infra/workload/functions/rotate/rotation"
	"redoubt/internal/postgrestest"
)

var errCrash = errors.New("the function was killed")

// crash kills the function at its at-th call to the outside: before the call
// does anything, or after it did and before the answer came.
type crash struct {
	at    int
	after bool
	calls int
}

func (c *crash) around(call func() error) error {
	c.calls++
	if c.calls != c.at {
		return call()
	}
	if c.after {
		_ = call() // its answer is lost: that is the crash
	}
	return errCrash
}

type crashingSecrets struct {
	rotation.Secrets
	*crash
}

func (s crashingSecrets) Describe(ctx context.Context, secret string) (d rotation.Description, err error) {
	err = s.around(func() (err error) { d, err = s.Secrets.Describe(ctx, secret); return })
	return
}

func (s crashingSecrets) ByStage(ctx context.Context, secret, stage string) (v rotation.Value, err error) {
	err = s.around(func() (err error) { v, err = s.Secrets.ByStage(ctx, secret, stage); return })
	return
}

func (s crashingSecrets) ByVersion(ctx context.Context, secret, version string) (v rotation.Value, err error) {
	err = s.around(func() (err error) { v, err = s.Secrets.ByVersion(ctx, secret, version); return })
	return
}

func (s crashingSecrets) PutPending(ctx context.Context, secret, version string, value rotation.Value) error {
	return s.around(func() error { return s.Secrets.PutPending(ctx, secret, version, value) })
}

func (s crashingSecrets) MakeCurrent(ctx context.Context, secret, version, from string) error {
	return s.around(func() error { return s.Secrets.MakeCurrent(ctx, secret, version, from) })
}

type crashingDatabase struct {
	rotation.Database
	*crash
}

func (d crashingDatabase) Login(ctx context.Context, user rotation.Credentials, role string) error {
	return d.around(func() error { return d.Database.Login(ctx, user, role) })
}

func (d crashingDatabase) SetPassword(ctx context.Context, admin, user rotation.Credentials, role string) error {
	return d.around(func() error { return d.Database.SetPassword(ctx, admin, user, role) })
}

// A crash at any call of any step, first and second rotation: until the next
// attempt the application's value works, and the next attempt finishes.
func TestRotationSurvivesACrashAtEveryCall(t *testing.T) {
	t.Parallel()
	w := newWorld(t, postgrestest.Start(t), "shop")
	for _, after := range []bool{false, true} {
		for at := 1; ; at++ {
			c := &crash{at: at, after: after}
			if !w.crashOnce(t, c) {
				require.Greater(t, at, 10, "a rotation makes more calls than that: was it tried at all?")
				break
			}
		}
	}
}

// crashOnce rotates with a crash and then without, and says whether it came
// to the crash.
func (w *world) crashOnce(t *testing.T, c *crash) bool {
	t.Helper()
	what := fmt.Sprintf("crash at call %d, after it: %t", c.at, c.after)
	healthy := w.rotation(t)
	doomed := w.rotation(t)
	doomed.Secrets, doomed.Database = crashingSecrets{doomed.Secrets, c}, crashingDatabase{doomed.Database, c}
	before, token := w.secrets.Value(appSecret, rotation.Current), w.begin()
	var err error
	for _, step := range steps {
		if err = doomed.Handle(t.Context(), rotation.Event{SecretID: appSecret, Token: token, Step: step}); err != nil {
			require.ErrorIs(t, err, errCrash, what)
			break
		}
	}
	if before != "" {
		w.login(t, healthy, rotation.Current, what)
	}
	w.finish(t, healthy, token)
	require.NotEqual(t, before, w.secrets.Value(appSecret, rotation.Current), what)
	w.login(t, healthy, rotation.Current, what)
	if before != "" {
		require.Equal(t, before, w.secrets.Value(appSecret, "AWSPREVIOUS"), what)
		w.login(t, healthy, "AWSPREVIOUS", what)
	}
	return err != nil
}

func (w *world) login(t *testing.T, r *rotation.Rotation, stage, what string) {
	t.Helper()
	require.NoError(t, r.Database.Login(t.Context(), w.current(t, stage).Credentials(), w.role), what+": "+stage)
}

// A crash between any two steps, and a step that is repeated.
func TestRotationStartsAgainAfterAnyStep(t *testing.T) {
	t.Parallel()
	w := newWorld(t, postgrestest.Start(t), "bank")
	r := w.rotation(t)
	for done := range len(steps) + 1 {
		token := w.begin()
		for _, step := range steps[:done] {
			for range 2 {
				require.NoError(t, r.Handle(t.Context(), rotation.Event{SecretID: appSecret, Token: token, Step: step}), step)
			}
		}
		w.finish(t, w.rotation(t), token)
		w.login(t, r, rotation.Current, fmt.Sprintf("after %d steps", done))
	}
}
