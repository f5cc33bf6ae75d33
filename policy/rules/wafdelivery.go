package rules

import (
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"redoubt/guide"
	"redoubt/policy/rule"
)

// wafDelivery holds the rules about where a web ACL stands and what its log
// keeps.
var wafDelivery = []rule.Rule{
	{
		Name:     "waf-logs-redact-credentials",
		Summary:  "A web ACL's log holds no credentials of those who call.",
		Guide:    []guide.ID{guide.OperationsLogsWAFLogs, guide.OverviewDataSecrets},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls: mapped(nist("AU-9", "IA-5")),
		Types:    []string{"wafv2/webAclLoggingConfiguration"},
		Params: []rule.Param{{
			Name: "headers", Kind: rule.Strings, Default: []string{"authorization", "cookie", "x-api-key"},
			Description: "Headers that the log must not hold, in lower case.",
		}},
		Check: redactsHeaders,
		Fix: `wafv2.WebAclLoggingConfigurationArgs{RedactedFields: wafv2.WebAclLoggingConfigurationRedactedFieldArray{` +
			`wafv2.WebAclLoggingConfigurationRedactedFieldArgs{SingleHeader: &wafv2.WebAclLoggingConfigurationRedactedFieldSingleHeaderArgs{Name: pulumi.String("authorization")}}, …}} ` +
			`with one for each header`,
		URL:       "https://docs.aws.amazon.com/waf/latest/developerguide/logging-management-configure.html",
		Remediate: redactHeaders,
	},
	{
		Name:     "waf-scope-matches-resource-and-region",
		Summary:  "A web ACL has the scope of what it stands in front of; one for CloudFront is made in us-east-1.",
		Guide:    []guide.ID{guide.ConfigurationsWAFACL, guide.OverviewNetworkWAF},
		Severity: rule.Medium,
		// The update would fail; it is better to hear of it at preview.
		Level:      rule.Mandatory,
		Controls:   mapped(nist("CM-6")),
		Types:      []string{"wafv2/webAcl"},
		CheckStack: scopeMatches,
		Fix:        `wafv2.WebAclArgs{Scope: pulumi.String("REGIONAL")}, or Scope "CLOUDFRONT" with pulumi.Provider(usEast1)`,
		URL:        "https://docs.aws.amazon.com/waf/latest/developerguide/how-aws-waf-works-resources.html",
	},
}

func redactsHeaders(r *rule.Resource, p rule.Params) rule.Verdict {
	absent, unknown := unredacted(r, p.Strs("headers"))
	switch {
	case len(absent) == 0:
		return rule.Pass()
	case unknown:
		return rule.Unsure("redactedFields is unknown")
	default:
		return rule.Fail("redactedFields is without the headers %s", strings.Join(absent, ", "))
	}
}

// unredacted returns the headers that are not redacted, and whether a field is
// unknown that might be one of them.
func unredacted(r *rule.Resource, headers []string) (absent []string, unknown bool) {
	redacted := map[string]bool{}
	for _, field := range r.Get("redactedFields").Items() {
		name := field.Get("singleHeader.name")
		s, _ := name.Str()
		redacted[strings.ToLower(s)] = true
		unknown = unknown || name.Unknown()
	}
	absent = slices.DeleteFunc(slices.Clone(headers), func(h string) bool { return redacted[strings.ToLower(h)] })
	return absent, unknown
}

func redactHeaders(r *rule.Resource, p rule.Params) (resource.PropertyMap, bool) {
	const key = "redactedFields"
	old := r.Inputs[key]
	if !old.IsNull() && !old.IsArray() {
		return nil, false
	}
	var list []resource.PropertyValue
	if old.IsArray() {
		list = slices.Clone(old.ArrayValue())
	}
	absent, _ := unredacted(r, p.Strs("headers"))
	for _, header := range absent {
		list = append(list, resource.NewPropertyValue(map[string]any{"singleHeader": map[string]any{"name": header}}))
	}
	out := r.Inputs.Copy()
	out[key] = resource.NewArrayProperty(list)
	return out, true
}

func scopeMatches(s *rule.Stack, acl *rule.Resource, _ rule.Params) rule.Verdict {
	v := acl.Get("scope")
	switch scope, _ := v.Str(); {
	case v.Unknown():
		return rule.Unsure("scope is unknown")
	case scope == "CLOUDFRONT":
		return rule.All(inUSEast1(acl), frontsNothingRegional(s, acl))
	case scope == "REGIONAL":
		return frontsNothingGlobal(s, acl)
	default:
		return rule.Fail("scope is %s, neither REGIONAL nor CLOUDFRONT", v.Show())
	}
}

// inUSEast1 reads the region of the resource, which version 7 of the provider
// lets it have for itself, or else of its provider.
func inUSEast1(acl *rule.Resource) rule.Verdict {
	v := acl.Get("region")
	if v.Absent() {
		v = (&rule.Resource{Inputs: acl.Provider}).Get("region")
	}
	if region, known := v.Str(); !known || region == "us-east-1" {
		if known {
			return rule.Pass()
		}
		return rule.Unsure("the region of the web ACL is unknown")
	}
	return rule.Fail("scope is CLOUDFRONT and the region is %s: AWS keeps such web ACLs in us-east-1", v.Show())
}

func frontsNothingRegional(s *rule.Stack, acl *rule.Resource) rule.Verdict {
	if at := s.Pointing(acl, "webAclArn", "wafv2/webAclAssociation"); len(at) > 0 {
		return rule.Fail("scope is CLOUDFRONT and %s associates it with a resource of a region", at[0].Label())
	}
	return rule.Pass()
}

func frontsNothingGlobal(s *rule.Stack, acl *rule.Resource) rule.Verdict {
	if at := s.Pointing(acl, "webAclId", "cloudfront/distribution"); len(at) > 0 {
		return rule.Fail("scope is REGIONAL and %s is served from everywhere", at[0].Label())
	}
	for _, a := range s.Pointing(acl, "webAclArn", "wafv2/webAclAssociation") {
		if len(s.Refs(a, "resourceArn", "cloudfront/distribution").Targets) > 0 {
			return rule.Fail("%s associates a distribution: CloudFront takes its web ACL by the distribution's webAclId", a.Label())
		}
	}
	return rule.Pass()
}
