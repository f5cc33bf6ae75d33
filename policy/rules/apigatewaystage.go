package rules

import (
	"encoding/json"
	"regexp"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"redoubt/guide"
	"redoubt/policy/rule"
)

var apiStages = []string{"apigateway/stage", "apigatewayv2/stage"}

// apiGatewayStage holds the rules about how an API runs: its guard, its logs,
// its limits.
var apiGatewayStage = []rule.Rule{
	{
		Name:     "apigw-waf-associated",
		Summary:  "A stage of a REST API that the internet reaches stands behind a web ACL.",
		Guide:    []guide.ID{guide.PracticesInputWAF, guide.OverviewNetworkWAF, guide.DiagramInternetWAF},
		Severity: rule.High, Level: rule.Mandatory,
		Controls:   mapped(fsbp("APIGateway.4"), nist("SC-7"), pci("1.2.8", "1.3.1", "1.3.2")),
		Types:      []string{"apigateway/stage"},
		CheckStack: stageBehindWAF,
		Fix:        `wafv2.NewWebAclAssociation with wafv2.WebAclAssociationArgs{ResourceArn: stage.Arn, WebAclArn: acl.Arn}`,
		URL:        "https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-control-access-aws-waf.html",
	},
	{
		Name:     "apigw-access-logging",
		Summary:  "A stage of an API writes access logs.",
		Guide:    []guide.ID{guide.OperationsLogsAccessLogs},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls: mapped(fsbp("APIGateway.9"), nist("AU-12"), pci("5.3.4", "10.2.1", "10.2.1.1")),
		Types:    apiStages,
		Check: func(r *rule.Resource, _ rule.Params) rule.Verdict {
			return r.Get("accessLogSettings.destinationArn").Set("requests leave no record")
		},
		Fix: `apigateway.StageArgs{AccessLogSettings: &apigateway.StageAccessLogSettingsArgs{DestinationArn: logs.Arn, Format: …}}`,
		URL: "https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html",
	},
	{
		Name:     "apigw-execution-logging-no-data-trace",
		Summary:  "An API logs its errors, and never whole requests and answers.",
		Guide:    []guide.ID{guide.OperationsLogsApplicationLogs},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls: mapped(fsbp("APIGateway.1"), nist("AU-12", "SI-11"), pci("5.3.4", "10.2.1", "10.2.1.1")),
		Types:    []string{"apigateway/methodSettings", "apigatewayv2/stage"},
		Check: func(r *rule.Resource, p rule.Params) rule.Verdict {
			return rule.All(noDataTrace(r, p), logsErrors(r))
		},
		Fix:       `apigateway.MethodSettingsSettingsArgs{LoggingLevel: pulumi.String("ERROR"), DataTraceEnabled: pulumi.Bool(false)}`,
		URL:       "https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html",
		Remediate: stopDataTrace,
	},
	{
		Name:     "apigw-structured-access-log",
		Summary:  "An API's access log is JSON that says which request, from where, by whom and with what answer.",
		Guide:    []guide.ID{guide.OperationsMetricsAuthorizationFailures, guide.OperationsLogsAccessLogs},
		Severity: rule.Low, Level: rule.Advisory,
		Controls: mapped(nist("AU-3")),
		Types:    apiStages,
		Check:    structuredLog,
		Fix: `apigateway.StageAccessLogSettingsArgs{Format: …} with JSON of $context.requestId, $context.identity.sourceIp, ` +
			`$context.status and $context.authorizer.error`,
		URL: "https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html",
	},
	{
		Name:     "apigw-throttling",
		Summary:  "An API has limits of its own, below the account's, so that it cannot use up what all share.",
		Guide:    []guide.ID{guide.OperationsMediumAPIThrottling},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls: mapped(nist("SC-5")),
		Types:    []string{"apigateway/methodSettings", "apigatewayv2/stage"},
		Check:    throttled,
		Fix:      `apigateway.MethodSettingsSettingsArgs{ThrottlingRateLimit: pulumi.Float64(100), ThrottlingBurstLimit: pulumi.Int(200)}`,
		URL:      "https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-request-throttling.html",
	},
	{
		Name:     "apigw-xray-and-cache-encrypted",
		Summary:  "A REST API traces its requests, and encrypts the answers that it caches.",
		Guide:    []guide.ID{guide.OperationsMetricsRequestLatency},
		Severity: rule.Low, Level: rule.Advisory,
		Controls:  mapped(fsbp("APIGateway.3", "APIGateway.5"), nist("AU-12", "SC-28"), pci("5.3.4", "10.2.1", "10.2.1.1")),
		Types:     []string{"apigateway/stage", "apigateway/methodSettings"},
		Check:     tracedAndEncrypted,
		Fix:       `apigateway.StageArgs{XrayTracingEnabled: pulumi.Bool(true)}; apigateway.MethodSettingsSettingsArgs{CacheDataEncrypted: pulumi.Bool(true)}`,
		URL:       "https://docs.aws.amazon.com/securityhub/latest/userguide/apigateway-controls.html",
		Remediate: traceAndEncrypt,
	},
}

func stageBehindWAF(s *rule.Stack, stage *rule.Resource, _ rule.Params) rule.Verdict {
	if len(s.Pointing(stage, "resourceArn", "wafv2/webAclAssociation")) > 0 {
		return rule.Pass()
	}
	apis := s.Refs(stage, "restApi", "apigateway/restApi")
	for _, api := range apis.Targets {
		switch private := privateEndpoint(api); private.Outcome {
		case rule.Passed:
			return rule.Skip()
		case rule.Undetermined:
			return private
		}
	}
	if apis.Unknown {
		return rule.Unsure("whether the API of the stage is private is unknown")
	}
	return missing(s, "resourceArn", "wafv2/webAclAssociation", "apigateway/stage", "no web ACL is associated with the stage")
}

// privateEndpoint passes for a REST API, or a domain of one, that only VPC
// endpoints reach.
func privateEndpoint(api *rule.Resource) rule.Verdict {
	out := rule.Skip()
	for _, v := range api.Each("endpointConfiguration.types") {
		kind, known := v.Str()
		switch {
		case kind == "PRIVATE":
			return rule.Pass()
		case !known:
			out = rule.Unsure("%s of %s is unknown", v.Path(), api.Label())
		}
	}
	return out
}

// settingsOf is where a REST API's method settings and the stage of an HTTP or
// WebSocket API keep the same settings.
func settingsOf(r *rule.Resource) string {
	if r.Is("apigatewayv2/stage") {
		return "defaultRouteSettings."
	}
	return "settings."
}

func noDataTrace(r *rule.Resource, _ rule.Params) rule.Verdict {
	return r.Get(settingsOf(r) + "dataTraceEnabled").False("tokens and personal data in requests and answers end up in the log")
}

// logsErrors judges REST APIs only: HTTP APIs have no execution log.
func logsErrors(r *rule.Resource) rule.Verdict {
	if !r.Is("apigateway/methodSettings") {
		return rule.Skip()
	}
	return oneOf(r.Get("settings.loggingLevel"), []string{"ERROR", "INFO"}, "why a request failed cannot be told")
}

// stopDataTrace leaves the logging level alone: AWS refuses one in an account
// whose API Gateway has no role for its logs.
func stopDataTrace(r *rule.Resource, p rule.Params) (resource.PropertyMap, bool) {
	if logsErrors(r).Outcome == rule.Failed {
		return nil, false
	}
	return rule.SetTo(settingsOf(r)+"dataTraceEnabled", false)(r, p)
}

// The variables of an access log's format that must be there, any of each row.
var accessLogFields = []struct {
	what    string
	pattern *regexp.Regexp
}{
	{"the request", regexp.MustCompile(`\$context\.(requestId|extendedRequestId)\b`)},
	{"the caller's address", regexp.MustCompile(`\$context\.identity\.sourceIp\b`)},
	{"the status", regexp.MustCompile(`\$context\.status\b`)},
	{"who called, or why they were refused", regexp.MustCompile(`\$context\.(authorizer|authorize|authenticate)\.|\$context\.identity\.(caller|user|userArn|cognito\w+)\b`)},
}

var contextVariable = regexp.MustCompile(`\$context\.[A-Za-z0-9_.-]*[A-Za-z0-9_]`)

func structuredLog(r *rule.Resource, _ rule.Params) rule.Verdict {
	format := r.Get("accessLogSettings.format")
	if r.Get("accessLogSettings").Empty() {
		return rule.Skip() // that there is a log is the matter of apigw-access-logging
	}
	text, known := format.Str()
	switch {
	case format.Unknown():
		return rule.Unsure("%s is unknown", format.Path())
	case !known || !json.Valid([]byte(contextVariable.ReplaceAllString(text, "0"))) || !strings.HasPrefix(strings.TrimSpace(text), "{"):
		return rule.Fail("%s is not a JSON object: queries and metric filters cannot read it", format.Path())
	}
	var lacks []string
	for _, f := range accessLogFields {
		if !f.pattern.MatchString(text) {
			lacks = append(lacks, f.what)
		}
	}
	if len(lacks) > 0 {
		return rule.Fail("%s does not say %s", format.Path(), strings.Join(lacks, ", "))
	}
	return rule.Pass()
}

func throttled(r *rule.Resource, _ rule.Params) rule.Verdict {
	out := rule.Pass()
	for _, limit := range []string{"throttlingRateLimit", "throttlingBurstLimit"} {
		v := r.Get(settingsOf(r) + limit)
		n, known := v.Number()
		switch {
		case v.Unknown():
			out = rule.All(out, rule.Unsure("%s is unknown", v.Path()))
		case !known || n < 0:
			out = rule.All(out, rule.Fail("%s is %s: only the account's limit holds, which every API shares", v.Path(), v.Show()))
		case n == 0:
			out = rule.All(out, rule.Fail("%s is 0: every request is refused", v.Path()))
		}
	}
	return out
}

func tracedAndEncrypted(r *rule.Resource, _ rule.Params) rule.Verdict {
	if r.Is("apigateway/stage") {
		return r.Get("xrayTracingEnabled").True("where a slow request spends its time cannot be told")
	}
	caching := r.Get("settings.cachingEnabled")
	encrypted := r.Get("settings.cacheDataEncrypted")
	if on, _ := caching.Bool(); on {
		return encrypted.True("answers lie in the cache in the clear")
	}
	if on, _ := encrypted.Bool(); caching.Unknown() && !on {
		return rule.Unsure("%s is unknown", caching.Path())
	}
	return rule.Skip()
}

func traceAndEncrypt(r *rule.Resource, p rule.Params) (resource.PropertyMap, bool) {
	if r.Is("apigateway/stage") {
		return rule.SetTo("xrayTracingEnabled", true)(r, p)
	}
	return rule.SetTo("settings.cacheDataEncrypted", true)(r, p)
}
