package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"time"

	"redoubt/automation/client"
)

const (
	// lookEvery is how often a wait looks whether something keeps an operation that
	// its own events do not tell of.
	lookEvery = 2 * time.Second
	// quiet is for how long nothing may happen: what takes longer than any resource
	// does is nothing that a script should wait for.
	quiet = 45 * time.Minute
)

// errEnough ends the stream of events of a wait that has seen enough.
var errEnough = errors.New("nothing more is waited for")

// pause is why a wait ends before its operation does.
type pause struct {
	// why is for people, with who must do what.
	why string
	// stuck says that it is not known to be anybody's turn.
	stuck bool
}

// wait follows an operation to its end, or until it goes no further without
// people; then it says who must do what, and that is no failure.
func wait(ctx context.Context, s *streams, r remote, service *client.Client, id string) error {
	op, err := await(ctx, s, r, service, id)
	var p *pause
	if err != nil && !errors.As(err, &p) {
		return err
	}
	if err := r.print(s, op, func(w io.Writer) { conclude(w, op) }); err != nil {
		return err
	}
	switch {
	case p == nil:
		return succeeded(op)
	case p.stuck:
		fmt.Fprintln(s.err, p.why)
		return errNotOK
	}
	fmt.Fprintln(s.err, p.why)
	return nil
}

// Error implements error.
func (p *pause) Error() string { return p.why }

// await shows an operation until it ends, and returns it. The error is a *pause
// where it goes no further by itself.
func await(ctx context.Context, s *streams, r remote, service *client.Client, id string) (client.Operation, error) {
	watching, enough := context.WithCancelCause(ctx)
	defer enough(nil)
	var last atomic.Int64 // when something happened
	last.Store(time.Now().UnixNano())
	var found atomic.Pointer[pause]
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		look := time.NewTicker(lookEvery)
		defer look.Stop()
		for {
			select {
			case <-watching.Done():
				return
			case <-look.C:
			}
			p, err := hindered(watching, service, id)
			if err == nil && p == nil && time.Since(time.Unix(0, last.Load())) > quiet {
				p = &pause{why: fmt.Sprintf("Nothing has happened for %s: redoubt operations watch %s follows it further.", quiet, id), stuck: true}
			}
			if p != nil {
				found.Store(p)
				enough(errEnough)
				return
			}
		}
	}()
	err := showEvents(watching, s, r, service, id, false, func(e client.Event) bool {
		last.Store(time.Now().UnixNano())
		p, err := turn(watching, service, id, e)
		if err != nil || p == nil {
			return false // where it is asked again, by hindered
		}
		found.Store(p)
		return true
	})
	enough(nil)
	<-ended
	if err != nil {
		return client.Operation{}, err
	}
	op, err := service.GetOperation(ctx, id, client.GetOperationParams{})
	if p := found.Load(); err == nil && p != nil && !op.Final {
		return op, p
	}
	return op, err
}

// turn says whether it is people's turn after an event: it was then, and is still.
func turn(ctx context.Context, service *client.Client, id string, e client.Event) (*pause, error) {
	var h happening
	if e.Type != "state" && e.Type != "log" || json.Unmarshal(e.Data, &h) != nil {
		return nil, nil //nolint:nilnil // it is not
	}
	if h.To != "awaiting_approval" && h.To != "needs_recovery" && !strings.HasPrefix(h.Message, itWaits) {
		return nil, nil //nolint:nilnil // it is not
	}
	op, err := service.GetOperation(ctx, id, client.GetOperationParams{})
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(h.Message, itWaits) && op.State == "approved" {
		return &pause{why: "It is approved, and waits: " + clean(strings.TrimPrefix(h.Message, itWaits)) + ". It goes on by itself after that."}, nil
	}
	return waitsFor(op), nil
}

// itWaits begins the line in an operation's log that says why it is left to wait.
const itWaits = "it waits: "

// waitsFor says for whom an operation waits; nil for nobody.
func waitsFor(op client.Operation) *pause {
	switch op.State {
	case "awaiting_approval":
		lines := []string{"It waits for people to approve its plan:"}
		for _, a := range op.RequiredApprovals {
			if n := a.Required - a.Granted; n > 0 {
				lines = append(lines, fmt.Sprintf("  rule %s: %d more by %s", clean(a.Rule), n, approvers(a.Groups)))
			}
		}
		lines = append(lines, fmt.Sprintf("Somebody else than %s: redoubt approve %s, or redoubt reject %s", clean(op.RequestedBy.ID), op.ID, op.ID))
		if !op.DeadlineAt.IsZero() {
			lines = append(lines, "It ends by itself at "+dateText(op.DeadlineAt, "")+".")
		}
		return &pause{why: strings.Join(lines, "\n")}
	case "needs_recovery":
		return &pause{why: fmt.Sprintf("It died in the middle, and what it was making may exist or not.\nAn operator: redoubt operations show %s, then redoubt environments recover %s", op.ID, op.Stack)}
	}
	return nil
}

func approvers(groups []string) string {
	if len(groups) == 0 {
		return "any approver"
	}
	return "approvers in " + clean(strings.Join(groups, " or "))
}

// hindered says what keeps an operation that its own events do not tell of: a lock
// of its stack. nil for nothing.
func hindered(ctx context.Context, service *client.Client, id string) (*pause, error) {
	op, err := service.GetOperation(ctx, id, client.GetOperationParams{})
	if err != nil {
		return nil, err
	}
	if p := waitsFor(op); p != nil {
		return p, nil
	}
	if op.State != "queued" && op.State != "approved" {
		return nil, nil //nolint:nilnil // nothing does
	}
	stack, err := service.GetStack(ctx, op.StackID)
	if err != nil || stack.Lock == nil {
		return nil, err
	}
	return &pause{why: fmt.Sprintf("It waits: %s locked the environment: %s\nWho has that in hand: redoubt environments unlock %s", clean(stack.Lock.By), clean(stack.Lock.Reason), op.Stack)}, nil
}
