package blueprint_test

import (
	"regexp"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/config"
	"github.com/stretchr/testify/require"

	"redoubt/automation/blueprint"
	"redoubt/policy/rules"
)

// A mistake that names a rule which does not exist could never be refused.
func TestEveryMistakeNamesARule(t *testing.T) {
	t.Parallel()
	known := map[string]bool{}
	for _, r := range rules.All() {
		known[r.Name] = true
	}
	seen := map[string]bool{}
	for _, m := range blueprint.DefenseInDepth.Mistakes {
		require.True(t, known[m.Rule], "%s names rule %s", m.Name, m.Rule)
		require.Regexp(t, regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`), m.Name)
		require.False(t, seen[m.Name], "%s stands twice", m.Name)
		seen[m.Name] = true
		require.NotEmpty(t, m.Deed)
		require.NotEmpty(t, m.Family)
		for _, c := range m.Changes() {
			require.Equal(t, 1, count(len(c.Set) > 0 || len(c.Ignore) > 0, c.Add != nil), "%s: a change of %s sets or adds", m.Name, c.On)
		}
	}
}

func count(conditions ...bool) (n int) {
	for _, c := range conditions {
		if c {
			n++
		}
	}
	return n
}

// Every subject of the rules has a mistake that shows it at work.
func TestEveryFamilyHasAMistake(t *testing.T) {
	t.Parallel()
	families := map[string]int{}
	for _, m := range blueprint.DefenseInDepth.Mistakes {
		families[m.Family]++
	}
	for _, family := range []string{
		"network", "endpoints", "network ACLs", "security groups", "load balancer", "WAF", "Shield", "KMS", "secrets", "S3",
		"Aurora", "DynamoDB", "OpenSearch", "backup", "IAM", "service control policies", "Cognito", "API Gateway", "Lambda",
		"ECS", "ECR", "EC2", "CloudTrail", "log groups", "GuardDuty", "Config", "Security Hub", "Inspector", "Macie",
		"alarms", "metric filters", "EventBridge", "SNS", "SQS", "response", "costs", "tags", "providers", "options",
	} {
		require.Positive(t, families[family], family)
		delete(families, family)
	}
	require.Empty(t, families, "a family that is not in the list")
	require.GreaterOrEqual(t, len(blueprint.DefenseInDepth.Mistakes), 60)
}

func TestChangesAreConfigurationKeys(t *testing.T) {
	t.Parallel()
	for _, settings := range []map[string]string{blueprint.DefenseInDepth.Change, blueprint.DefenseInDepth.Release} {
		require.NotEmpty(t, settings)
		for name := range settings {
			key, err := config.ParseKey(name)
			require.NoError(t, err)
			require.Equal(t, "redoubt", key.Namespace())
		}
	}
}
