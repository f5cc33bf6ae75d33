package rules

import (
	"strings"

	"redoubt/guide"
	"redoubt/policy/rule"
)

// lambdaOperation holds the rules about who may call a function and use a layer,
// and how a function lives.
var lambdaOperation = []rule.Rule{
	{
		Name:     "lambda-vpc-multi-az",
		Summary:  "A Lambda function in the VPC runs in at least two availability zones.",
		Guide:    []guide.ID{guide.PracticesLambdaVPCConfiguration},
		Severity: rule.Low, Level: rule.Advisory,
		Controls: mapped(fsbp("Lambda.5"), nist("CP-10")),
		Types:    []string{"lambda/function"},
		CheckStack: func(s *rule.Stack, r *rule.Resource, _ rule.Params) rule.Verdict {
			if r.Get("vpcConfig.subnetIds").Empty() {
				return rule.Skip()
			}
			return spansZones(s, r, "vpcConfig.subnetIds")
		},
		Fix: `lambda.FunctionVpcConfigArgs{SubnetIds: pulumi.StringArray{privateA.ID(), privateB.ID()}, SecurityGroupIds: …}`,
		URL: "https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html",
	},
	{
		Name:     "lambda-code-signing-publisher-known",
		Summary:  "The publishers that a code signing configuration trusts sign for Lambda, and are in the stack.",
		Guide:    []guide.ID{guide.PracticesLambdaCodeSigning, guide.OverviewIdentityCodeSigning},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls:   mapped(nist("SI-7")),
		Types:      []string{"lambda/codeSigningConfig"},
		CheckStack: publishersKnown,
		Fix: `lambda.CodeSigningConfigAllowedPublishersArgs{SigningProfileVersionArns: pulumi.StringArray{profile.VersionArn}} ` +
			`with signer.SigningProfileArgs{PlatformId: pulumi.String("AWSLambda-SHA384-ECDSA")}`,
		URL: "https://docs.aws.amazon.com/lambda/latest/dg/configuration-codesigning.html",
	},
	{
		Name:     "lambda-url-iam-auth",
		Summary:  "A function's own address asks who calls.",
		Guide:    []guide.ID{guide.PracticesAuthenticationTokenAuth, guide.PracticesAuthorizationResourcePolicies},
		Severity: rule.High, Level: rule.Mandatory,
		Controls: mapped(nist("IA-2", "AC-3")),
		Types:    []string{"lambda/functionUrl"},
		Check: func(r *rule.Resource, _ rule.Params) rule.Verdict {
			return oneOf(r.Get("authorizationType"), []string{"AWS_IAM"}, "whoever knows the address may call, round WAF and API Gateway")
		},
		Fix:       `lambda.FunctionUrlArgs{AuthorizationType: pulumi.String("AWS_IAM")}`,
		URL:       "https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html",
		Remediate: rule.SetTo("authorizationType", "AWS_IAM"),
	},
	{
		Name:     "lambda-dead-letter-or-destination",
		Summary:  "Events that a function fails on are kept: by a dead-letter queue, or by a destination.",
		Guide:    []guide.ID{guide.OperationsMetricsErrorRates},
		Severity: rule.Low,
		// A function that nobody calls asynchronously needs none.
		Level:      rule.Advisory,
		Controls:   mapped(nist("AU-5")),
		Types:      []string{"lambda/function"},
		CheckStack: failuresKept,
		Fix:        `lambda.FunctionArgs{DeadLetterConfig: &lambda.FunctionDeadLetterConfigArgs{TargetArn: queue.Arn}}`,
		URL:        "https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html",
	},
	{
		Name:     "lambda-log-group-managed",
		Summary:  "A function writes to a log group of the stack, whose key and retention somebody chose.",
		Guide:    []guide.ID{guide.OperationsLogsApplicationLogs, guide.OverviewMonitoringLogs},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls:   mapped(nist("AU-11")),
		Types:      []string{"lambda/function"},
		CheckStack: logGroupManaged,
		Fix:        `cloudwatch.LogGroupArgs{Name: pulumi.String("/aws/lambda/orders"), RetentionInDays: pulumi.Int(365), KmsKeyId: key.Arn}, before the function`,
		URL:        "https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-loggroups.html",
	},
	{
		Name:     "lambda-layer-not-public",
		Summary:  "No permission lets everybody use a layer.",
		Guide:    []guide.ID{guide.OverviewIdentityResourcePolicies, guide.PracticesAuthorizationResourcePolicies},
		Severity: rule.High, Level: rule.Mandatory,
		Controls: mapped(nist("AC-3")),
		Types:    []string{"lambda/layerVersionPermission"},
		Check: func(r *rule.Resource, _ rule.Params) rule.Verdict {
			principal := r.Get("principal")
			if principal.Unknown() && r.Get("organizationId").Empty() {
				return rule.Unsure("principal is unknown")
			}
			if p, _ := principal.Str(); p != "*" || !r.Get("organizationId").Empty() {
				return rule.Pass()
			}
			return rule.Fail("principal is %s, and organizationId is not set: any account may read the layer's code", principal.Show())
		},
		Fix: `lambda.LayerVersionPermissionArgs{Principal: pulumi.String("*"), OrganizationId: organization.ID()}, or an account as Principal`,
		URL: "https://docs.aws.amazon.com/lambda/latest/dg/permissions-layer-cross-account.html",
	},
}

// spansZones is the verdict of a property whose subnets must be of two
// availability zones at least.
func spansZones(s *rule.Stack, r *rule.Resource, path string) rule.Verdict {
	refs := s.Refs(r, path, "ec2/subnet")
	zones, open := map[string]bool{}, !refs.Complete()
	for _, subnet := range refs.Targets {
		zone := subnet.Get("availabilityZone")
		if zone.Absent() {
			zone = subnet.Get("availabilityZoneId")
		}
		if name, known := zone.Str(); known {
			zones[name] = true
		} else {
			open = true // AWS chooses, or the update brings it
		}
	}
	switch {
	case len(zones) > 1:
		return rule.Pass()
	case open:
		return rule.Unsure("%s has subnets whose availability zone is unknown", path)
	default:
		return rule.Fail("%s is of one availability zone: when it fails, so does the function", path)
	}
}

// lambdaPlatform is how Signer calls archives for Lambda.
const lambdaPlatform = "AWSLambda-SHA384-ECDSA"

func publishersKnown(s *rule.Stack, r *rule.Resource, _ rule.Params) rule.Verdict {
	const path = "allowedPublishers.signingProfileVersionArns"
	refs := s.Refs(r, path, "signer/signingProfile")
	if refs.Empty() {
		return rule.Fail("%s is not set: nobody's signature is trusted", path)
	}
	out := rule.Pass()
	for _, profile := range refs.Targets {
		out = rule.All(out, signsForLambda(profile))
	}
	if !refs.Complete() {
		out = rule.All(out, rule.Unsure("%s has signing profiles that are not in this stack", path))
	}
	return out
}

func signsForLambda(profile *rule.Resource) rule.Verdict {
	v := profile.Get("platformId")
	if platform, _ := v.Str(); platform == lambdaPlatform {
		return rule.Pass()
	}
	if v.Unknown() {
		return rule.Unsure("platformId of %s is unknown", profile.Label())
	}
	return rule.Fail("platformId of %s is %s: it does not sign for Lambda", profile.Label(), v.Show())
}

func failuresKept(s *rule.Stack, r *rule.Resource, _ rule.Params) rule.Verdict {
	const config = "lambda/functionEventInvokeConfig"
	if !r.Get("deadLetterConfig.targetArn").Empty() {
		return rule.Pass()
	}
	for _, c := range s.Pointing(r, "functionName", config) {
		if !c.Get("destinationConfig.onFailure.destination").Empty() {
			return rule.Pass()
		}
	}
	return missing(s, "functionName", config, "lambda/function",
		"deadLetterConfig is not set, and no destination takes the events that the function fails on: they are lost")
}

// lambdaLogs starts the name of the log group that Lambda uses, and makes if it
// is not there.
const lambdaLogs = "/aws/lambda/"

func logGroupManaged(s *rule.Stack, r *rule.Resource, _ rule.Params) rule.Verdict {
	const group = "cloudwatch/logGroup"
	if !r.Get("loggingConfig.logGroup").Empty() {
		if len(s.Refs(r, "loggingConfig.logGroup", group).Targets) > 0 {
			return rule.Pass()
		}
		return rule.Unsure("loggingConfig.logGroup names a log group that is not in this stack")
	}
	function, named := r.Get("name").Str()
	if named && len(s.Named(lambdaLogs+function, group)) > 0 {
		return rule.Pass()
	}
	for _, g := range s.Pointing(r, "name", group) { // made from the function's name
		if name, known := g.Get("name").Str(); !known || strings.HasPrefix(name, lambdaLogs) {
			return rule.Pass()
		}
	}
	if !named || s.Loose("name", group, "lambda/function") {
		return rule.Unsure("the name of the function or of a log group is unknown")
	}
	return rule.Fail("no log group of this stack is %s with the function's name: Lambda makes one itself, without a key of ours and kept for ever", lambdaLogs)
}
