package blueprint_test

import (
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/blueprint"
	"redoubt/automation/provision"
)

var _ provision.Catalog = (*blueprint.Catalog)(nil)

func TestCatalogOffersEachBlueprint(t *testing.T) {
	t.Parallel()
	c, err := blueprint.NewCatalog(blueprint.All)
	require.NoError(t, err)
	again, err := blueprint.NewCatalog(blueprint.All)
	require.NoError(t, err)
	var names []string
	digests := map[string]bool{}
	for i, b := range c.Blueprints() {
		names = append(names, b.Name)
		require.Regexp(t, regexp.MustCompile(`^\d+\.\d+\.\d+$`), b.Version)
		require.Regexp(t, regexp.MustCompile(`^sha256:[0-9a-f]{64}$`), b.Digest)
		require.False(t, digests[b.Digest])
		digests[b.Digest] = true
		require.Equal(t, b.Digest, again.Blueprints()[i].Digest, "one executable, one digest")
		require.Equal(t, "redoubt-launch-"+b.Name, b.LaunchRole)
		require.Positive(t, b.Limits.Resources)
		require.Positive(t, b.Limits.Minutes)
		found, err := c.Blueprint(b.Name, "")
		require.NoError(t, err)
		require.Equal(t, b.BlueprintRef, found.BlueprintRef)
		_, findings := found.Check(found.Example)
		require.Empty(t, findings)
	}
	require.True(t, slices.IsSorted(names))
	require.Equal(t, []string{"defense-in-depth", "secure-bucket", "secure-database", "secure-function", "secure-service", "static-site"}, names)
}

func TestCatalogSaysWhatThereIs(t *testing.T) {
	t.Parallel()
	c, err := blueprint.NewCatalog(blueprint.All)
	require.NoError(t, err)
	_, err = c.Blueprint("secure-buckets", "")
	require.Equal(t, provision.CodeNotFound, provision.CodeOf(err))
	require.ErrorContains(t, err, "secure-bucket")
	_, err = c.Blueprint("secure-bucket", "9.9.9")
	require.Equal(t, provision.CodeNotFound, provision.CodeOf(err))
	require.ErrorContains(t, err, "1.0.0")
}
