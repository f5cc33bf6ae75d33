package analyzer

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/require"

	"redoubt/policy/report"
	"redoubt/policy/rule"
)

func reportAt(t *testing.T, path string) report.Report {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	var r report.Report
	require.NoError(t, json.Unmarshal(text, &r))
	return r
}

func TestReportOfAPreview(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	a := newPack(t, rotation, explicit, broken)
	require.NoError(t, a.reportTo(filepath.Join(folder, "{pack}.json")+", "+filepath.Join(folder, "r.sarif"), filepath.Join(folder, "history")))
	client, raw := dial(t, a)
	_, err := raw.ConfigureStack(t.Context(), &pulumirpc.AnalyzerStackConfigureRequest{Organization: "acme", Project: "test", Stack: "dev", DryRun: true})
	require.NoError(t, err)
	unknown := resource.PropertyMap{"enableKeyRotation": resource.MakeComputed(resource.NewBoolProperty(false))}
	on := resource.PropertyMap{"enableKeyRotation": resource.NewBoolProperty(true)}
	all := []plugin.AnalyzerResource{key("bad", off()), key("good", on), key("later", unknown)}
	for _, r := range all {
		_, err := client.Analyze(t.Context(), r)
		require.NoError(t, err)
	}
	require.NoFileExists(t, filepath.Join(folder, "test.json"), "a preview is judged as a whole")
	_, err = client.AnalyzeStack(t.Context(), append(stackOf(all...), alias("a", all[1].URN)))
	require.NoError(t, err)

	r := reportAt(t, filepath.Join(folder, "test.json"))
	require.FileExists(t, filepath.Join(folder, "r.sarif"))
	require.Equal(t, report.Subject{Stack: "acme/test/dev", Phase: report.PhasePreview, File: report.ProjectFile}, r.Subject)
	require.Equal(t, today, r.Time)
	require.Equal(t, report.Summary{
		Resources: 4, Rules: 3, Verdicts: report.Verdicts{Passed: 2, Failed: 6, Undetermined: 1}, Mandatory: 4, Advisory: 2,
		Severities: map[rule.Severity]int{rule.Critical: 0, rule.High: 1, rule.Medium: 0, rule.Low: 5},
	}, r.Summary, "the broken rule lets none of the three keys pass")
	require.Equal(t, []string{"broken", "has-alias", "rotates"}, []string{r.Rules[0].Name, r.Rules[1].Name, r.Rules[2].Name})
	require.NotContains(t, r.Undetermined[0].Reason, "hunter2")

	// The next operation of the same process forgets what is gone.
	_, err = client.AnalyzeStack(t.Context(), stackOf(all[1]))
	require.NoError(t, err)
	require.Equal(t, 1, reportAt(t, filepath.Join(folder, "test.json")).Summary.Resources)
	require.Equal(t, 1, reportAt(t, filepath.Join(folder, "test.json")).Summary.Mandatory, "the broken rule's")
}

// An update ends at a mandatory finding, and the engine asks nothing more.
func TestReportOfAnUpdateThatIsStopped(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "r.json")
	a := newPack(t, rotation, explicit)
	require.NoError(t, a.reportTo(path, ""))
	client, raw := dial(t, a)
	_, err := raw.ConfigureStack(t.Context(), &pulumirpc.AnalyzerStackConfigureRequest{Project: "test", Stack: "dev"})
	require.NoError(t, err)
	_, err = client.Analyze(t.Context(), key("bad", off()))
	require.NoError(t, err)
	r := reportAt(t, path)
	require.True(t, r.Incomplete)
	require.Equal(t, report.PhaseUpdate, r.Subject.Phase)
	require.Equal(t, "test/dev", r.Subject.Stack)
	require.Len(t, r.Failing(), 1)

	_, err = client.AnalyzeStack(t.Context(), stackOf(key("bad", off())))
	require.NoError(t, err)
	require.False(t, reportAt(t, path).Incomplete)
}

// Exempt and undecided checks are in the report what the configuration makes of them.
func TestReportFollowsTheConfiguration(t *testing.T) {
	t.Parallel()
	a, err := New(Options{Name: "test", Version: "1.2.3", Rules: []rule.Rule{rotation, explicit}, Now: newPack(t).opts.Now, Keep: true})
	require.NoError(t, err)
	config, err := ParseConfig([]byte(`{
		"has-alias": "disabled", "unknowns": {"mode": "fail"}, "rotates": "remediate",
		"exemptions": {"entries": [{"rule": "rotates", "resource": "*::bad", "reason": "why", "owner": "me", "expires": "2026-07-01", "id": "W-1"}]}
	}`))
	require.NoError(t, err)
	require.NoError(t, a.Configure(t.Context(), config))
	unknown := resource.PropertyMap{"enableKeyRotation": resource.MakeComputed(resource.NewBoolProperty(false))}
	for _, r := range []plugin.AnalyzerResource{key("bad", off()), key("later", unknown)} {
		_, err := a.Analyze(t.Context(), r)
		require.NoError(t, err)
	}
	r := a.Report(report.Subject{Stack: "acme/test/dev", Phase: report.PhaseState})
	require.Equal(t, 1, r.Summary.Rules)
	require.Empty(t, r.Undetermined)
	require.Equal(t, []report.Finding{
		{Policy: "rotates", Level: rule.Mandatory, Severity: rule.High, URN: string(key("bad", nil).URN), Message: r.Findings[0].Message, Exemption: &report.Exemption{ID: "W-1", Until: "2026-07-01", Owner: "me", Reason: "why"}},
		{Policy: "rotates", Level: rule.Mandatory, Severity: rule.High, URN: string(key("later", nil).URN), Message: r.Findings[1].Message},
	}, r.Findings)
	require.Contains(t, r.Findings[1].Message, "cannot be decided: ")
	require.Len(t, r.Failing(), 1)
}

func TestReportVariablesAreCheckedBeforeAnythingIsJudged(t *testing.T) {
	t.Setenv(reportVariable, "a.pdf,"+filepath.Join(t.TempDir(), "none", "r.json"))
	var stdout, stderr bytes.Buffer
	code := run(Options{Name: "test", Version: "1.2.3", Rules: []rule.Rule{rotation}}, []string{"127.0.0.1:1"}, &stdout, &stderr)
	require.Equal(t, exitUsage, code)
	require.Empty(t, stdout.String())
	require.Contains(t, stderr.String(), "REDOUBT_POLICY_REPORT:\na.pdf: the name does not say which form the report has")
	require.Contains(t, stderr.String(), "none is no folder: make it first")
}

// A report that cannot be written later is said in advice, and ends no operation.
func TestAReportThatCannotBeWrittenIsAdvice(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "gone")
	require.NoError(t, os.Mkdir(folder, 0o755))
	a := newPack(t, rotation)
	require.NoError(t, a.reportTo(filepath.Join(folder, "r.json"), filepath.Join(folder, "r.json", "history")))
	require.NoError(t, os.Remove(folder))
	require.NoError(t, os.WriteFile(folder, nil, 0o600))
	out, err := a.AnalyzeStack(t.Context(), nil)
	require.NoError(t, err)
	require.Len(t, out.Diagnostics, 1)
	require.Equal(t, policyReport, out.Diagnostics[0].PolicyName)
	require.Equal(t, rule.Advisory, out.Diagnostics[0].EnforcementLevel)
	require.Contains(t, out.Diagnostics[0].Message, "a report cannot be written to "+filepath.Join(folder, "r.json"))
	require.Contains(t, out.Diagnostics[0].Message, historyVariable)
}
