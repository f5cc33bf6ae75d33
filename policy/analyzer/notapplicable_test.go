package analyzer

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/stretchr/testify/require"

	"redoubt/policy/rule"
)

func on() resource.PropertyMap {
	return resource.PropertyMap{"enableKeyRotation": resource.NewBoolProperty(true)}
}

// ofBuckets is a rule about another type than keys.
func ofBuckets() rule.Rule {
	r := rotation
	r.Name, r.Types = "of-buckets", []string{"s3/bucket"}
	return r
}

func names(list []plugin.PolicyNotApplicable) []string {
	var out []string
	for _, n := range list {
		out = append(out, n.PolicyName)
	}
	return out
}

// A rule has passed on a resource only where it was asked about it, and held.
func TestWhatIsNotPassedIsNamed(t *testing.T) {
	t.Parallel()
	unknown := resource.PropertyMap{"enableKeyRotation": resource.MakeComputed(resource.NewStringProperty(""))}
	elsewhere := key("other", nil)
	elsewhere.Type = "aws:sqs/queue:Queue"
	for name, c := range map[string]struct {
		config configs
		of     plugin.AnalyzerResource
		found  int
		want   []string
	}{
		"passed":       {nil, key("k", on()), 0, []string{"of-buckets"}},
		"failed":       {nil, key("k", off()), 1, []string{"of-buckets"}},
		"unknown":      {nil, key("k", unknown), 0, []string{"of-buckets", "rotates"}},
		"another type": {nil, elsewhere, 0, []string{"of-buckets", "rotates"}},
		"disabled":     {configs{"rotates": {EnforcementLevel: apitype.Disabled}}, key("k", off()), 0, []string{"of-buckets", "rotates"}},
		"exempt":       {exempting(entry("*::k", "2026-07-01")), key("k", off()), 0, []string{"of-buckets", "rotates"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, _ := dial(t, newPack(t, rotation, explicit, ofBuckets()))
			if c.config != nil {
				require.NoError(t, client.Configure(t.Context(), c.config))
			}
			for range 2 { // the list that resources of a type share stays what it is
				res, err := client.Analyze(t.Context(), c.of)
				require.NoError(t, err)
				require.Len(t, res.Diagnostics, c.found)
				require.ElementsMatch(t, c.want, names(res.NotApplicable))
			}
		})
	}
}

func TestWhatRepairsNothingIsNamed(t *testing.T) {
	t.Parallel()
	client, _ := dial(t, newPack(t, rotation, explicit, ofBuckets()))
	remediated := func(of resource.PropertyMap) ([]plugin.Remediation, []string) {
		res, err := client.Remediate(t.Context(), key("k", of))
		require.NoError(t, err)
		return res.Remediations, names(res.NotApplicable)
	}
	done, not := remediated(off())
	require.Empty(t, done)
	require.ElementsMatch(t, []string{"of-buckets", "rotates"}, not)

	require.NoError(t, client.Configure(t.Context(), configs{"rotates": {EnforcementLevel: apitype.Remediate}}))
	done, not = remediated(off())
	require.Len(t, done, 1)
	require.Equal(t, []string{"of-buckets"}, not)
}
