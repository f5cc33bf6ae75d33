package sql

import (
	"time"

	"redoubt/automation/backend"
	"redoubt/automation/provision"
)

var claimColumns = columns{"stack_id", "operation_id", "node", "fence", "expires_at"}

var selectClaims = "SELECT " + claimColumns.list() + " FROM claims"

const (
	// takeClaim is one statement, so that of many that want a claim one has it. The
	// row stays when a claim is released, and with it the fence.
	takeClaim = `INSERT INTO claims (stack_id, operation_id, node, fence, expires_at) VALUES ($1, $2, $3, 1, $4)
		ON CONFLICT (stack_id) DO UPDATE SET operation_id = excluded.operation_id, node = excluded.node,
			fence = claims.fence + 1, expires_at = excluded.expires_at
		WHERE claims.expires_at <= $5 RETURNING fence`
	renewClaim   = "UPDATE claims SET expires_at = $3 WHERE stack_id = $1 AND fence = $2 AND expires_at > 0"
	releaseClaim = "UPDATE claims SET expires_at = 0 WHERE stack_id = $1 AND fence = $2"
)

func scanClaim(r row) (c provision.Claim, err error) {
	err = r.Scan(&c.StackID, &c.OperationID, &c.Node, &c.Fence, moment{&c.ExpiresAt})
	return c, err
}

// TakeClaim implements provision.Tx. The environment is there before it.
func (t *tx) TakeClaim(c provision.Claim, at time.Time) (provision.Claim, error) {
	fences, err := all(t, value[int64], takeClaim, c.StackID, c.OperationID, c.Node, micros(c.ExpiresAt), micros(at))
	switch {
	case err != nil:
		return provision.Claim{}, err
	case len(fences) == 0:
		return provision.Claim{}, backend.ErrExists
	}
	c.Fence, c.ExpiresAt = fences[0], time.UnixMicro(micros(c.ExpiresAt)).UTC()
	return c, nil
}

// RenewClaim implements provision.Tx. A claim that has ended is not lost before
// somebody takes it or it is released.
func (t *tx) RenewClaim(c provision.Claim) error {
	return t.change(renewClaim, c.StackID, c.Fence, micros(c.ExpiresAt))
}

// ReleaseClaim implements provision.Tx.
func (t *tx) ReleaseClaim(stackID string, fence int64) error {
	_, err := t.exec(releaseClaim, stackID, fence)
	return err
}

// Claim implements provision.Tx. It is not found after its release, and it is
// after its end.
func (t *tx) Claim(stackID string) (provision.Claim, error) {
	return one(t, scanClaim, selectClaims+" WHERE stack_id = $1 AND expires_at > 0", stackID)
}

// ExpiredClaims implements provision.Tx, oldest first.
func (t *tx) ExpiredClaims(before time.Time, limit int) ([]provision.Claim, error) {
	return all(t, scanClaim, selectClaims+" WHERE expires_at > 0 AND expires_at < $1 ORDER BY expires_at, stack_id LIMIT $2", micros(before), atMost(limit))
}

// Claims implements provision.Tx, sorted by stack.
func (t *tx) Claims(at time.Time) ([]provision.Claim, error) {
	return all(t, scanClaim, selectClaims+" WHERE expires_at > 0 AND expires_at > $1 ORDER BY stack_id", micros(at))
}
