package rules

import (
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"redoubt/guide"
	"redoubt/policy/rule"
)

// apiGatewayDoor holds the rules about where an API is reached, and by whom.
var apiGatewayDoor = []rule.Rule{
	{
		Name:     "apigw-custom-domain-tls12",
		Summary:  "An API's own domain accepts nothing older than TLS 1.2.",
		Guide:    []guide.ID{guide.ArchitectureInTransitAPI, guide.OverviewDataTLS},
		Severity: rule.High, Level: rule.Mandatory,
		Controls:  mapped(nist("SC-8")),
		Types:     []string{"apigateway/domainName", "apigatewayv2/domainName"},
		Check:     domainTLS12,
		Fix:       `apigateway.DomainNameArgs{SecurityPolicy: pulumi.String("TLS_1_2")}`,
		URL:       "https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-custom-domain-tls-version.html",
		Remediate: setTLS12,
	},
	{
		Name:     "apigw-default-endpoint-disabled",
		Summary:  "An API with a domain of its own is not reachable by AWS's name for it as well.",
		Guide:    []guide.ID{guide.ArchitectureInTransitAPI},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls:   mapped(nist("SC-7")),
		Types:      []string{"apigateway/restApi", "apigatewayv2/api"},
		CheckStack: defaultEndpointOff,
		Fix:        `apigateway.RestApiArgs{DisableExecuteApiEndpoint: pulumi.Bool(true)}`,
		URL:        "https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-disable-default-endpoint.html",
	},
	{
		Name:     "apigw-cors-not-wildcard",
		Summary:  "An API names the web sites whose scripts may read its answers.",
		Guide:    []guide.ID{guide.PracticesInputSanitization},
		Severity: rule.Medium,
		// An API of public data may answer everybody.
		Level:    rule.Advisory,
		Controls: mapped(nist("AC-4")),
		Types:    []string{"apigatewayv2/api", "lambda/functionUrl"},
		Check:    originsNamed,
		Fix:      `apigatewayv2.ApiCorsConfigurationArgs{AllowOrigins: pulumi.StringArray{pulumi.String("https://app.example.org")}}`,
		URL:      "https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html",
	},
	{
		Name:     "apigw-resource-policy-conditioned",
		Summary:  "A REST API's resource policy has a condition, and a private API has a policy that names the VPC or the endpoint.",
		Guide:    []guide.ID{guide.PracticesAuthorizationResourcePolicies, guide.PracticesAuthorizationContextBasedRules},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls:   mapped(nist("AC-3")),
		Types:      []string{"apigateway/restApi"},
		CheckStack: resourcePolicyBinds,
		Fix:        `apigateway.RestApiPolicyArgs{Policy: …} with a condition on aws:SourceVpce, aws:SourceVpc or aws:PrincipalOrgID`,
		URL:        "https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-resource-policies-examples.html",
	},
}

func securityPolicyPath(r *rule.Resource) string {
	if r.Is("apigatewayv2/domainName") {
		return "domainNameConfiguration.securityPolicy"
	}
	return "securityPolicy"
}

// domainTLS12 knows the first policies, TLS_1_0 and TLS_1_2, and the later ones,
// whose names start with the version that they are for. A private domain has TLS 1.2 without a policy.
func domainTLS12(r *rule.Resource, _ rule.Params) rule.Verdict {
	v := r.Get(securityPolicyPath(r))
	name, known := v.Str()
	switch {
	case v.Unknown():
		return rule.Unsure("%s is unknown", v.Path())
	case v.Absent() && privateEndpoint(r).Outcome == rule.Passed:
		return rule.Pass()
	case known && (name == "TLS_1_2" || strings.HasPrefix(name, "SecurityPolicy_TLS12_") || strings.HasPrefix(name, "SecurityPolicy_TLS13_")):
		return rule.Pass()
	case v.Absent() && privateEndpoint(r).Outcome == rule.Undetermined:
		return privateEndpoint(r)
	default:
		return rule.Fail("%s is %s: clients may come with TLS 1.0", v.Path(), v.Show())
	}
}

func setTLS12(r *rule.Resource, p rule.Params) (resource.PropertyMap, bool) {
	return rule.SetTo(securityPolicyPath(r), "TLS_1_2")(r, p)
}

func defaultEndpointOff(s *rule.Stack, api *rule.Resource, _ rule.Params) rule.Verdict {
	// A mapping of the second API version maps APIs of both.
	mappings := s.Pointing(api, "apiId", "apigatewayv2/apiMapping")
	loose := s.Loose("apiId", "apigatewayv2/apiMapping", api.Type)
	if api.Is("apigateway/restApi") {
		mappings = append(mappings, s.Pointing(api, "restApi", "apigateway/basePathMapping")...)
		loose = loose || s.Loose("restApi", "apigateway/basePathMapping", api.Type)
	}
	off := api.Get("disableExecuteApiEndpoint")
	if on, _ := off.Bool(); on {
		return rule.Pass()
	}
	switch {
	case len(mappings) > 0:
		return off.True("what guards " + mappings[0].Name + " is gone round by AWS's own name")
	case loose:
		return rule.Unsure("a mapping belongs to an unknown API")
	default:
		return rule.Skip()
	}
}

func originsNamed(r *rule.Resource, _ rule.Params) rule.Verdict {
	path := "corsConfiguration"
	if r.Is("lambda/functionUrl") {
		path = "cors"
	}
	if r.Get(path).Absent() {
		return rule.Skip()
	}
	out := rule.Pass()
	for _, v := range r.Each(path + ".allowOrigins") {
		origin, known := v.Str()
		switch {
		case !known:
			out = rule.All(out, rule.Unsure("%s is unknown", v.Path()))
		case slices.Contains([]string{"*", "http://*", "https://*"}, origin):
			out = rule.All(out, rule.Fail("%s is %s: a script of any web site may read the answers", v.Path(), v.Show()))
		}
	}
	return out
}

// networkKeys are the condition keys that say through which VPC or endpoint a
// request to a private API came.
var networkKeys = []string{"aws:sourcevpce", "aws:sourcevpc", "aws:vpcsourceip"}

func resourcePolicyBinds(s *rule.Stack, api *rule.Resource, _ rule.Params) rule.Verdict {
	holders := s.Pointing(api, "restApiId", "apigateway/restApiPolicy")
	if !api.Get("policy").Empty() {
		holders = append(holders, api)
	}
	private := privateEndpoint(api)
	if len(holders) == 0 {
		switch private.Outcome {
		case rule.Passed:
			return missing(s, "restApiId", "apigateway/restApiPolicy", "apigateway/restApi", "the API is private and has no policy: nobody can call it")
		case rule.Undetermined:
			return private
		}
		return rule.Skip()
	}
	out := rule.Skip()
	for _, h := range holders {
		out = rule.All(out, policyBinds(h, private.Outcome == rule.Passed))
	}
	return out
}

func policyBinds(holder *rule.Resource, private bool) rule.Verdict {
	doc, v := holder.Document("policy")
	if v.Outcome != rule.Passed {
		return v
	}
	// AWS's own examples allow everybody and deny whoever comes another way.
	if slices.ContainsFunc(doc.Statements, func(st rule.Statement) bool { return deniesOthers(st, private) }) {
		return rule.Pass()
	}
	return doc.Judge(func(st rule.Statement) rule.Verdict {
		switch {
		case !st.Allows() || !st.AnyPrincipal():
			return rule.Pass()
		case private && !st.Requires(networkKeys...):
			return rule.Fail("%s of %s allows every principal, through any VPC endpoint of any account", st.Label(), holder.Label())
		case !private && len(st.Conditions) == 0:
			return rule.Fail("%s of %s allows every principal without a condition: the policy decides nothing", st.Label(), holder.Label())
		default:
			return rule.Pass()
		}
	})
}

// deniesOthers says that the statement denies every principal under a
// condition; for a private API it is that the request came another way.
func deniesOthers(st rule.Statement, private bool) bool {
	return st.Effect == "Deny" && st.AnyPrincipal() && slices.ContainsFunc(st.Conditions, func(c rule.Condition) bool {
		return !private || strings.Contains(c.Operator, "not") && slices.Contains(networkKeys, c.Key)
	})
}
