package identity

import (
	"errors"
	"fmt"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/guide"
)

// AccessComponent is people's way into the account.
var AccessComponent = guide.Component{
	Token: "redoubt:identity:Access",
	Serves: []guide.ID{
		guide.OverviewIdentityMFA,
		guide.PracticesIAMConditionConstraints,
		guide.PracticesAuthenticationMFA,
		guide.PracticesAuthenticationSessionManagement,
		guide.PracticesAuthorizationRoleBasedAccess,
		guide.ResponsePartnersSOCProvider,
	},
}

// BreakGlassTag marks the role whose every use raises an alarm.
const BreakGlassTag = "security:break-glass"

const (
	humanSession = 3600 // seconds; the shortest maximum that IAM takes
	mfaAge       = time.Hour
	// breakGlassMFAAge makes the people of the break-glass role show their
	// second factor for it.
	breakGlassMFAAge = 15 * time.Minute
)

// AccessArgs describes who may come in as what.
type AccessArgs struct {
	Scope Scope
	// Prefix starts the role's names, after SecurityPrefix. The break-glass role
	// repairs what has it in its name.
	Prefix string
	// BreakGlass, Support and Auditors are principals' ARNs. A role whose list
	// is empty is not made.
	BreakGlass, Support, Auditors []string
	// Alarm is required with BreakGlass.
	Alarm *BreakGlassAlarm
	// SOC is the security operations partner, who reads; nil for none.
	SOC  *Partner
	Tags map[string]string
}

// Partner is another company's account.
type Partner struct {
	AccountID string
	// ExternalID is agreed with the partner, 8 characters or more.
	ExternalID string
}

// Access is the account's roles for people: all assumed with MFA, none longer
// than an hour.
type Access struct {
	pulumi.ResourceState

	// BreakGlass repairs a locked account, Support opens cases with AWS,
	// Auditor and SOC read the configuration and no data. Nil if nobody may
	// assume the role.
	BreakGlass, Support, Auditor, SOC *Role
}

// BreakGlassARN is the break-glass role's ARN, known at preview for the alarm.
func BreakGlassARN(scope Scope, prefix string) string {
	return scope.RoleARN(BreakGlassName(prefix))
}

// BreakGlassName is the break-glass role's physical name.
func BreakGlassName(prefix string) string { return SecurityName(prefix, "break-glass") }

// NewAccess makes the roles. The error joins every finding in args.
func NewAccess(ctx *pulumi.Context, name string, args *AccessArgs, opts ...pulumi.ResourceOption) (*Access, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("access %q: %w", name, err)
	}
	c := &Access{}
	if err := ctx.RegisterComponentResource(AccessComponent.Token, name, c, opts...); err != nil {
		return nil, fmt.Errorf("access %q: register: %w", name, err)
	}
	outputs := pulumi.Map{}
	for _, r := range args.roles(c) {
		if !r.wanted {
			continue
		}
		role, err := NewRole(ctx, name+"-"+r.key, r.args, pulumi.Parent(c))
		if err != nil {
			return nil, fmt.Errorf("access %q: %w", name, err)
		}
		*r.into = role
		outputs[r.output] = role.Arn
	}
	if c.BreakGlass != nil {
		if err := args.alarm(ctx, name, c); err != nil {
			return nil, fmt.Errorf("access %q: alarm: %w", name, err)
		}
	}
	return c, ctx.RegisterResourceOutputs(c, outputs)
}

// accessRole is a row of the table of people's roles.
type accessRole struct {
	key, output string
	wanted      bool
	into        **Role
	args        *RoleArgs
}

func (args *AccessArgs) roles(c *Access) []accessRole {
	awsPolicy := func(name string) string { return "arn:" + args.Scope.Partition + ":iam::aws:policy/" + name }
	reading := []string{awsPolicy("SecurityAudit"), awsPolicy("job-function/ViewOnlyAccess")}
	rows := []accessRole{
		{
			key: "break-glass", output: "breakGlassArn", wanted: len(args.BreakGlass) > 0, into: &c.BreakGlass,
			args: &RoleArgs{
				Description:       "People repair a locked account; every use raises an alarm",
				Trust:             HumanTrust(args.BreakGlass, breakGlassMFAAge),
				Policies:          map[string]Document{"repair": args.repairs()},
				ManagedPolicyARNs: []string{awsPolicy("SecurityAudit")},
			},
		},
		{
			key: "support", output: "supportArn", wanted: len(args.Support) > 0, into: &c.Support,
			args: &RoleArgs{
				Description:       "People open and follow cases with AWS Support",
				Trust:             HumanTrust(args.Support, mfaAge),
				ManagedPolicyARNs: []string{awsPolicy("AWSSupportAccess")},
			},
		},
		{
			key: "auditor", output: "auditorArn", wanted: len(args.Auditors) > 0, into: &c.Auditor,
			args: &RoleArgs{
				Description:       "Auditors read the account's configuration, and no data",
				Trust:             HumanTrust(args.Auditors, mfaAge),
				ManagedPolicyARNs: reading,
			},
		},
	}
	if args.SOC != nil {
		rows = append(rows, accessRole{
			key: "soc", output: "socArn", wanted: true, into: &c.SOC,
			args: &RoleArgs{
				Description:       "The SOC partner reads findings and configuration, and no data",
				Trust:             PartnerTrust(args.Scope.Partition, args.SOC.AccountID, args.SOC.ExternalID),
				ManagedPolicyARNs: []string{awsPolicy("SecurityAudit")},
			},
		})
	}
	for _, r := range rows {
		r.args.RoleName = SecurityName(args.Prefix, r.key)
		r.args.MaxSessionDuration = humanSession
		r.args.Tags = map[string]string{}
		for key, value := range args.Tags {
			r.args.Tags[key] = value
		}
		if r.key == "break-glass" {
			r.args.Tags[BreakGlassTag] = "true"
		}
	}
	return rows
}

func (args *AccessArgs) validate() error {
	if args == nil {
		return errors.New("args: nil (pass &identity.AccessArgs{…})")
	}
	f := &findings{}
	f.scope(args.Scope)
	f.prefix(args.Prefix)
	for _, list := range []struct {
		field      string
		principals []string
	}{{"breakGlass", args.BreakGlass}, {"support", args.Support}, {"auditors", args.Auditors}} {
		if len(list.principals) > 0 {
			f.humans(list.field, list.principals)
		}
	}
	args.checkAlarm(f)
	if p := args.SOC; p != nil {
		if !accountForm.MatchString(p.AccountID) || p.AccountID == args.Scope.AccountID {
			f.add("soc.accountId", fmt.Sprintf("%q is not a partner's account", p.AccountID), "the twelve digits of the partner's own account")
		}
		if !externalForm.MatchString(p.ExternalID) {
			f.add("soc.externalId", "shorter than 8 or with other signs than letters, digits and +=,.@:/-", "agree on a random one with the partner")
		}
	}
	return f.err()
}
