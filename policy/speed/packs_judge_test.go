package speed

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/require"

	"redoubt/policy/fixture"
	"redoubt/policy/rules"
)

// broken are the rules of Redoubt's that were found broken, each with its resource.
func broken(found []*pulumirpc.AnalyzeDiagnostic) []string {
	out := []string{}
	for _, r := range rules.All() {
		for _, d := range found {
			if d.PolicyName == r.Name {
				out = append(out, d.PolicyName+" "+d.Urn)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// What is measured against Redoubt's rules does what they do.
func TestTheLibrarysPackFindsWhatRedoubtFinds(t *testing.T) {
	t.Parallel()
	stack, inputs, err := stackOf(t, 100).Stack(fixture.Updated)
	require.NoError(t, err)
	calls := record(t, stack, inputs)
	found := func(name string) []string {
		s := named(name).serve(t)
		s.configure(t)
		return broken(s.preview(t, calls).findings)
	}
	want := found(redoubt)
	require.Greater(t, len(want), 20)
	require.Equal(t, want, found("policyx"))
	require.Empty(t, found(empty))
}

// The ten rules of Node's pack answer to every example of theirs as Redoubt's do.
func TestTenRulesOnNodeFindWhatRedoubtFinds(t *testing.T) {
	t.Parallel()
	onNode, ours := named(ten).serve(t), named(redoubt).serve(t)
	require.Len(t, onNode.info.Policies, 10)
	all := 0
	for _, p := range onNode.info.Policies {
		file := readRule(t, p.Name)
		for _, c := range file.Cases {
			// Node's pack has no parameters and no exemptions, and says what it does not
			// know in other words.
			if c.Config != nil || c.Exemptions != nil || c.HasUnknown() {
				continue
			}
			stack, inputs, err := c.Stack(fixture.Updated)
			require.NoError(t, err)
			calls := record(t, stack, inputs)
			of := func(s *served) []string {
				return slices.DeleteFunc(broken(s.preview(t, calls).findings), func(b string) bool { return !strings.HasPrefix(b, p.Name+" ") })
			}
			want := of(ours)
			require.Equal(t, want, of(onNode), "%s: %s", p.Name, c.Name)
			all += len(want)
		}
	}
	require.GreaterOrEqual(t, all, 10)
}

func readRule(t *testing.T, name string) fixture.File {
	t.Helper()
	files, err := fixture.Load(filepath.Join("..", "rules", "testdata"))
	require.NoError(t, err)
	for _, f := range files {
		if f.Rule == name {
			return f
		}
	}
	require.Fail(t, "no rule", name)
	return fixture.File{}
}

// AWSGuard sees the stack, and finds something in it.
func TestAWSGuardIsServed(t *testing.T) {
	t.Parallel()
	s := named("awsguard").serve(t)
	s.configure(t)
	stack, inputs, err := stackOf(t, 1000).Stack(fixture.Updated)
	require.NoError(t, err)
	require.Greater(t, len(s.info.Policies), 20)
	require.NotEmpty(t, s.preview(t, record(t, stack, inputs)).findings)
}
