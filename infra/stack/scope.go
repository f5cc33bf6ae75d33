package stack

import (
	"fmt"
	"maps"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/infra/config"
	"redoubt/infra/identity"
)

// globalRegion is where the events of services without regions appear.
const globalRegion = "us-east-1"

// place is where a stack lives: its providers, account and regions.
type place struct {
	primary *aws.Provider
	// replica is nil without a replica region.
	replica *aws.Provider
	// global is of us-east-1; nil where that is the stack's region, or nobody
	// needs it.
	global       *aws.Provider
	scope        identity.Scope
	replicaScope identity.Scope
}

// newPlace makes the providers and asks which account they are in. The
// providers are explicit, because version 6 has no region per resource, and
// because allowedAccountIds makes AWS the judge of accountId.
func newPlace(ctx *pulumi.Context, c config.Config) (*place, error) {
	p := &place{}
	var err error
	if p.primary, err = newProvider(ctx, "primary", c, c.Region); err != nil {
		return nil, err
	}
	if c.ReplicaRegion != "" {
		if p.replica, err = newProvider(ctx, "replica", c, c.ReplicaRegion); err != nil {
			return nil, err
		}
	}
	if c.Region != globalRegion && c.ReplicaRegion != globalRegion && c.Alerting.AccountEvents {
		if p.global, err = newProvider(ctx, "global", c, globalRegion); err != nil {
			return nil, err
		}
	}
	caller, err := aws.GetCallerIdentity(ctx, nil, pulumi.Provider(p.primary))
	if err != nil {
		return nil, fmt.Errorf("which account the credentials belong to: %w", err)
	}
	if c.AccountID != "" && caller.AccountId != c.AccountID {
		return nil, fmt.Errorf("redoubt:accountId is %s, but the credentials belong to account %s (use the other account's credentials, or correct accountId)", c.AccountID, caller.AccountId)
	}
	partition, err := aws.GetPartition(ctx, nil, pulumi.Provider(p.primary))
	if err != nil {
		return nil, fmt.Errorf("which partition %s is in: %w", c.Region, err)
	}
	p.scope = identity.Scope{Partition: partition.Partition, Region: c.Region, AccountID: caller.AccountId}
	p.replicaScope = p.scope.In(c.ReplicaRegion)
	return p, nil
}

func newProvider(ctx *pulumi.Context, name string, c config.Config, region string) (*aws.Provider, error) {
	args := &aws.ProviderArgs{
		Region:      pulumi.String(region),
		DefaultTags: aws.ProviderDefaultTagsArgs{Tags: pulumi.ToStringMap(c.Tags)},
	}
	if c.AccountID != "" {
		args.AllowedAccountIds = pulumi.ToStringArray([]string{c.AccountID})
	}
	return aws.NewProvider(ctx, name, args)
}

// here are the options of a component in the stack's own region.
func (p *place) here() pulumi.ResourceOption { return pulumi.Provider(p.primary) }

// there are the options of a component in the replica's region.
func (p *place) there() pulumi.ResourceOption { return pulumi.Provider(p.replica) }

// in is the provider of a region that the stack has one in.
func (p *place) in(region string) *aws.Provider {
	switch region {
	case p.scope.Region:
		return p.primary
	case p.replicaScope.Region:
		return p.replica
	default:
		return p.global
	}
}

// others are the regions besides its own that the stack has providers in.
func (p *place) others() []string {
	var out []string
	if p.replica != nil {
		out = append(out, p.replicaScope.Region)
	}
	if p.global != nil {
		out = append(out, globalRegion)
	}
	return out
}

func sortedRegions[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
