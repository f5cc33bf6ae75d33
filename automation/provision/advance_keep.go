package provision

import (
	"context"
	"errors"
	"sync"
	"time"

	"redoubt/automation/backend"
)

// keeper renews a claim, and hears what others want of its operation. Each channel
// is closed when its time has come.
type keeper struct {
	// lost: the claim is somebody else's, or could not be renewed in time.
	lost chan struct{}
	// canceled: somebody wants the operation to end; forced: without waiting.
	canceled, forced chan struct{}
	stop             func()
}

// lookEvery is how often a worker looks whether its operation is to end.
const lookEvery = time.Second

// keep keeps the claim until stop is called.
func (w *Work) keep() *keeper {
	ctx, cancel := context.WithCancel(context.Background())
	k := &keeper{lost: make(chan struct{}), canceled: make(chan struct{}), forced: make(chan struct{})}
	var ended sync.WaitGroup
	ended.Go(func() { w.renew(ctx, k) })
	ended.Go(func() { w.look(ctx, k) })
	k.stop = func() { cancel(); ended.Wait() }
	return k
}

// renew renews the claim with each heartbeat. Who does not reach the database must
// take its claim for lost before others may: it cannot see them do so.
func (w *Work) renew(ctx context.Context, k *keeper) {
	ticker := time.NewTicker(w.node.beat())
	defer ticker.Stop()
	renewed := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		// Before the question: the database's answer may take its time.
		asked := time.Now()
		end := renewed.Add(w.node.lease() - w.node.beat())
		asking, cancel := context.WithDeadline(ctx, end)
		err := w.service.store.Update(asking, func(tx Tx) error {
			c := w.claim
			c.ExpiresAt = tx.Now().Add(w.node.lease())
			return tx.RenewClaim(c)
		})
		cancel()
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			renewed = asked
		case errors.Is(err, backend.ErrNotFound) || !time.Now().Before(end):
			w.service.opts.Log.Error("the claim on an operation is lost", "operation", w.claim.OperationID, "node", w.node.ID, "error", err)
			close(k.lost)
			return
		default:
			w.service.opts.Log.Warn("the claim on an operation was not renewed, and will be tried again", "operation", w.claim.OperationID, "error", err)
		}
	}
}

// look looks for wishes to cancel.
func (w *Work) look(ctx context.Context, k *keeper) {
	ticker := time.NewTicker(min(lookEvery, w.node.beat()))
	defer ticker.Stop()
	canceled, seen := false, int64(0)
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		var o Operation
		changed := false
		err := w.service.store.View(ctx, func(tx Tx) error {
			at, err := tx.Position(w.claim.OperationID)
			if changed = at.Version != seen; err != nil || !changed {
				return err
			}
			o, err = tx.Operation(w.claim.OperationID)
			return err
		})
		if err != nil || !changed {
			continue // the heartbeat notices an error that lasts
		}
		seen = o.Version
		if wanted := o.CancelRequested != "" || o.State == Canceled; wanted && !canceled {
			canceled = true
			close(k.canceled)
		}
		if o.Forced {
			close(k.forced)
			return
		}
	}
}

// closed says whether a channel is.
func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
