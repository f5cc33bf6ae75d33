package launch

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/stretchr/testify/require"

	"redoubt/automation/blueprint"
	"redoubt/internal/graphtest"
)

// options are inputs beyond each blueprint's example that make resources of more
// types.
var options = map[string][]string{
	"secure-bucket": {
		`{"replicaRegion": "eu-west-1"}`,
		`{"retention": {"mode": "governance", "days": 30}, "expireAfterDays": 60}`,
	},
	"secure-service": {`{"database": true, "exec": true, "environment": "dev"}`},
	"secure-database": {
		`{"environment": "prod"}`,
	},
	"static-site": {`{"blockedCountries": ["KP"]}`},
}

// types.json has the types of each blueprint's resources. After a change:
// UPDATE_GOLDEN=1 go test ./automation/launch, and read the difference.
func TestTypesAreThoseOfTheGraphs(t *testing.T) {
	t.Parallel()
	all := map[string][]string{}
	for _, b := range blueprint.All {
		types := map[string]bool{}
		for _, more := range append([]string{"{}"}, options[b.Name]...) {
			for _, r := range graphtest.Run(t, b.Order(merged(t, b.Example(), more)), baseline()).Resources {
				types[r.Type] = r.Custom
			}
		}
		if b.Name == blueprint.DefenseInDepth.Name {
			for _, environment := range []string{"dev", "prod"} {
				for _, name := range recorded(t, filepath.Join("..", "..", "infra", "stack", "testdata", environment+".json")) {
					types[name] = true
				}
			}
		}
		for name := range types {
			if strings.HasPrefix(name, "aws:") {
				all[b.Name] = append(all[b.Name], strings.TrimPrefix(name, "aws:"))
			}
		}
		slices.Sort(all[b.Name])
	}
	want, err := json.MarshalIndent(all, "", "  ")
	require.NoError(t, err)
	want = append(want, '\n')
	if os.Getenv("UPDATE_GOLDEN") != "" {
		require.NoError(t, os.WriteFile("types.json", want, 0o600))
		return
	}
	require.Equal(t, string(want), string(typesJSON), "UPDATE_GOLDEN=1 go test ./automation/launch")
}

func merged(t *testing.T, example json.RawMessage, more string) json.RawMessage {
	t.Helper()
	var doc map[string]any
	require.NoError(t, json.Unmarshal(example, &doc))
	require.NoError(t, json.Unmarshal([]byte(more), &doc))
	text, err := json.Marshal(doc)
	require.NoError(t, err)
	return text
}

// recorded are the types in a graph that another package has recorded.
func recorded(t *testing.T, path string) (types []string) {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	var graph []struct{ Type string }
	require.NoError(t, json.Unmarshal(text, &graph))
	require.NotEmpty(t, graph)
	for _, r := range graph {
		types = append(types, r.Type)
	}
	return types
}

// baseline is what a stack of defense-in-depth publishes.
func baseline() graphtest.Option {
	return graphtest.Outputs("pulumi:pulumi:StackReference", resource.NewPropertyMapFromMap(map[string]any{
		"name": "organization/redoubt/dev",
		"outputs": map[string]any{
			"vpcId": "vpc-0a", "publicSubnetIds": []any{"subnet-p1", "subnet-p2"}, "appSubnetIds": []any{"subnet-a1", "subnet-a2"}, "dataSubnetIds": []any{"subnet-d1", "subnet-d2"},
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

func TestMain(m *testing.M) {
	archives, err := filepath.Abs(filepath.Join("..", "..", "infra", "stack", "testdata", "functions"))
	if err == nil {
		err = os.Setenv(blueprint.FunctionsVariable, archives)
	}
	if err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}
