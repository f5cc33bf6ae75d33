package identity

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/guide"
	"redoubt/infra/singleton"
)

// AccountGuardsComponent sets what the account refuses whatever a policy says.
var AccountGuardsComponent = guide.Component{
	Token: "redoubt:identity:AccountGuards",
	Serves: []guide.ID{
		guide.PracticesS3PublicAccessBlocked,
		guide.PracticesAuthorizationResourcePolicies,
	},
}

// Guard is one setting of the account, or of its region.
type Guard string

// The guards.
const (
	GuardS3PublicAccess       Guard = "s3PublicAccess"
	GuardEBSEncryption        Guard = "ebsEncryption"
	GuardEBSKey               Guard = "ebsKey"
	GuardSnapshotPublicAccess Guard = "snapshotPublicAccess"
	GuardImagePublicAccess    Guard = "imagePublicAccess"
	GuardInstanceMetadata     Guard = "instanceMetadata"
	GuardSerialConsole        Guard = "serialConsole"
	GuardTraceKey             Guard = "traceKey"
)

// AccountGuardsArgs says which guards the stack owns.
type AccountGuardsArgs struct {
	// Mode is for every guard that Modes does not name. A guard has no id:
	// Adopt leaves it as it is, as Off does.
	Mode singleton.Singleton
	// Modes are exceptions from Mode.
	Modes map[Guard]singleton.Singleton
	// EBSKeyArn is the key of volumes for which none is named; nil leaves AWS's
	// key and GuardEBSKey out. Its policy needs data.KeyForServiceGrants.
	EBSKeyArn pulumi.StringInput
	// TraceKeyArn is the key of X-Ray's traces; nil leaves AWS's key and
	// GuardTraceKey out. Who deploys makes X-Ray's grant for it.
	TraceKeyArn pulumi.StringInput
	// Protect keeps the guards when the stack is destroyed: deleting one turns
	// the account back to what AWS thinks is the default.
	Protect bool
}

// AccountGuards are settings that hold for everything in the account (S3) or
// in its region (the others), also for what other stacks and people make. One
// stack per account and region may manage them.
type AccountGuards struct {
	pulumi.ResourceState

	// Guards are the managed ones.
	Guards map[Guard]pulumi.Resource
}

// NewAccountGuards makes the managed guards, in the table's order.
func NewAccountGuards(ctx *pulumi.Context, name string, args *AccountGuardsArgs, opts ...pulumi.ResourceOption) (*AccountGuards, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("account guards %q: %w", name, err)
	}
	c := &AccountGuards{Guards: map[Guard]pulumi.Resource{}}
	if err := ctx.RegisterComponentResource(AccountGuardsComponent.Token, name, c, opts...); err != nil {
		return nil, fmt.Errorf("account guards %q: register: %w", name, err)
	}
	var made []string
	for _, row := range accountGuards {
		if !args.mode(row.guard).Managed() || row.key != nil && row.key(args) == nil {
			continue
		}
		guard, err := row.set(ctx, name+"-"+row.name, args, managed(c, args.Protect)...)
		if err != nil {
			return nil, fmt.Errorf("account guards %q: %s: %w", name, row.guard, err)
		}
		c.Guards[row.guard] = guard
		made = append(made, string(row.guard))
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{"guards": pulumi.ToStringArray(made)})
}

func (args *AccountGuardsArgs) mode(guard Guard) singleton.Singleton {
	if mode, named := args.Modes[guard]; named {
		return mode
	}
	return args.Mode
}

func (args *AccountGuardsArgs) validate() error {
	if args == nil {
		return errors.New("args: nil (pass &identity.AccountGuardsArgs{…})")
	}
	f := &findings{}
	f.wrap("mode", args.Mode.Validate())
	for _, guard := range slices.Sorted(maps.Keys(args.Modes)) {
		field := fmt.Sprintf("modes[%q]", guard)
		if !slices.ContainsFunc(accountGuards, func(row accountGuard) bool { return row.guard == guard }) {
			f.add(field, "no guard has that name", "use an identity.Guard… constant")
		}
		f.wrap(field, args.Modes[guard].Validate())
	}
	for _, row := range accountGuards {
		if row.key != nil && args.Modes[row.guard].Managed() && row.key(args) == nil {
			f.add(string(row.guard)+"Arn", fmt.Sprintf("missing, though %s is managed", row.guard), "pass the key's ARN")
		}
	}
	return f.err()
}
