package blueprint_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/stretchr/testify/require"

	"redoubt/automation/blueprint"
	"redoubt/internal/graphtest"
)

func TestMain(m *testing.M) {
	// Archives of a few bytes, as infra/stack's tests have them.
	archives, err := filepath.Abs(filepath.Join("..", "..", "infra", "stack", "testdata", "functions"))
	if err == nil {
		err = os.Setenv(blueprint.FunctionsVariable, archives)
	}
	if err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// baseline is what a stack of defense-in-depth publishes.
func baseline() graphtest.Option {
	return graphtest.Outputs("pulumi:pulumi:StackReference", resource.NewPropertyMapFromMap(map[string]any{
		"name": "organization/redoubt/dev",
		"outputs": map[string]any{
			"vpcId":            "vpc-0a",
			"publicSubnetIds":  []any{"subnet-p1", "subnet-p2"},
			"appSubnetIds":     []any{"subnet-a1", "subnet-a2"},
			"dataSubnetIds":    []any{"subnet-d1", "subnet-d2"},
			"endpointIds":      map[string]any{"ecr.api": "vpce-1"},
			"securityGroupIds": map[string]any{"aurora": "sg-aurora", "lambda": "sg-lambda", "endpoint": "sg-endpoint"},
			"buckets":          map[string]any{"accessLogs": map[string]any{"name": "redoubt-dev-access-logs", "arn": "arn:aws:s3:::redoubt-dev-access-logs"}},
			"kmsKeys":          map[string]any{"app": map[string]any{"arn": "arn:aws:kms:eu-central-1:123456789012:key/1", "alias": "alias/redoubt-dev-app"}},
			"boundaryArn":      "arn:aws:iam::123456789012:policy/redoubt-dev-boundary",
			"topicArns": map[string]any{
				"high":   "arn:aws:sns:eu-central-1:123456789012:redoubt-dev-alerts-high",
				"medium": "arn:aws:sns:eu-central-1:123456789012:redoubt-dev-alerts-medium",
				"low":    "arn:aws:sns:eu-central-1:123456789012:redoubt-dev-alerts-low",
			},
		},
	}))
}

// The whole graph of each blueprint's example: type, name, parent and inputs.
// After a change: UPDATE_GOLDEN=1 go test ./automation/blueprint, and read the
// difference. That of the whole stack is infra/stack's.
func TestGraphsAreAsRecorded(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b blueprint.Blueprint) {
		if b.Name == blueprint.DefenseInDepth.Name {
			t.Skip("recorded in infra/stack")
		}
		graphtest.Run(t, b.Order(b.Inputs().Example), baseline()).Golden(filepath.Join("testdata", b.Name+".json"))
	})
}

var physical = regexp.MustCompile(`(^|[^a-z0-9])redoubt-test-[0-9a-f]{6}`)

// Names hold the stack and a hash of its full name, so that orders of a team, or
// of two, do not meet.
func TestNamesAreTheStacks(t *testing.T) {
	t.Parallel()
	named := map[string]string{
		"aws:s3/bucketV2:BucketV2": "bucket", "aws:kms/alias:Alias": "name", "aws:iam/role:Role": "name", "aws:lb/loadBalancer:LoadBalancer": "name",
		"aws:lambda/function:Function": "name", "aws:rds/cluster:Cluster": "clusterIdentifier", "aws:wafv2/webAcl:WebAcl": "name",
		"aws:cloudwatch/logGroup:LogGroup": "name", "aws:ecs/cluster:Cluster": "name", "aws:ec2/securityGroup:SecurityGroup": "name",
	}
	each(t, func(t *testing.T, b blueprint.Blueprint) {
		if b.Name == blueprint.DefenseInDepth.Name {
			t.Skip("its name is an input, or the stack's in 15 characters")
		}
		seen := 0
		for _, r := range graphtest.Run(t, b.Order(b.Inputs().Example), baseline()).Resources {
			property, ok := named[r.Type]
			if !ok {
				continue
			}
			seen++
			name, _ := r.Input(property).(string)
			require.True(t, physical.MatchString(name) || strings.HasPrefix(name, "/app/"), "%s %s", r.Type, name)
			if r.Type == "aws:s3/bucketV2:BucketV2" {
				require.LessOrEqual(t, len(name), 63-1, "a longer region must fit too: %s", name)
			}
		}
		require.Positive(t, seen)
	})
}

// An order that is not valid registers nothing.
func TestAnOrderThatIsNotValidMakesNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b blueprint.Blueprint) {
		g, err := graphtest.Build(b.Order(json.RawMessage(`{"nope":1}`)), baseline())
		require.ErrorContains(t, err, "nope")
		for _, r := range g.Resources {
			require.False(t, r.Custom, "%s", r.Name)
		}
		_, err = graphtest.Build(b.Order(nil), baseline())
		require.ErrorContains(t, err, blueprint.InputsKey)
		_, err = graphtest.Build(b.Order(nil), baseline(), graphtest.Config(map[string]string{blueprint.InputsKey: string(b.Inputs().Example)}))
		require.NoError(t, err)
	})
}

// A stack that is no baseline is refused with what it lacks.
func TestABaselineMustBeOne(t *testing.T) {
	t.Parallel()
	empty := graphtest.Outputs("pulumi:pulumi:StackReference", resource.NewPropertyMapFromMap(map[string]any{
		"name": "organization/redoubt/dev", "outputs": map[string]any{"buckets": map[string]any{}},
	}))
	for _, b := range blueprint.All {
		if b.OnBaseline {
			_, err := graphtest.Build(b.Order(b.Inputs().Example), empty)
			require.ErrorContains(t, err, "vpcId, publicSubnetIds, appSubnetIds", b.Name)
		}
	}
}

// Secrets reach the engine as secrets, though they stand in no configuration.
func TestSecretsOfAnOrderAreSecretsOfTheEngine(t *testing.T) {
	t.Parallel()
	b := blueprint.DefenseInDepth
	doc := document(t, b)
	doc["pagerUrl"] = "https://pager.example.org/hunter2"
	g := graphtest.Run(t, b.Order(text(t, doc)))
	found := 0
	for _, r := range g.ByType("aws:sns/topicSubscription:TopicSubscription") {
		if r.Input("endpoint") == doc["pagerUrl"] {
			require.True(t, r.Secret("endpoint"))
			found++
		}
	}
	require.Equal(t, 1, found)
}
