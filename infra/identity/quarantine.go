package identity

import (
	"errors"
	"fmt"
	"time"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/guide"
)

// QuarantineComponent is the deny policy that lies ready for incidents.
var QuarantineComponent = guide.Component{
	Token:  "redoubt:identity:Quarantine",
	Serves: []guide.ID{guide.ResponseContainmentUpdatePolicies},
}

// QuarantineArgs describes the policy.
type QuarantineArgs struct {
	Scope Scope
	// Prefix starts the policy's name, after SecurityPrefix.
	Prefix string
	Tags   map[string]string
}

// Quarantine is a managed policy that denies everything. Nothing carries it
// until an incident: attaching it to a role or user, or setting it as their
// boundary, is one call that needs no policy written under pressure.
type Quarantine struct {
	pulumi.ResourceState

	Policy *iam.Policy
	// Arn is composed from names, so that the responders' role names it at preview.
	Arn string
}

// QuarantineARN is the ARN of the policy that NewQuarantine makes for the prefix.
func QuarantineARN(scope Scope, prefix string) string {
	return scope.GlobalARN("iam", "policy/"+SecurityName(prefix, "quarantine"))
}

// NewQuarantine makes the policy. It is attached to nothing here: an
// attachment in the stack would be undone, or redone, by the next update.
func NewQuarantine(ctx *pulumi.Context, name string, args *QuarantineArgs, opts ...pulumi.ResourceOption) (*Quarantine, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("quarantine %q: %w", name, err)
	}
	text, err := Document{{Sid: "DenyEverything", Effect: Deny, Actions: []string{"*"}, Resources: []string{"*"}}}.JSON(ManagedPolicy)
	if err != nil {
		return nil, fmt.Errorf("quarantine %q: policy: %w", name, err)
	}
	c := &Quarantine{Arn: QuarantineARN(args.Scope, args.Prefix)}
	if err := ctx.RegisterComponentResource(QuarantineComponent.Token, name, c, opts...); err != nil {
		return nil, fmt.Errorf("quarantine %q: register: %w", name, err)
	}
	policyName := SecurityName(args.Prefix, "quarantine")
	c.Policy, err = iam.NewPolicy(ctx, name+"-policy", &iam.PolicyArgs{
		Name:        pulumi.String(policyName),
		Description: pulumi.String("Denies everything to a contained principal; attached by incident response only"),
		Policy:      pulumi.String(text),
		Tags:        tagged(args.Tags, policyName),
	}, pulumi.Parent(c))
	if err != nil {
		return nil, fmt.Errorf("quarantine %q: %w", name, err)
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{"arn": pulumi.String(c.Arn)})
}

func (args *QuarantineArgs) validate() error {
	if args == nil {
		return errors.New("args: nil (pass &identity.QuarantineArgs{…})")
	}
	f := &findings{}
	f.scope(args.Scope)
	f.prefix(args.Prefix)
	return f.err()
}

// RevokeSessions is the inline policy that ends a role's sessions which began
// before the time: their credentials stay valid for AWS until they expire, but
// are denied everything. New sessions work.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_revoke-sessions.html
func RevokeSessions(before time.Time) Document {
	return Document{{
		Sid: "RevokeOlderSessions", Effect: Deny, Actions: []string{"*"}, Resources: []string{"*"},
		Conditions: []Condition{{"DateLessThan", "aws:TokenIssueTime", []string{before.UTC().Format(time.RFC3339)}}},
	}}
}
