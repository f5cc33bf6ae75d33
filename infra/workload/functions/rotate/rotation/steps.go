package rotation

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// create makes the pending value: the user whose turn it is, a new password.
// A value that an earlier call stored stays, because the database may already
// have its password.
func (r *Rotation) create(ctx context.Context, e Event, current string) error {
	_, err := r.Secrets.ByVersion(ctx, e.SecretID, e.Token)
	if !errors.Is(err, ErrNoValue) {
		return err
	}
	user, err := r.nextUser(ctx, e.SecretID, current)
	if err != nil {
		return err
	}
	return r.Secrets.PutPending(ctx, e.SecretID, e.Token, Value{
		Engine: "postgres", Host: r.Connection.Host, Port: r.Connection.Port, Database: r.Connection.Database,
		Username: user, Password: r.NewPassword(),
	})
}

// nextUser is the one that is not in use, or the only one; the first one
// before the first rotation.
func (r *Rotation) nextUser(ctx context.Context, secret, current string) (string, error) {
	users := r.Users()
	if current == "" || len(users) == 1 {
		return users[0], nil
	}
	value, err := r.Secrets.ByVersion(ctx, secret, current)
	switch {
	case errors.Is(err, ErrNoValue):
		return users[0], nil
	case err != nil:
		return "", err
	case value.Username == users[0]:
		return users[1], nil
	}
	return users[0], nil
}

// set gives the pending user its password, unless it has it already.
func (r *Rotation) set(ctx context.Context, e Event, current string) error {
	pending, err := r.pending(ctx, e, current)
	if err != nil {
		return err
	}
	err = r.Database.Login(ctx, pending.Credentials(), r.Role)
	if !errors.Is(err, ErrRefused) {
		return err
	}
	admin, err := r.Secrets.ByStage(ctx, r.AdminSecret, Current)
	if err != nil {
		return fmt.Errorf("administrator: %w", err)
	}
	return r.Database.SetPassword(ctx, admin.Credentials(), pending.Credentials(), r.Role)
}

// test logs in as the application will.
func (r *Rotation) test(ctx context.Context, e Event, current string) error {
	pending, err := r.pending(ctx, e, current)
	if err != nil {
		return err
	}
	return r.Database.Login(ctx, pending.Credentials(), r.Role)
}

// finish makes the pending value the current one; Secrets Manager labels the
// one before it AWSPREVIOUS.
func (r *Rotation) finish(ctx context.Context, e Event, current string) error {
	if _, err := r.pending(ctx, e, current); err != nil {
		return err
	}
	return r.Secrets.MakeCurrent(ctx, e.SecretID, e.Token, current)
}

// pending is the value that this rotation made. Its user must be one of ours
// and, of two, not the one in use: otherwise who may write the secret could
// have the administrator change any user's password, or lock the application
// out.
func (r *Rotation) pending(ctx context.Context, e Event, current string) (Value, error) {
	pending, err := r.Secrets.ByVersion(ctx, e.SecretID, e.Token)
	if err != nil {
		return Value{}, fmt.Errorf("pending version: %w", err)
	}
	users := r.Users()
	if !slices.Contains(users, pending.Username) {
		return Value{}, fmt.Errorf("the pending user %q is not %s (cancel the rotation and start another)",
			pending.Username, strings.Join(users, " or "))
	}
	next, err := r.nextUser(ctx, e.SecretID, current)
	if err != nil {
		return Value{}, err
	}
	if pending.Username != next {
		return Value{}, fmt.Errorf("the pending user %q is in use (cancel the rotation and start another)", pending.Username)
	}
	return pending, nil
}
