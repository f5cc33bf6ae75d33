package rules_test

import (
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/stretchr/testify/require"

	"redoubt/policy/analyzer"
	"redoubt/policy/fixture"
	"redoubt/policy/rule"
	"redoubt/policy/rules"
)

// today is the day on which the examples play.
var today = fixture.Today

func fixtures(t testing.TB) []fixture.File {
	t.Helper()
	files, err := fixture.Load("testdata")
	require.NoError(t, err)
	return files
}

// filesByRule are the fixtures by the name of their rule.
func filesByRule(t testing.TB) map[string]fixture.File {
	t.Helper()
	files := map[string]fixture.File{}
	for _, f := range fixtures(t) {
		files[f.Rule] = f
	}
	return files
}

// pack serves the rules as the engine sees them.
func pack(t testing.TB, list []rule.Rule, observe func(analyzer.Result)) plugin.Analyzer {
	t.Helper()
	return fixture.Serve(t, analyzer.Options{Rules: list, Observe: observe})
}

// TestFixtures holds every rule to its examples, which are also its documentation.
func TestFixtures(t *testing.T) {
	t.Parallel()
	fixture.Test(t, "testdata", rules.All())
}

// judgesTheMark is the rule that demands the mark of a secret: what is marked
// satisfies it.
const judgesTheMark = "secret-value-not-plaintext-in-state"

// judgeSecrecy are the rules that are about the mark itself.
var judgeSecrecy = []string{judgesTheMark, "secret-taint-into-plaintext-sink"}

// Every other rule sees through secrets.
func TestOneRuleJudgesSecrecy(t *testing.T) {
	t.Parallel()
	for _, f := range fixtures(t) {
		require.Equal(t, f.Rule == judgesTheMark, f.JudgesSecrets, f.Rule)
	}
}

// TestRulesAreComplete holds the catalogue to its own conventions.
func TestRulesAreComplete(t *testing.T) {
	t.Parallel()
	for _, r := range rules.All() {
		require.NoError(t, r.Validate())
		require.NotEmpty(t, r.Guide, "%s cites no bullet of the guide", r.Name)
		require.True(t, strings.HasPrefix(r.URL, "https://docs.aws.amazon.com/") || strings.HasPrefix(r.URL, "https://www.pulumi.com/"), "%s: %s", r.Name, r.URL)
		require.True(t, strings.HasSuffix(r.Summary, "."), "%s: the summary is a sentence", r.Name)
	}
}
