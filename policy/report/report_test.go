package report_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"redoubt/guide"
	"redoubt/policy/report"
	"redoubt/policy/rule"
)

var update = flag.Bool("update", false, "write the golden files anew")

// at is when the golden reports were made.
var at = time.Date(2026, 7, 1, 12, 30, 0, 0, time.UTC)

func made(name string, severity rule.Severity, level rule.Level, bullets []guide.ID, controls ...rule.Control) report.Rule {
	return report.RuleOf(rule.Rule{
		Name: name, Summary: "What " + name + " wants.", Guide: bullets, Severity: severity, Controls: controls,
		Fix: `kms.KeyArgs{EnableKeyRotation: pulumi.Bool(true)}`, URL: "https://docs.example.com/" + name + "?a=1&b=2",
	}, level)
}

func passing(r report.Rule, n int) report.Rule {
	r.Verdicts.Passed = n
	return r
}

const hostile = "<script>alert(1)</script> | `x` ]]> & \"quoted\"\x1b[31m\x00 *bold*\nnext"

// sample has one of everything, and texts that each form must defuse.
func sample() report.Report {
	urn := func(typ, name string) string { return "urn:pulumi:prod::shop::acme:app:App$" + typ + "::" + name }
	return report.New(report.Report{
		Run: report.Run{
			Time: at, Pack: report.Pack{Name: "redoubt", Version: "1.2.3"},
			Subject: report.Subject{Stack: "acme/shop/prod", Phase: report.PhaseState, File: "states/prod state.json"},
			Summary: report.Summary{Resources: 12, Rules: 5},
		},
		Rules: []report.Rule{
			passing(made("kms-key-rotation", rule.High, rule.Remediate, []guide.ID{guide.ArchitectureAtRestKeyRotation, guide.PracticesKMSKeyRotation}, rule.Controls(rule.FSBP, "KMS.4")...), 3),
			passing(made("bucket-private", rule.Critical, rule.Mandatory, []guide.ID{guide.PracticesS3PublicAccessBlocked}), 0),
			passing(made("all-good", rule.Medium, rule.Mandatory, []guide.ID{guide.ArchitectureVPCFlowLogs}), 7),
			made("idle", rule.Low, rule.Advisory, nil),
			made("own-rule", rule.Low, rule.Advisory, nil),
		},
		Findings: []report.Finding{
			{Policy: "own-rule", Level: rule.Advisory, Severity: rule.Low, URN: urn("aws:s3/bucketV2:BucketV2", "b"), Message: hostile},
			{Policy: "kms-key-rotation", Level: rule.Remediate, Severity: rule.High, URN: urn("aws:kms/key:Key", "app"), Line: 17, Message: "enableKeyRotation is false"},
			{Policy: "bucket-private", Level: rule.Mandatory, Severity: rule.Critical, URN: urn("aws:s3/bucketV2:BucketV2", "old"), Message: "anybody reads it", Exemption: &report.Exemption{
				ID: "SEC-214", Until: "2027-03-31", Owner: "payments", Reason: "a <b>site</b>",
			}},
			{Policy: "exemptions", Level: rule.Advisory, Message: "1 exemption matched no violation and can go"},
		},
		Undetermined: []report.Undetermined{{Policy: "kms-key-rotation", URN: urn("aws:kms/key:Key", "later"), Reason: "enableKeyRotation is not known yet"}},
	})
}

func written(t *testing.T, r report.Report, format report.Format) string {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, r.Write(&out, format))
	return out.String()
}

// Every form is the same bytes each time, those of the golden file.
func TestFormsAreStable(t *testing.T) {
	t.Parallel()
	for _, name := range report.Formats() {
		text := written(t, sample(), report.Format(name))
		require.Equal(t, text, written(t, sample(), report.Format(name)))
		golden := filepath.Join("testdata", "report."+name)
		if *update {
			require.NoError(t, os.WriteFile(golden, []byte(text), 0o644))
		}
		want, err := os.ReadFile(golden)
		require.NoError(t, err)
		require.Equal(t, string(want), text, "%s: `go test ./policy/report -update` writes it anew", golden)
	}
}

func schema(t *testing.T, text string) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	require.NoError(t, err)
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	const name = "https://schemas.test/schema.json"
	if m, ok := doc.(map[string]any); ok {
		delete(m, "id") // where it was published: nothing is fetched
	}
	require.NoError(t, c.AddResource(name, doc))
	compiled, err := c.Compile(name)
	require.NoError(t, err)
	return compiled
}

func valid(t *testing.T, s *jsonschema.Schema, text string) error {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	require.NoError(t, err)
	return s.Validate(doc)
}

// reports are the sample, one with nothing in it, and one of kept findings.
func reports() map[string]report.Report {
	kept := sample()
	kept.FindingsOnly, kept.Incomplete, kept.Undetermined = true, true, nil
	return map[string]report.Report{
		"sample": sample(), "kept": report.New(kept),
		"empty": report.New(report.Report{Run: report.Run{Time: at, Subject: report.Subject{Stack: "a/b/c", Phase: report.PhasePreview}}}),
	}
}

func TestSARIFIsValid(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/sarif-schema-2.1.0.json")
	require.NoError(t, err)
	official := schema(t, string(text))
	for name, r := range reports() {
		require.NoError(t, valid(t, official, written(t, r, report.SARIF)), name)
	}
	broken := strings.Replace(written(t, sample(), report.SARIF), `"kind": "fail"`, `"kind": "failed"`, 1)
	require.Error(t, valid(t, official, broken), "the schema is not looked at")
}

func TestSARIFSaysWhatCodeScanningReads(t *testing.T) {
	t.Parallel()
	var log struct {
		Runs []struct {
			AutomationDetails struct{ ID string }
			Tool              struct {
				Driver struct {
					Rules []struct {
						ID, HelpURI string
						Properties  map[string]any
					}
				}
			}
			Results []struct {
				RuleID, Level       string
				RuleIndex           int
				Suppressions        []map[string]string
				PartialFingerprints map[string]string
				Locations           []struct {
					PhysicalLocation struct {
						ArtifactLocation struct{ URI string }
						Region           struct{ StartLine int }
					}
					LogicalLocations []struct{ FullyQualifiedName string }
				}
			}
		}
	}
	require.NoError(t, json.Unmarshal([]byte(written(t, sample(), report.SARIF)), &log))
	run := log.Runs[0]
	require.Equal(t, "redoubt/acme/shop/prod/", run.AutomationDetails.ID, "each stack has its own alerts")
	levels, seen := map[string]string{}, map[string]bool{}
	for _, r := range run.Results {
		require.Equal(t, r.RuleID, run.Tool.Driver.Rules[r.RuleIndex].ID)
		levels[r.RuleID] = r.Level
		require.Equal(t, "states/prod%20state.json", r.Locations[0].PhysicalLocation.ArtifactLocation.URI)
		for _, f := range r.PartialFingerprints {
			require.False(t, seen[f])
			seen[f] = true
		}
		require.Equal(t, r.RuleID == "bucket-private", len(r.Suppressions) == 1, r.RuleID)
	}
	require.Equal(t, map[string]string{"bucket-private": "error", "kms-key-rotation": "error", "own-rule": "note", "exemptions": "note"}, levels)
	rotation := run.Tool.Driver.Rules[run.Results[2].RuleIndex]
	require.Equal(t, "8.0", rotation.Properties["security-severity"])
	require.Contains(t, rotation.Properties["tags"], "fsbp/KMS.4")
	require.Contains(t, rotation.Properties["tags"], "guide/"+string(guide.PracticesKMSKeyRotation))
	require.Equal(t, 17, run.Results[2].Locations[0].PhysicalLocation.Region.StartLine)
}

func TestJSONIsValid(t *testing.T) {
	t.Parallel()
	ours := schema(t, report.Schema)
	for name, r := range reports() {
		require.NoError(t, valid(t, ours, written(t, r, report.JSON)), name)
	}
	broken := strings.Replace(written(t, sample(), report.JSON), `"severity": "high"`, `"severity": "severe"`, 1)
	require.Error(t, valid(t, ours, broken))
}

func TestJUnitIsWellFormedAndCounts(t *testing.T) {
	t.Parallel()
	for name, r := range reports() {
		text := written(t, r, report.JUnit)
		open := map[string]int{}
		for d := xml.NewDecoder(strings.NewReader(text)); ; {
			token, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			require.NoError(t, err, name)
			if start, ok := token.(xml.StartElement); ok {
				open[start.Name.Local]++
			}
		}
		var suites struct {
			Tests    int `xml:"tests,attr"`
			Failures int `xml:"failures,attr"`
			Skipped  int `xml:"skipped,attr"`
		}
		require.NoError(t, xml.Unmarshal([]byte(text), &suites))
		require.Equal(t, []int{open["testcase"], open["failure"], open["skipped"]}, []int{suites.Tests, suites.Failures, suites.Skipped}, name)
		require.Equal(t, len(r.Failing()), suites.Failures, name)
	}
}

// The page has nothing from elsewhere, no script, and no text that became markup.
func TestHTMLIsSelfContained(t *testing.T) {
	t.Parallel()
	for name, r := range reports() {
		r.History = []report.Run{r.Run}
		root, err := html.Parse(strings.NewReader(written(t, r, report.HTML)))
		require.NoError(t, err, name)
		seen := map[string]int{}
		for n := range root.Descendants() {
			if n.Type != html.ElementNode {
				continue
			}
			seen[n.Data]++
			for _, a := range n.Attr {
				external := a.Key == "src" || a.Key == "srcset" || a.Key == "data" || a.Key == "action" || a.Key == "href" && n.Data != "a"
				require.False(t, external, "%s: <%s %s=%q>", name, n.Data, a.Key, a.Val)
				require.False(t, strings.HasPrefix(a.Key, "on"), "%s: %s", name, a.Key)
				require.NotContains(t, a.Val, "url(", name)
			}
			if n.Data == "style" {
				require.NotContains(t, n.FirstChild.Data, "@import")
				require.NotContains(t, n.FirstChild.Data, "url(")
			}
		}
		for _, never := range []string{"script", "link", "img", "iframe", "object", "b"} {
			require.Zero(t, seen[never], "%s: <%s>", name, never)
		}
		require.Equal(t, 1, seen["svg"], name)
		require.Equal(t, 4, seen["polyline"], name)
		require.Equal(t, 1, seen["h1"], name)
	}
}

// What a state names must not become a heading, a tag or a new cell.
func TestMarkdownIsDefused(t *testing.T) {
	t.Parallel()
	text := written(t, sample(), report.Markdown)
	require.NotContains(t, text, "<script")
	for _, row := range strings.Split(text, "\n") {
		if strings.Contains(row, "own-rule](") {
			cells := strings.ReplaceAll(row, `\|`, "")
			require.Equal(t, 6, strings.Count(cells, "|"), row)
			require.Contains(t, row, `\*bold\*<br>next`)
		}
	}
}

func TestFailOn(t *testing.T) {
	t.Parallel()
	for on, want := range map[report.FailOn]int{report.FailOnMandatory: 1, report.FailOnAdvisory: 3, report.FailOnNever: 0} {
		r := sample()
		r.FailOn = on
		require.Len(t, r.Failing(), want, "the one that is exempt never counts: %s", on)
	}
}

func TestFormatOf(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]report.Format{
		"a.json": report.JSON, "a.sarif": report.SARIF, "a.sarif.json": report.SARIF, "A.HTML": report.HTML,
		"junit.xml": report.JUnit, "x/summary.md": report.Markdown, "a.txt": report.Text,
	} {
		got, err := report.FormatOf(path)
		require.NoError(t, err)
		require.Equal(t, want, got, path)
	}
	_, err := report.FormatOf("report.pdf")
	require.ErrorContains(t, err, "report.pdf: the name does not say which form the report has: end it with one of .txt, .json")
	require.ErrorContains(t, sample().Write(io.Discard, "pdf"), `"pdf" is no form of a report: one of text, json, sarif`)
}

func TestWriteFileReplacesAsAWhole(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	path := filepath.Join(folder, "r.json")
	require.NoError(t, os.WriteFile(path, []byte("before"), 0o600))
	require.NoError(t, sample().WriteFile(path, report.JSON))
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, written(t, sample(), report.JSON), string(text))
	require.Error(t, sample().WriteFile(path, "pdf"))
	require.ErrorContains(t, sample().WriteFile(filepath.Join(folder, "none", "r.json"), report.JSON), "r.json")
	entries, err := os.ReadDir(folder)
	require.NoError(t, err)
	require.Len(t, entries, 1, "nothing half written stays")
	kept, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, text, kept)
}
