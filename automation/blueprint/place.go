package blueprint

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/infra/identity"
)

// Where is where a stack lives, for every blueprint but the whole one.
type Where struct {
	Region      string            `json:"region" doc:"AWS region, for example eu-central-1." pattern:"^[a-z]{2}(-[a-z]+)+-[0-9]$"`
	AccountID   string            `json:"accountId,omitempty" doc:"The 12-digit account that the stack may be applied to; AWS refuses any other. Empty for the one of the credentials." pattern:"^[0-9]{12}$"`
	Environment string            `json:"environment,omitempty" doc:"What the stack is for. It decides the defaults: prod protects against deletion, dev may be destroyed with what it holds." enum:"dev,staging,prod" default:"dev"`
	Tags        map[string]string `json:"tags,omitempty" doc:"Tags of every resource, for example owner." names:"^[A-Za-z0-9 _.:/=+@-]{1,128}$" maxLength:"256" maxProperties:"40"`
}

var awsTag = regexp.MustCompile(`(?i)^aws:`)

func (w *Where) check(f *findings) {
	for _, name := range slices.Sorted(maps.Keys(w.Tags)) {
		f.refuse(awsTag.MatchString(name), "/tags/"+escape(name), "tags that start with aws: are AWS's own (choose another name)")
		f.refuse(name == "Name", "/tags/Name", "each resource has a Name of its own (choose another tag)")
	}
}

// inRegion refuses the ARN of something in another region or account; an empty
// one is none.
func (w *Where) inRegion(f *findings, pointer, arn string) {
	at := strings.SplitN(arn, ":", 6)
	if len(at) < 6 {
		return
	}
	f.refuse(at[3] != w.Region, pointer, "is in %s, the stack in %s (name one of the stack's region)", at[3], w.Region)
	f.refuse(w.AccountID != "" && at[4] != w.AccountID, pointer, "is in account %s, the stack in %s (name one of the stack's account)", at[4], w.AccountID)
}

func (w *Where) prod() bool { return w.Environment == "prod" }

// inProd is the value of an input: true in prod where it was left out.
func (w *Where) inProd(given *bool) *bool {
	if given != nil {
		return given
	}
	prod := w.prod()
	return &prod
}

// inDev is the value of an input: true in dev where it was left out.
func (w *Where) inDev(given *bool) *bool {
	if given != nil {
		return given
	}
	dev := w.Environment == "dev"
	return &dev
}

// place is where a program runs: its provider, account, region and names.
type place struct {
	provider *aws.Provider
	scope    identity.Scope
	// prefix starts every physical name.
	prefix string
	// suffix tells logical names of another region from the stack's own.
	suffix string
	tags   map[string]string
}

// open makes the provider and asks which account it is in.
func (w *Where) open(ctx *pulumi.Context) (*place, error) {
	p := &place{prefix: prefixOf(ctx), tags: maps.Clone(w.Tags)}
	if p.tags == nil {
		p.tags = map[string]string{}
	}
	p.tags["environment"] = w.Environment
	var err error
	if p.provider, err = w.newProvider(ctx, "primary", w.Region, p.tags); err != nil {
		return nil, err
	}
	caller, err := aws.GetCallerIdentity(ctx, nil, pulumi.Provider(p.provider))
	if err != nil {
		return nil, fmt.Errorf("which account the credentials belong to: %w", err)
	}
	if w.AccountID != "" && caller.AccountId != w.AccountID {
		return nil, fmt.Errorf("accountId is %s, but the credentials belong to account %s (use the other account's credentials, or correct accountId)", w.AccountID, caller.AccountId)
	}
	partition, err := aws.GetPartition(ctx, nil, pulumi.Provider(p.provider))
	if err != nil {
		return nil, fmt.Errorf("which partition %s is in: %w", w.Region, err)
	}
	p.scope = identity.Scope{Partition: partition.Partition, Region: w.Region, AccountID: caller.AccountId}
	return p, nil
}

func (w *Where) newProvider(ctx *pulumi.Context, name, region string, tags map[string]string) (*aws.Provider, error) {
	args := &aws.ProviderArgs{Region: pulumi.String(region), DefaultTags: aws.ProviderDefaultTagsArgs{Tags: pulumi.ToStringMap(tags)}}
	if w.AccountID != "" {
		args.AllowedAccountIds = pulumi.ToStringArray([]string{w.AccountID})
	}
	return aws.NewProvider(ctx, name, args)
}

// here are the options of a component in the stack's own region.
func (p *place) here() pulumi.ResourceOption { return pulumi.Provider(p.provider) }

// bucketName is unique in the world, because it holds account and region, and
// known at preview. The purpose has at most 9 characters.
func (p *place) bucketName(purpose string) string {
	return strings.Join([]string{p.prefix, purpose, p.scope.AccountID, p.scope.Region}, "-")
}
