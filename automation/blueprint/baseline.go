package blueprint

import (
	"cmp"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/infra/monitoring"
)

// OnBaseline is where a stack lives that stands on another: in its VPC, behind
// its endpoints, with its boundary.
type OnBaseline struct {
	Where
	Baseline string `json:"baseline" doc:"The stack of blueprint defense-in-depth that this one stands on, in the same account and region: organization/project/stack." pattern:"^[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+$" maxLength:"300"`
}

// baseline is what is read of another stack's outputs (docs/outputs.md). A field
// is required unless it is a pointer, a map or says omitempty.
type baseline struct {
	VpcID            string            `json:"vpcId"`
	PublicSubnetIDs  []string          `json:"publicSubnetIds"`
	AppSubnetIDs     []string          `json:"appSubnetIds"`
	DataSubnetIDs    []string          `json:"dataSubnetIds"`
	EndpointIDs      map[string]string `json:"endpointIds,omitempty"`
	SecurityGroupIDs struct {
		Aurora   string `json:"aurora"`
		Lambda   string `json:"lambda"`
		Endpoint string `json:"endpoint"`
	} `json:"securityGroupIds"`
	Buckets struct {
		AccessLogs struct {
			Name string `json:"name"`
		} `json:"accessLogs"`
	} `json:"buckets"`
	KmsKeys struct {
		App struct {
			Arn   string `json:"arn"`
			Alias string `json:"alias"`
		} `json:"app"`
	} `json:"kmsKeys"`
	BoundaryArn string `json:"boundaryArn"`
	TopicArns   struct {
		High   string `json:"high"`
		Medium string `json:"medium"`
		Low    string `json:"low"`
	} `json:"topicArns"`
}

// read reads the baseline's outputs. They are plain values at preview too, so a
// policy can judge what is made of them. The error names everything that is
// missing.
func (b *OnBaseline) read(ctx *pulumi.Context, p *place) (*baseline, error) {
	ref, err := pulumi.NewStackReference(ctx, b.Baseline, nil)
	if err != nil {
		return nil, fmt.Errorf("baseline %s: %w", b.Baseline, err)
	}
	values, missing := map[string]any{}, []string(nil)
	for _, f := range fieldsOf(reflect.TypeFor[baseline]()) {
		name, option, _ := strings.Cut(f.Tag.Get("json"), ",")
		details, err := ref.GetOutputDetails(name)
		if err != nil {
			return nil, fmt.Errorf("baseline %s: output %s: %w", b.Baseline, name, err)
		}
		if details.Value == nil && option != "omitempty" {
			missing = append(missing, name)
		}
		values[name] = details.Value
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("baseline %s has no output %s: is it a stack of blueprint defense-in-depth, of layer all or workload, and updated?", b.Baseline, strings.Join(missing, ", "))
	}
	out := &baseline{}
	if err := json.Unmarshal(encode(values), out); err != nil {
		return nil, fmt.Errorf("baseline %s: its outputs are not those of docs/outputs.md: %w", b.Baseline, err)
	}
	// arn:partition:kms:region:account:key/id
	if at := strings.Split(out.KmsKeys.App.Arn, ":"); len(at) > 4 && (at[3] != p.scope.Region || at[4] != p.scope.AccountID) {
		return nil, fmt.Errorf("baseline %s is in %s of account %s, this stack in %s of account %s (a stack stands on one of its own account and region)",
			b.Baseline, at[3], at[4], p.scope.Region, p.scope.AccountID)
	}
	return out, nil
}

// topics are who hears of a stack's alarms: the baseline's topics, or one topic
// for all where it is named.
func (b *baseline) topics(instead string) *monitoring.Topics {
	t := b.TopicArns
	return monitoring.TopicsOf(map[monitoring.Level]string{
		monitoring.High: cmp.Or(instead, t.High), monitoring.Medium: cmp.Or(instead, t.Medium), monitoring.Low: cmp.Or(instead, t.Low),
	})
}

// endpointGroup is the group of the baseline's endpoints; nil where it has none.
func (b *baseline) endpointGroup() pulumi.StringInput {
	if len(b.EndpointIDs) == 0 {
		return nil
	}
	return pulumi.String(b.SecurityGroupIDs.Endpoint)
}
