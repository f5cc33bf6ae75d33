package cedar

import (
	"context"
	"errors"
	"maps"
	"strings"

	"redoubt/automation/backend"
	"redoubt/automation/provision"
)

// OperationPrefix starts the principal of the token that an operation of this
// service's own runs with. Whether the operation may was decided before.
const OperationPrefix = "operation/"

// verbs are the actions that the backend's verbs ask for. A preview decrypts what
// the stack's configuration has, so that decrypting is no more than a preview here:
// to see a secret outside of one, the token's grants must allow it.
var verbs = map[backend.Verb]provision.Action{
	backend.Read: provision.ActionRead, backend.Preview: provision.ActionPreview, backend.Decrypt: provision.ActionPreview,
	backend.Write: provision.ActionApply, backend.Apply: provision.ActionApply, backend.ApplyProtected: provision.ActionApply,
	backend.Policy: provision.ActionManageSettings, backend.Admin: provision.ActionManageProject,
}

// Backend asks the policies for the backend protocol too: what the stock CLI does
// with a token takes both the token's grants and a policy. Whoever has a token and
// no binding may then do nothing, which is why an installation chooses this. who says whom a token speaks for:
// identity.OfToken.
func (a *Authorizer) Backend(store provision.Store, who func(backend.Caller) provision.Principal) backend.Authorize {
	return func(ctx context.Context, by backend.Caller, v backend.Verb, name backend.StackName) (bool, []string, error) {
		if strings.HasPrefix(by.Principal(), OperationPrefix) {
			return true, nil, nil
		}
		p := who(by)
		on := provision.Resource{Org: name.Org, Project: name.Project, Stack: name.Stack}
		var bindings []provision.Binding
		err := store.View(ctx, func(tx provision.Tx) (err error) {
			if bindings, err = tx.Bindings(Subjects(p)...); err != nil {
				return err
			}
			return describe(tx, &on, name)
		})
		if err != nil {
			return false, nil, err
		}
		d, err := a.Decide(p, bindings, verbs[v], on)
		return d.Allowed, d.Policies, err
	}
}

// describe says of a stack what policies may ask; a stack that is to be made has
// nothing but its name.
func describe(tx provision.Tx, on *provision.Resource, name backend.StackName) error {
	stack, err := tx.Stack(name)
	switch {
	case errors.Is(err, backend.ErrNotFound):
		return nil
	case err != nil:
		return err
	}
	on.Tags, on.Protected = maps.Clone(stack.Tags), stack.Protected
	env, err := tx.Environment(stack.ID)
	switch {
	case errors.Is(err, backend.ErrNotFound):
		return nil // not ordered here
	case err != nil:
		return err
	}
	// The API has labels where the protocol has tags, which whoever writes the stack
	// sets: where both say something, the label counts.
	if on.Tags == nil {
		on.Tags = map[string]string{}
	}
	maps.Copy(on.Tags, env.Labels)
	on.Owner, on.TTL, on.Protected = env.Owner, !env.ExpiresAt.IsZero(), stack.Protected || env.Protected
	return nil
}
