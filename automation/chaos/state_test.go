package chaos

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// state is as much of a deployment as is looked at.
type state struct {
	Version    int `json:"version"`
	Deployment struct {
		Resources         []resource  `json:"resources"`
		PendingOperations []operation `json:"pending_operations"`
	} `json:"deployment"`
}

type resource struct {
	URN          string         `json:"urn"`
	Type         string         `json:"type"`
	ID           string         `json:"id"`
	Custom       bool           `json:"custom"`
	Delete       bool           `json:"delete"`
	Parent       string         `json:"parent"`
	Provider     string         `json:"provider"`
	Inputs       map[string]any `json:"inputs"`
	Outputs      map[string]any `json:"outputs"`
	Dependencies []string       `json:"dependencies"`
}

type operation struct {
	Type     string   `json:"type"`
	Resource resource `json:"resource"`
}

func parse(t testing.TB, text json.RawMessage) state {
	t.Helper()
	var s state
	require.NoError(t, json.Unmarshal(text, &s))
	return s
}

// things are the resources that live in the cloud.
func (s state) things() []resource {
	return slices.DeleteFunc(slices.Clone(s.Deployment.Resources), func(r resource) bool { return r.Type != thingType })
}

// pending says whether an operation of a type is pending for a URN.
func (s state) pending(urn string, types ...string) bool {
	return slices.ContainsFunc(s.Deployment.PendingOperations, func(op operation) bool {
		return op.Resource.URN == urn && slices.Contains(types, op.Type)
	})
}

func (s state) has(urn, id string) bool {
	return slices.ContainsFunc(s.Deployment.Resources, func(r resource) bool { return r.URN == urn && r.ID == id })
}

// comparable is the state without what differs from run to run: the name of the
// stack, the order, identities of providers and ciphertext.
func (s state) comparable(t testing.TB, stack string) string {
	t.Helper()
	require.Empty(t, s.Deployment.PendingOperations)
	list := s.Deployment.Resources
	for i := range list {
		list[i].Provider = ""
		if strings.HasPrefix(list[i].Type, "pulumi:providers:") {
			list[i].ID = ""
		}
		for _, properties := range []map[string]any{list[i].Inputs, list[i].Outputs} {
			if secret, ok := properties["secret"].(map[string]any); ok {
				require.NotEmpty(t, secret["ciphertext"])
				properties["secret"] = "sealed"
			}
		}
	}
	slices.SortFunc(list, func(a, b resource) int { return strings.Compare(a.URN+a.ID, b.URN+b.ID) })
	text, err := json.MarshalIndent(list, "", " ")
	require.NoError(t, err)
	return strings.NewReplacer(":"+stack+"::", ":STACK::", `"`+stack+"/", `"STACK/`, "-"+stack+`"`, `-STACK"`).Replace(string(text))
}

// sound requires that the state knows all that was done in the cloud, or says
// that it does not know the end of it; and that it has all that was acknowledged.
func sound(t testing.TB, s state, lives map[string]live, journals []journal) {
	t.Helper()
	for id, l := range lives {
		require.True(t, s.has(l.urn, id) || s.pending(l.urn, "creating", "importing"), "%s lives, and the state does not know", id)
	}
	for _, r := range s.things() {
		l, ok := lives[r.ID]
		if !ok {
			require.True(t, s.pending(r.URN, "deleting"), "%s is in the state and does not live", r.ID)
			continue
		}
		for _, name := range []string{"value", "form"} {
			require.True(t, l.inputs[name] == r.Inputs[name] || s.pending(r.URN, "updating"), "%s is %v of %s in the state, and %v", r.Inputs[name], name, r.ID, l.inputs[name])
		}
	}
	for _, j := range journals {
		acknowledged(t, s, lives, j)
	}
}

// acknowledged requires that a step of which the client was told that it is kept
// is in the state: its end, or that it began.
func acknowledged(t testing.TB, s state, lives map[string]live, j journal) {
	t.Helper()
	types, urns, ended := map[int64]string{}, map[int64]string{}, map[int64]bool{}
	for _, e := range j.acknowledged {
		switch {
		case e.Kind == began && e.Operation != nil:
			types[e.OperationID], urns[e.OperationID] = e.Operation.Type, e.Operation.Resource.URN
		case e.Kind == succeeded || e.Kind == failed:
			require.False(t, types[e.OperationID] != "" && s.pending(urns[e.OperationID], types[e.OperationID]),
				"%s of %s had ended, and is pending", types[e.OperationID], urns[e.OperationID])
		}
		if e.Kind == succeeded && e.State != nil && e.State.ID != "" {
			_, there := lives[e.State.ID]
			require.True(t, !there || s.has(e.State.URN, e.State.ID), "%s was acknowledged, and is not in the state", e.State.ID)
		}
	}
	for _, e := range j.sent {
		if e.Kind != began {
			ended[e.OperationID] = true
		}
	}
	for id, kind := range types {
		require.True(t, ended[id] || s.pending(urns[id], kind), "%s of %s had begun and not ended, and is not pending", kind, urns[id])
	}
}
