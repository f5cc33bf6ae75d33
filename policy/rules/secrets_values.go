package rules

import (
	"strings"

	"redoubt/guide"
	"redoubt/policy/rule"
)

// secretValues holds the rules about where the values of secrets stand. They go
// by the marker that the engine keeps on a value, and guess nothing by its look.
var secretValues = []rule.Rule{
	{
		Name:     "secret-value-not-plaintext-in-state",
		Summary:  "The value of a secret is marked as one, so that the state keeps it encrypted.",
		Guide:    []guide.ID{guide.OverviewDataSecrets},
		Severity: rule.Critical, Level: rule.Mandatory,
		Controls: mapped(nist("IA-5", "SC-28")),
		Types:    secretHolderTypes,
		Check:    valueMarked,
		Fix:      `secretsmanager.SecretVersionArgs{SecretString: cfg.RequireSecret("…")}, or pulumi.ToSecret(value)`,
		URL:      "https://www.pulumi.com/docs/iac/concepts/secrets/",
	},
	{
		Name:     "secret-taint-into-plaintext-sink",
		Summary:  "No secret value goes where whoever may describe a resource can read it.",
		Guide:    []guide.ID{guide.OverviewDataSecrets, guide.PracticesLambdaEnvironmentEncryption},
		Severity: rule.Critical, Level: rule.Mandatory,
		Controls: mapped(fsbp("ECS.8"), nist("IA-5", "SC-28"), pci("3.5.1", "8.2.2", "8.3.2")),
		Types:    plaintextSinkTypes,
		Check:    noSecretInPlaintext,
		Fix: `the ARN of a secretsmanager.Secret in place of its value: ecs "secrets" with "valueFrom", ` +
			`or a Lambda function that reads the secret when it starts`,
		URL: "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/specifying-sensitive-data.html",
	},
	{
		Name:     "ssm-parameter-secure-string",
		Summary:  "A parameter that is named like a secret is a SecureString, under a key of our own.",
		Guide:    []guide.ID{guide.OverviewDataSecrets, guide.OverviewDataKMS},
		Severity: rule.Medium,
		// A name is a hint, and no proof.
		Level:    rule.Advisory,
		Controls: mapped(nist("SC-28")),
		Types:    []string{"ssm/parameter"},
		Params: []rule.Param{{
			Name: "names", Kind: rule.Strings,
			Default: []string{
				"*password", "*passwd", "*passphrase", "*secret", "*token", "*credential", "*credentials",
				"*private-key", "*private_key", "*privatekey", "*api-key", "*api_key", "*apikey",
			},
			Description: "What the names of secrets look like, in lower case, with * for any text.",
		}},
		Check: secureString,
		Fix:   `ssm.ParameterArgs{Type: pulumi.String("SecureString"), KeyId: key.Arn}`,
		URL:   "https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-securestring.html",
	},
}

// secretHolders says which property of which type is the value of a secret.
var secretHolders = map[string][]string{
	"secretsmanager/secretVersion": {"secretString", "secretBinary"},
	"ssm/parameter":                {"value", "insecureValue"},
	"rds/cluster":                  {"masterPassword"},
	"rds/instance":                 {"password"},
}

var secretHolderTypes = []string{"secretsmanager/secretVersion", "ssm/parameter", "rds/cluster", "rds/instance"}

func valueMarked(r *rule.Resource, _ rule.Params) rule.Verdict {
	out := rule.Skip()
	if r.Is("ssm/parameter") {
		switch kind := r.Get("type"); {
		case kind.Unknown():
			return rule.Unsure("%s is unknown", kind.Path())
		case oneOf(kind, []string{"SecureString"}, "").Outcome != rule.Passed:
			return out
		}
	}
	for _, path := range secretHolders[r.Type] {
		switch v := r.Get(path); {
		case v.Empty():
		case v.Secret():
			out = rule.All(out, rule.Pass())
		case v.Unknown():
			out = rule.All(out, rule.Unsure("%s is unknown", path))
		default:
			out = rule.All(out, rule.Fail("%s is not marked secret: it stands in the state and in every preview as it is", path))
		}
	}
	return out
}

// plaintextSinks says which property of which type an API shows to whoever may
// describe the resource.
var plaintextSinks = map[string][]string{
	"lambda/function":        {"environment.variables"},
	"ecs/taskDefinition":     {"containerDefinitions"},
	"ec2/instance":           {"userData", "userDataBase64"},
	"ec2/launchTemplate":     {"userData"},
	"cloudwatch/eventTarget": {"input"},
	"ssm/parameter":          {"insecureValue"},
}

var plaintextSinkTypes = []string{
	"lambda/function", "ecs/taskDefinition", "ec2/instance", "ec2/launchTemplate", "cloudwatch/eventTarget", "ssm/parameter",
}

func noSecretInPlaintext(r *rule.Resource, _ rule.Params) rule.Verdict {
	out := rule.Skip()
	for _, path := range plaintextSinks[r.Type] {
		v := r.Get(path)
		if v.Empty() {
			continue
		}
		out = rule.All(out, rule.Pass())
		for _, secret := range v.Secrets() {
			out = rule.All(out, rule.Fail("%s is a secret, and every description of the resource shows it", secret.Path()))
		}
		if v.HasUnknown() {
			out = rule.All(out, rule.Unsure("whether a value in %s will be a secret is unknown", path))
		}
	}
	return out
}

func secureString(r *rule.Resource, p rule.Params) rule.Verdict {
	kind, known := r.Get("type").Str()
	if !known {
		return rule.Unsure("type is unknown")
	}
	if kind == "SecureString" {
		if v := notManaged(r.Get("keyId"), "aws/ssm"); v.Outcome == rule.Failed {
			return v
		}
		return rule.Pass()
	}
	name := r.Name
	if v := r.Get("name"); v.Present() {
		if name, known = v.Str(); !known {
			return rule.Unsure("name is unknown")
		}
	}
	name = strings.ToLower(name)
	for _, pattern := range p.Strs("names") {
		if rule.WildcardMatch(pattern, name) {
			return rule.Fail("type is %s, and the name says that the value is a secret (%s)", r.Get("type").Show(), pattern)
		}
	}
	return rule.Skip()
}
