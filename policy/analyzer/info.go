package analyzer

import (
	"context"
	"sort"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"

	"redoubt/policy/profile"
	"redoubt/policy/rule"
)

// settings are the pack's own policies.
var settings = map[string]struct {
	description string
	schema      map[string]plugin.JSONSchema
}{
	policyUnknowns: {
		"How checks whose answer is not known yet are reported.",
		map[string]plugin.JSONSchema{unknownsParam.Name: unknownsParam.Schema()},
	},
	policyExemptions: {
		"Resources that may break a rule, each with a reason, an owner and a last day.",
		map[string]plugin.JSONSchema{exemptionEntries: {
			"type": "array", "default": []any{},
			"description": "Exemptions: rule (a policy's name), resource (a URN, or a pattern of it with * and ?), " +
				"reason, owner, expires (YYYY-MM-DD, the last day), and id, which is said with what it lets pass.",
			"items": map[string]any{"type": "object"},
		}},
	},
	policyProfile: {
		"How strictly each rule holds, by one name: " + strings.Join(profile.Names(), ", ") + ".",
		map[string]plugin.JSONSchema{
			// No enum: the pack's own error names the nearest.
			profileName: {"type": "string", "default": profile.Guide, "description": describeProfiles()},
			profileLevels: {
				"type": "object", "default": map[string]any{},
				"description":          "Levels of rules over those of the profile, by the rules' names.",
				"additionalProperties": map[string]any{"type": "string"},
			},
		},
	},
}

func describeProfiles() string {
	lines := make([]string, 0, len(profile.Names()))
	for _, p := range profile.All() {
		lines = append(lines, p.Name+": "+p.Summary)
	}
	return strings.Join(lines, " ")
}

// GetAnalyzerInfo describes the pack. It needs no configuration, so that
// `pulumi policy publish` and `pulumi policy analyze`, which send none, work.
func (a *Analyzer) GetAnalyzerInfo(context.Context) (plugin.AnalyzerInfo, error) {
	initial := map[string]plugin.AnalyzerPolicyConfig{}
	var policies []plugin.AnalyzerPolicyInfo
	for name, s := range settings {
		policies = append(policies, plugin.AnalyzerPolicyInfo{
			Name: name, DisplayName: name, Description: s.description, Message: s.description,
			EnforcementLevel: rule.Advisory, Type: plugin.AnalyzerPolicyTypeStack, Severity: rule.Low,
			ConfigSchema: &plugin.AnalyzerPolicyConfigSchema{Properties: s.schema},
		})
		initial[name] = plugin.AnalyzerPolicyConfig{EnforcementLevel: rule.Advisory, Properties: initialProperties(s.schema)}
	}
	initial[policyProfile].Properties[profileName] = a.profile.Name
	for _, r := range a.rules {
		p := a.policyInfo(r)
		policies = append(policies, p)
		var schema map[string]plugin.JSONSchema
		if p.ConfigSchema != nil {
			schema = p.ConfigSchema.Properties
		}
		initial[r.Name] = plugin.AnalyzerPolicyConfig{EnforcementLevel: p.EnforcementLevel, Properties: initialProperties(schema)}
	}
	sort.Slice(policies, func(i, j int) bool { return policies[i].Name < policies[j].Name })
	return plugin.AnalyzerInfo{
		Name: a.opts.Name, DisplayName: a.opts.DisplayName, Version: a.opts.Version,
		Description: a.opts.Description, Readme: a.opts.Readme, Repository: a.opts.Repository,
		Provider: "aws", SupportsConfig: true, Policies: policies, InitialConfig: initial,
	}, nil
}

func initialProperties(schema map[string]plugin.JSONSchema) map[string]any {
	out := map[string]any{}
	for name, s := range schema {
		out[name] = s["default"]
	}
	return out
}

func (a *Analyzer) policyInfo(r rule.Rule) plugin.AnalyzerPolicyInfo {
	info := plugin.AnalyzerPolicyInfo{
		Name: r.Name, DisplayName: strings.ReplaceAll(r.Name, "-", " "),
		Description: r.Summary, Message: r.Summary, EnforcementLevel: a.told[r.Name],
		Type: plugin.AnalyzerPolicyTypeResource, Severity: r.Severity,
		RemediationSteps: r.Fix, URL: r.URL, Framework: framework(r),
	}
	if r.IsJoin() {
		info.Type = plugin.AnalyzerPolicyTypeStack
	}
	for _, id := range r.Guide {
		info.Tags = append(info.Tags, "guide:"+string(id))
	}
	for _, c := range r.Controls {
		info.Tags = append(info.Tags, strings.ToLower(string(c.Framework))+":"+c.ID)
	}
	if len(r.Params) > 0 {
		info.ConfigSchema = &plugin.AnalyzerPolicyConfigSchema{Properties: map[string]plugin.JSONSchema{}}
		for _, p := range r.Params {
			info.ConfigSchema.Properties[p.Name] = p.Schema()
		}
	}
	return info
}

// framework is the one framework that the protocol has room for; the others are
// tags.
func framework(r rule.Rule) *plugin.AnalyzerPolicyComplianceFramework {
	var ids []string
	for _, c := range r.Controls {
		if c.Framework == rule.FSBP {
			ids = append(ids, c.ID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	return &plugin.AnalyzerPolicyComplianceFramework{
		Name: "AWS Foundational Security Best Practices", Version: "1.0.0",
		Reference: strings.Join(ids, ", "), Specification: r.Summary,
	}
}
