package rules

import (
	"strings"

	"redoubt/guide"
	"redoubt/policy/rule"
)

// lambda holds the rules of "Lambda Security".
var lambda = []rule.Rule{
	{
		Name:     "lambda-in-vpc",
		Summary:  "A Lambda function runs in the VPC.",
		Guide:    []guide.ID{guide.PracticesLambdaVPCConfiguration},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls: mapped(fsbp("Lambda.3"), nist("SC-7", "AC-4"), pci("1.2.8", "1.3.1", "1.3.2")),
		Types:    []string{"lambda/function"},
		Check: func(r *rule.Resource, _ rule.Params) rule.Verdict {
			return r.Get("vpcConfig.subnetIds").Set("its traffic goes round the VPC's controls")
		},
		Fix: `lambda.FunctionArgs{VpcConfig: &lambda.FunctionVpcConfigArgs{SubnetIds: private, SecurityGroupIds: …}}`,
		URL: "https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html",
	},
	{
		Name:     "lambda-xray-active",
		Summary:  "A Lambda function traces its requests with X-Ray.",
		Guide:    []guide.ID{guide.PracticesLambdaXRayTracing},
		Severity: rule.Low, Level: rule.Advisory,
		Controls: mapped(nist("AU-12")),
		Types:    []string{"lambda/function"},
		Check: func(r *rule.Resource, _ rule.Params) rule.Verdict {
			return oneOf(r.Get("tracingConfig.mode"), []string{"Active"}, "requests leave no trace")
		},
		Fix:       `lambda.FunctionArgs{TracingConfig: &lambda.FunctionTracingConfigArgs{Mode: pulumi.String("Active")}}`,
		URL:       "https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html",
		Remediate: rule.SetTo("tracingConfig.mode", "Active"),
	},
	{
		Name:     "lambda-code-signing-attached",
		Summary:  "A Lambda function that is deployed as an archive has a code signing configuration.",
		Guide:    []guide.ID{guide.PracticesLambdaCodeSigning, guide.OverviewIdentityCodeSigning},
		Severity: rule.High, Level: rule.Mandatory,
		Controls: mapped(nist("SI-7(15)", "CM-14")),
		Types:    []string{"lambda/function"},
		Check: func(r *rule.Resource, _ rule.Params) rule.Verdict {
			kind := r.Get("packageType")
			if k, _ := kind.Str(); k == "Image" {
				return rule.Skip() // images are signed in the registry
			}
			if kind.Unknown() && r.Get("codeSigningConfigArn").Empty() {
				return rule.Unsure("packageType is unknown")
			}
			return r.Get("codeSigningConfigArn").Set("any archive may be deployed, whoever made it")
		},
		Fix: `lambda.FunctionArgs{CodeSigningConfigArn: signing.Arn}`,
		URL: "https://docs.aws.amazon.com/lambda/latest/dg/configuration-codesigning.html",
	},
	{
		Name:     "lambda-code-signing-enforced",
		Summary:  "A code signing configuration refuses code that nobody trusted signed.",
		Guide:    []guide.ID{guide.PracticesLambdaCodeSigning},
		Severity: rule.High,
		// Development stacks warn, so that unsigned builds can be tried out.
		Level:    rule.Advisory,
		Controls: mapped(nist("SI-7(15)", "CM-14")),
		Types:    []string{"lambda/codeSigningConfig"},
		Check: func(r *rule.Resource, _ rule.Params) rule.Verdict {
			return oneOf(r.Get("policies.untrustedArtifactOnDeployment"), []string{"Enforce"}, "untrusted code is deployed all the same")
		},
		Remediate: rule.SetTo("policies.untrustedArtifactOnDeployment", "Enforce"),
		Fix:       `lambda.CodeSigningConfigPoliciesArgs{UntrustedArtifactOnDeployment: pulumi.String("Enforce")}`,
		URL:       "https://docs.aws.amazon.com/lambda/latest/dg/configuration-codesigning.html",
	},
	{
		Name:     "lambda-reserved-concurrency",
		Summary:  "A Lambda function has a limit of its own, so that it cannot use up the account's.",
		Guide:    []guide.ID{guide.PracticesLambdaConcurrentLimits},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls: mapped(nist("SC-5", "SC-6")),
		Types:    []string{"lambda/function"},
		Check: func(r *rule.Resource, _ rule.Params) rule.Verdict {
			v := r.Get("reservedConcurrentExecutions")
			n, known := v.Int()
			switch {
			case v.Unknown():
				return rule.Unsure("%s is unknown", v.Path())
			case !known || n < 0:
				return rule.Fail("%s is %s: one function can use up the account's concurrency", v.Path(), v.Show())
			case n == 0:
				return rule.Fail("%s is %s: the function is switched off", v.Path(), v.Show())
			default:
				return rule.Pass()
			}
		},
		Fix: `lambda.FunctionArgs{ReservedConcurrentExecutions: pulumi.Int(10)}`,
		URL: "https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html",
	},
	{
		Name:     "lambda-environment-cmk",
		Summary:  "A Lambda function's environment variables are encrypted with a key of our own.",
		Guide:    []guide.ID{guide.PracticesLambdaEnvironmentEncryption},
		Severity: rule.Medium, Level: rule.Mandatory,
		Controls: mapped(nist("SC-28")),
		Types:    []string{"lambda/function"},
		Check: func(r *rule.Resource, _ rule.Params) rule.Verdict {
			if r.Get("environment.variables").Empty() {
				return rule.Skip()
			}
			return r.Get("kmsKeyArn").Set("the variables are encrypted with a key whose policy nobody can change")
		},
		Fix: `lambda.FunctionArgs{KmsKeyArn: key.Arn}`,
		URL: "https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars-encryption.html",
	},
	{
		Name:     "lambda-permission-not-public",
		Summary:  "No permission lets everybody call a function.",
		Guide:    []guide.ID{guide.OverviewIdentityResourcePolicies, guide.PracticesAuthorizationResourcePolicies},
		Severity: rule.Critical, Level: rule.Mandatory,
		Controls: mapped(fsbp("Lambda.1"), nist("AC-3"), pci("1.2.8", "1.3.1", "1.3.2")),
		Types:    []string{"lambda/permission"},
		Check: func(r *rule.Resource, _ rule.Params) rule.Verdict {
			if r.Get("principal").Unknown() {
				return rule.Unsure("principal is unknown")
			}
			if p, _ := r.Get("principal").Str(); p != "*" || boundToSource(r) || !r.Get("principalOrgId").Empty() {
				return rule.Pass()
			}
			return rule.Fail("principal is %s, and nothing binds it to an organization or a source", r.Get("principal").Show())
		},
		Fix: `lambda.PermissionArgs{Principal: pulumi.String("events.amazonaws.com"), SourceArn: rule.Arn}`,
		URL: "https://docs.aws.amazon.com/securityhub/latest/userguide/lambda-controls.html#lambda-1",
	},
	{
		Name:     "lambda-permission-service-source",
		Summary:  "A permission for an AWS service names the source that may call, against the confused deputy.",
		Guide:    []guide.ID{guide.OverviewIdentityResourcePolicies, guide.PracticesAuthorizationContextBasedRules},
		Severity: rule.High, Level: rule.Mandatory,
		Controls: mapped(nist("AC-6")),
		Types:    []string{"lambda/permission"},
		Check:    serviceSource,
		Fix:      `lambda.PermissionArgs{SourceArn: rule.Arn}, and SourceAccount too for S3`,
		URL:      "https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html",
	},
}

func boundToSource(r *rule.Resource) bool {
	return !r.Get("sourceArn").Empty() || !r.Get("sourceAccount").Empty()
}

func serviceSource(r *rule.Resource, _ rule.Params) rule.Verdict {
	v := r.Get("principal")
	p, known := v.Str()
	switch {
	case !known:
		return rule.Unsure("principal is unknown")
	case !strings.HasSuffix(p, ".amazonaws.com"):
		return rule.Skip()
	case !boundToSource(r):
		return rule.Fail("neither sourceArn nor sourceAccount is set: %s may call for any customer", v.Show())
	case p == "s3.amazonaws.com" && r.Get("sourceAccount").Empty():
		return rule.Fail("sourceAccount is not set: a bucket's ARN has no account, and the name may be somebody else's tomorrow")
	default:
		return rule.Pass()
	}
}
