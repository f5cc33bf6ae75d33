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
	}
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
