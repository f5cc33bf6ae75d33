package report

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"strings"

	"redoubt/policy/rule"
)

// SARIF 2.1.0 (OASIS, errata 01), as far as a report needs it.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool        sarifTool         `json:"tool"`
		Automation  sarifAutomation   `json:"automationDetails"`
		Invocations []sarifInvocation `json:"invocations"`
		Results     []sarifResult     `json:"results"`
		Properties  sarifRunBag       `json:"properties"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name            string      `json:"name"`
		Version         string      `json:"version,omitempty"`
		SemanticVersion string      `json:"semanticVersion,omitempty"`
		Rules           []sarifRule `json:"rules"`
	}
	sarifAutomation struct {
		ID string `json:"id"`
	}
	sarifInvocation struct {
		Successful bool `json:"executionSuccessful"`
	}
	sarifText struct {
		Text     string `json:"text"`
		Markdown string `json:"markdown,omitempty"`
	}
	sarifRule struct {
		ID      string        `json:"id"`
		Short   *sarifText    `json:"shortDescription,omitempty"`
		Help    *sarifText    `json:"help,omitempty"`
		HelpURI string        `json:"helpUri,omitempty"`
		Default *sarifDefault `json:"defaultConfiguration,omitempty"`
		Bag     *sarifRuleBag `json:"properties,omitempty"`
	}
	sarifDefault struct {
		Level string `json:"level"`
	}
	sarifRuleBag struct {
		// SecuritySeverity is what GitHub's code scanning sorts alerts by: a score
		// like CVSS's, as a text.
		SecuritySeverity string   `json:"security-severity"`
		Precision        string   `json:"precision"`
		Tags             []string `json:"tags"`
	}
	sarifResult struct {
		RuleID       string            `json:"ruleId"`
		RuleIndex    int               `json:"ruleIndex"`
		Kind         string            `json:"kind"`
		Level        string            `json:"level"`
		Message      sarifText         `json:"message"`
		Locations    []sarifLocation   `json:"locations"`
		Fingerprints map[string]string `json:"partialFingerprints"`
		Suppressions []sarifSuppressed `json:"suppressions,omitempty"`
		Properties   sarifResultBag    `json:"properties"`
	}
	sarifLocation struct {
		Physical sarifPhysical  `json:"physicalLocation"`
		Logical  []sarifLogical `json:"logicalLocations,omitempty"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   sarifRegion   `json:"region"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifRegion struct {
		StartLine int `json:"startLine"`
	}
	sarifLogical struct {
		Name           string `json:"name"`
		FullyQualified string `json:"fullyQualifiedName"`
		Kind           string `json:"kind"`
	}
	sarifSuppressed struct {
		Kind          string `json:"kind"`
		Status        string `json:"status"`
		Justification string `json:"justification"`
	}
	sarifResultBag struct {
		Severity rule.Severity `json:"severity"`
		Level    rule.Level    `json:"enforcementLevel"`
	}
	sarifRunBag struct {
		Summary Summary `json:"summary"`
	}
)

const sarifSchema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

// fingerprint is the name of the only one of a result: a hash of policy and URN,
// which stays the same while the finding's words change.
const fingerprint = "policyAndResource/v1"

// sarif has one run. Consumers close the alerts that a run with the same automation
// id has no more, so the stack is in that.
func (r Report) sarif(w io.Writer) error {
	run := sarifRun{
		Tool: sarifTool{sarifDriver{
			Name: r.Pack.Name, Version: r.Pack.Version, SemanticVersion: r.Pack.Version, Rules: []sarifRule{},
		}},
		Automation:  sarifAutomation{r.Pack.Name + "/" + r.Subject.Stack + "/"},
		Invocations: []sarifInvocation{{Successful: !r.Incomplete}},
		Results:     []sarifResult{},
		Properties:  sarifRunBag{r.Summary},
	}
	index := map[string]int{}
	for _, f := range r.Findings {
		i, known := index[f.Policy]
		if !known {
			i = len(run.Tool.Driver.Rules)
			index[f.Policy] = i
			run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, r.sarifRule(f))
		}
		run.Results = append(run.Results, r.sarifResult(f, i))
	}
	return encode(w, sarifLog{Schema: sarifSchema, Version: "2.1.0", Runs: []sarifRun{run}})
}

func (r Report) sarifRule(f Finding) sarifRule {
	known, ok := r.rule(f.Policy)
	if !ok {
		return sarifRule{ID: f.Policy}
	}
	tags := []string{"security"}
	for _, b := range known.Guide {
		tags = append(tags, "guide/"+string(b.ID))
	}
	for _, c := range known.Controls {
		tags = append(tags, strings.ToLower(string(c.Framework))+"/"+c.ID)
	}
	return sarifRule{
		ID: known.Name, Short: &sarifText{Text: known.Summary}, HelpURI: known.URL,
		Help:    &sarifText{Text: known.help("", ""), Markdown: known.help("**", "`")},
		Default: &sarifDefault{sarifLevel(known.Level, known.Severity)},
		Bag:     &sarifRuleBag{securitySeverity[known.Severity], "very-high", tags},
	}
}

// help is a rule's page in a few lines, with marks around headings and code.
func (r Rule) help(strong, code string) string {
	lines := []string{r.Summary}
	add := func(heading, text string) {
		if text != "" {
			lines = append(lines, strong+heading+strong+" "+text)
		}
	}
	add("Fix:", code+r.Fix+code)
	add("Guide:", r.bullets())
	add("Controls:", r.controls())
	add("See:", r.URL)
	return strings.Join(lines, "\n\n")
}

func (r Rule) bullets() string {
	cited := make([]string, len(r.Guide))
	for i, b := range r.Guide {
		cited[i] = b.ID.String()
	}
	return strings.Join(cited, "; ")
}

func (r Rule) controls() string {
	cited := make([]string, len(r.Controls))
	for i, c := range r.Controls {
		cited[i] = string(c.Framework) + " " + c.ID
	}
	return strings.Join(cited, "; ")
}

func (r Report) sarifResult(f Finding, index int) sarifResult {
	sum := sha256.Sum256([]byte(f.Policy + "\x00" + f.URN))
	place := sarifLocation{Physical: sarifPhysical{sarifArtifact{fileURI(r.Subject.File)}, sarifRegion{max(1, f.Line)}}}
	if f.URN != "" {
		place.Logical = []sarifLogical{{label(f.URN), f.URN, "resource"}}
	}
	out := sarifResult{
		RuleID: f.Policy, RuleIndex: index, Kind: "fail", Level: sarifLevel(f.Level, f.Severity),
		Message:   sarifText{Text: label(f.URN) + ": " + f.Message},
		Locations: []sarifLocation{place}, Fingerprints: map[string]string{fingerprint: hex.EncodeToString(sum[:16])},
		Properties: sarifResultBag{f.Severity, f.Level},
	}
	if e := f.Exemption; e != nil {
		out.Suppressions = []sarifSuppressed{{"external", "accepted", e.String()}}
	}
	return out
}

// String is the exemption in words.
func (e Exemption) String() string {
	text := fmt.Sprintf("exempt until %s by %s, because %s", e.Until, e.Owner, e.Reason)
	if e.ID != "" {
		text += " (" + e.ID + ")"
	}
	return harmless(text)
}

// securitySeverity is in the middle of each of the bands that GitHub makes of scores.
var securitySeverity = map[rule.Severity]string{
	rule.Critical: "9.5", rule.High: "8.0", rule.Medium: "5.5", rule.Low: "2.0",
}

// sarifLevel is an error for what stops an operation; advice is a warning, or a
// note where little depends on it.
func sarifLevel(level rule.Level, severity rule.Severity) string {
	switch {
	case level == rule.Mandatory:
		return "error"
	case severity == rule.Low:
		return "note"
	default:
		return "warning"
	}
}

// fileURI is a path as a relative reference, or as a URL of a file.
func fileURI(path string) string {
	u := url.URL{Path: filepath.ToSlash(path)}
	if filepath.IsAbs(path) {
		u.Scheme = "file"
	}
	return u.String()
}
