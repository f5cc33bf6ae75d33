package blueprint

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/infra/data"
)

// KeySettings are a stack's own keys.
type KeySettings struct {
	KeyDeletionDays int `json:"keyDeletionDays,omitempty" doc:"How long a deleted key can be brought back, in days." min:"7" max:"30" default:"30"`
}

// newKey makes a key of the stack, for what it names as its users.
func (p *place) newKey(ctx *pulumi.Context, purpose, description string, days int, protect bool, users ...data.KeyUser) (*data.Key, error) {
	return data.NewKey(ctx, p.prefix+"-"+purpose, &data.KeyArgs{
		Scope: p.scope, Alias: p.prefix + "-" + purpose, Description: description, DeletionWindowInDays: days,
		Users: users, Protect: protect, Tags: p.tags,
	}, p.here())
}
