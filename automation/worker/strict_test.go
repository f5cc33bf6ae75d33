package worker_test

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/provision"
)

// watched is an engine whose plans are seen.
type watched struct {
	provision.Engine
	mu           sync.Mutex
	saved, given []string
}

func (w *watched) Run(ctx context.Context, r provision.Run, emit func(provision.Event), kill <-chan struct{}) (provision.Result, error) {
	result, err := w.Engine.Run(ctx, r, emit, kill)
	w.mu.Lock()
	defer w.mu.Unlock()
	if r.SavePlan {
		w.saved = append(w.saved, string(result.SavedPlan))
	}
	if r.Phase == provision.PhaseUp {
		w.given = append(w.given, string(r.Plan))
	}
	return result, err
}

// An update that is held to its plan does what was previewed, or nothing else.
func TestStrict(t *testing.T) {
	w := newWorld(t, "", nil)
	seen := &watched{Engine: w.engine}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- w.worker(seen).Run(ctx) }()
	t.Cleanup(func() {
		stop()
		require.NoError(t, <-ended)
	})
	project := w.project(t, provision.ProjectSettings{ApprovalRules: []provision.ApprovalRule{{Name: "prod", Stacks: "prod", Required: 1}}})
	strict := func(name string, in inputs) (provision.Environment, provision.Operation) {
		no := false
		env, o, err := w.service.CreateEnvironment(t.Context(), alice, provision.NewEnvironment{
			ProjectID: project.ID, Name: name, Blueprint: "things", Inputs: encoded(t, in), Protected: &no,
			Options: provision.OperationOptions{Strict: true, Message: `the "first" one`},
		})
		require.NoError(t, err)
		return env, o
	}

	_, o := w.stack(t, project, "lax", "things", inputs{Things: 1, Tag: "a", Fickle: true})
	w.reaches(t, o.ID, provision.Succeeded)
	require.Equal(t, 1, w.fake.Count("lax", "t0"), "what the preview did not say is done all the same")
	require.Empty(t, seen.saved)

	_, o = strict("fickle", inputs{Things: 1, Tag: "a", Fickle: true})
	o = w.reaches(t, o.ID, provision.Failed)
	require.Contains(t, o.Failure.Message, "violates plan")
	require.Contains(t, o.Failure.Message, "tag")
	require.Zero(t, w.fake.Count("fickle", "t0"))

	const secret = "hush-4711-hush"
	env, o := strict("prod", inputs{Things: 1, Tag: "a", Secret: secret, Hidden: true})
	o = w.reaches(t, o.ID, provision.AwaitingApproval)
	w.approve(t, o)
	w.reaches(t, o.ID, provision.Succeeded)
	require.Equal(t, 1, w.fake.Count("prod", "hidden"))
	seen.mu.Lock()
	defer seen.mu.Unlock()
	require.Len(t, seen.saved, 3, "of fickle's preview, of prod's, and of the one after its approval")
	require.Equal(t, []string{"", seen.saved[0], seen.saved[2]}, seen.given)
	for _, plan := range seen.saved {
		require.Contains(t, plan, "resourcePlans")
		require.NotContains(t, plan, secret)
	}
	require.NotContains(t, w.told(t, o.ID), "resourcePlans")

	updates, err := w.backend.History(t.Context(), w.admin(), env.Name, 1, 10)
	require.NoError(t, err)
	require.NotEmpty(t, updates)
	require.Equal(t, `the "first" one`, updates[0].Message, "the stack's history says why")
}
