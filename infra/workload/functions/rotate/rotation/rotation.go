// Package rotation rotates the password of an application's database user,
// with two users that take turns: while one is in use, the other gets a new
// password. Whoever holds the old value stays logged in until the next turn.
// Where clients must know the user's name beforehand, as those of an RDS proxy
// do, one user alone gets the new password, and logins with the old one fail
// from then on.
//
// Secrets Manager calls four steps in order and, if one fails or is lost,
// calls them all again with the same token. So every step first looks at what
// is already done.
// https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotating-secrets_strategies.html
package rotation

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// The staging labels of Secrets Manager.
const (
	Current = "AWSCURRENT"
	Pending = "AWSPENDING"
)

// Event is what Secrets Manager sends.
type Event struct {
	SecretID string `json:"SecretId"`
	// Token is the id of the version that the rotation makes.
	Token string `json:"ClientRequestToken"`
	// Step is createSecret, setSecret, testSecret or finishSecret.
	Step string `json:"Step"`
}

// ErrNoValue is what Secrets returns for a version that has no value yet.
var ErrNoValue = errors.New("the version has no value")

// ErrRefused is what Database returns where the server is there and does not
// accept the login.
var ErrRefused = errors.New("the database refuses the login")

// Secrets is where secrets are kept.
type Secrets interface {
	// Describe returns the staging labels of each version.
	Describe(ctx context.Context, secret string) (Description, error)
	// ByStage returns the value of the version with the label, or ErrNoValue.
	ByStage(ctx context.Context, secret, stage string) (Value, error)
	// ByVersion returns a version's value, or ErrNoValue.
	ByVersion(ctx context.Context, secret, version string) (Value, error)
	// PutPending stores the value as that version, labelled AWSPENDING.
	PutPending(ctx context.Context, secret, version string, value Value) error
	// MakeCurrent moves AWSCURRENT to the version, from another one if that is
	// not empty.
	MakeCurrent(ctx context.Context, secret, version, from string) error
}

// Description is what Secrets knows of a secret without its values.
type Description struct {
	RotationEnabled bool
	// Stages are the labels by version.
	Stages map[string][]string
}

// Database is the server on which the users are.
type Database interface {
	// Login logs in and out as a user, and checks that the session acts as
	// role. It returns ErrRefused where the user or the password is wrong.
	Login(ctx context.Context, user Credentials, role string) error
	// SetPassword makes the user with that password a member of role, or gives
	// an existing one the password: all or nothing.
	SetPassword(ctx context.Context, admin, user Credentials, role string) error
}

// Connection is where the users log in. It is the deployment's, never the
// secret's: who could write the secret must not choose where the
// administrator's password is sent.
type Connection struct {
	Host     string
	Port     int
	Database string
}

// Rotation rotates the users of one role in one database.
type Rotation struct {
	Secrets  Secrets
	Database Database
	// Connection is written into every new value.
	Connection Connection
	// Role owns what the application makes; its users are members. It cannot
	// log in itself.
	Role string
	// User is the only user; empty for two that take turns.
	User string
	// AdminSecret is the secret of a user that may create roles.
	AdminSecret string
	// NewPassword returns a password of ASCII letters and digits, at least 128
	// bits of chance.
	NewPassword func() string
}

// Users are the two that take turns, or the only one.
func (r *Rotation) Users() []string {
	if r.User != "" {
		return []string{r.User}
	}
	return []string{r.Role + "_1", r.Role + "_2"}
}

// Handle does one step. It may be called any number of times, in any state
// that an earlier call left.
func (r *Rotation) Handle(ctx context.Context, e Event) error {
	steps := map[string]func(context.Context, Event, string) error{
		"createSecret": r.create, "setSecret": r.set, "testSecret": r.test, "finishSecret": r.finish,
	}
	step, known := steps[e.Step]
	if !known {
		return fmt.Errorf("rotation: step %q (createSecret, setSecret, testSecret or finishSecret)", e.Step)
	}
	current, done, err := r.check(ctx, e)
	if err != nil {
		return fmt.Errorf("rotation: %s: %w", e.Step, err)
	}
	if done {
		return nil
	}
	if err := step(ctx, e, current); err != nil {
		return fmt.Errorf("rotation: %s: %w", e.Step, err)
	}
	return nil
}

// check says which version is current, empty before the first rotation, and
// whether the rotation is finished already.
func (r *Rotation) check(ctx context.Context, e Event) (current string, done bool, err error) {
	d, err := r.Secrets.Describe(ctx, e.SecretID)
	if err != nil {
		return "", false, err
	}
	if !d.RotationEnabled {
		return "", false, fmt.Errorf("secret %s does not rotate (switch rotation on)", e.SecretID)
	}
	stages, known := d.Stages[e.Token]
	switch {
	case !known:
		return "", false, fmt.Errorf("secret %s has no version %s (Secrets Manager starts a rotation, nobody else)", e.SecretID, e.Token)
	case slices.Contains(stages, Current):
		return "", true, nil
	case !slices.Contains(stages, Pending):
		return "", false, fmt.Errorf("version %s of secret %s is not pending (an old event: start a new rotation)", e.Token, e.SecretID)
	}
	for version, stages := range d.Stages {
		if slices.Contains(stages, Current) {
			current = version
		}
	}
	return current, false, nil
}
