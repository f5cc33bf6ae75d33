package rules

import (
	"fmt"
	"regexp"
	"strings"

	"redoubt/guide"
	"redoubt/policy/rule"
)

// ecsEnvironment holds the rule about what stands in a container's environment.
var ecsEnvironment = []rule.Rule{{
	Name:     "ecs-secrets-from-secrets-manager",
	Summary:  "A container gets its secrets from Secrets Manager or Parameter Store, not as plain variables.",
	Guide:    []guide.ID{guide.OverviewDataSecrets},
	Severity: rule.High, Level: rule.Mandatory,
	Controls: mapped(fsbp("ECS.8"), nist("IA-5"), pci("3.5.1", "8.2.2", "8.3.2")),
	Types:    []string{"ecs/taskDefinition"},
	Check: eachContainer(func(c container) rule.Verdict {
		out := rule.Pass()
		for i, v := range c.Environment {
			if value, isText := v.Value.(string); isText && plainSecret(v.Name, value) {
				out = rule.All(out, rule.Fail("%s of %s holds a secret in plain text: whoever may describe the task reads it",
					v.label(i, c.secret), c.label))
			}
		}
		return out
	}),
	Fix: `"secrets": [{"name": …, "valueFrom": <ARN of the secret>}] in place of "environment" in ecs.TaskDefinitionArgs.ContainerDefinitions`,
	URL: "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/specifying-sensitive-data.html",
}}

// label names the variable in a message, and never its value.
func (v variable) label(i int, secret bool) string {
	if secret {
		return fmt.Sprintf("variable %d", i+1)
	}
	return fmt.Sprintf("variable %q", v.Name)
}

// secretWords end the names of variables that hold a secret. They must end it:
// DB_PASSWORD is one, DB_PASSWORD_ARN and TOKEN_TTL are not.
var secretWords = []string{
	"PASSWORD", "PASSWD", "PASSPHRASE", "SECRET", "TOKEN", "CREDENTIALS", "APIKEY", "API_KEY", "ACCESS_KEY",
	"ACCESS_KEY_ID", "SECRET_KEY", "PRIVATE_KEY", "SIGNING_KEY", "ENCRYPTION_KEY", "ENGINE_AUTH_DATA",
}

// secretShapes are secrets whatever the variable's name is: an access key of
// AWS, a private key, a password in a URL.
var secretShapes = regexp.MustCompile(`\b(AKIA|ASIA)[0-9A-Z]{16}\b|-----BEGIN [A-Z ]*PRIVATE KEY-----|://[^/\s:@]+:[^/\s@$<{][^/\s@]*@`)

// pointerShapes are values that say where a secret is, or whether there is one.
var pointerShapes = regexp.MustCompile(`^(|arn:.*|/.*|true|false)$`)

var lowerUpper = regexp.MustCompile(`([a-z0-9])([A-Z])`)

// plainSecret says that a variable holds a secret, by its name or its value.
func plainSecret(name, value string) bool {
	if secretShapes.MatchString(value) {
		return true
	}
	if pointerShapes.MatchString(value) {
		return false
	}
	name = lowerUpper.ReplaceAllString(name, "${1}_$2")
	name = "_" + strings.ToUpper(strings.NewReplacer("-", "_", ".", "_").Replace(name))
	for _, word := range secretWords {
		if strings.HasSuffix(name, "_"+word) {
			return true
		}
	}
	return false
}
