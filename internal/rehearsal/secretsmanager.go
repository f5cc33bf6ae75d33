package rehearsal

import (
	"fmt"
	"regexp"
	"strings"
)

const (
	docsSecret   = "https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html"
	docsRotation = "https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotateSecret.html"
)

// secretsKinds are secrets and what rotates them.
var secretsKinds = []kind{
	{
		token: "aws:secretsmanager/secret:Secret", noun: "Secrets Manager Secret", service: "Secrets Manager", action: "Secret",
		id: "{arn}", arn: "arn:{partition}:secretsmanager:{region}:{account}:secret:{name}-{alnum6:secret}", handles: []string{"{name}"},
		defaults: props{"forceOverwriteReplicaSecret": false, "recoveryWindowInDays": 30},
		computed: props{"policy": ""},
		replaces: []string{"name", "namePrefix"}, refs: refer(toKey, "kmsKeyId"),
		unique: []unique{{key: "{name}", code: "ResourceExistsException", message: "The operation failed because the secret {name} already exists."}},
		limits: []limit{
			{path: "name", longest: 512, pattern: regexp.MustCompile(`^[A-Za-z0-9/_+=.@-]+$`), meaning: "only letters, digits and /_+=.@-", source: docsSecret},
			{path: "policy", json: true, source: docsSecret},
		},
		refuses: []refusal{{name: "secret-recovery-window", code: "InvalidParameterException", source: docsSecret, because: func(c *call) string {
			if n, ok := c.number("recoveryWindowInDays"); ok && n != 0 && (n < 7 || n > 30) {
				return fmt.Sprintf("the recovery window must be 0 or 7 to 30 days, not %s", number(n))
			}
			return ""
		}}},
	},
	{
		token: "aws:secretsmanager/secretVersion:SecretVersion", noun: "Secrets Manager Secret Version", service: "Secrets Manager", action: "SecretValue", call: "PutSecretValue",
		id: "{secretId}|{versionId}", arn: "{secretId->arn}", computed: props{"versionId": "{alnum32:version}"},
		replaces: []string{"secretId", "secretString", "secretBinary"}, refs: refer(toSecret, "secretId"),
	},
	{
		token: "aws:secretsmanager/secretPolicy:SecretPolicy", noun: "Secrets Manager Secret Policy", service: "Secrets Manager", action: "ResourcePolicy", call: "PutResourcePolicy",
		id: "{secretArn}", replaces: []string{"secretArn"}, refs: refer(toSecret, "secretArn"),
		limits:  []limit{{path: "policy", json: true, longest: 20480, source: docsSecret}},
		refuses: []refusal{{name: "secret-policy-grammar", code: "MalformedPolicyDocumentException", source: docsSecret, because: policyMalformed("policy")}},
	},
	{
		token: "aws:secretsmanager/secretRotation:SecretRotation", noun: "Secrets Manager Secret Rotation", service: "Secrets Manager", action: "Secret", call: "RotateSecret",
		id: "{secretId}", defaults: props{"rotateImmediately": true}, computed: props{"rotationEnabled": true},
		replaces: []string{"secretId"},
		refs: append(refer(toFunction, "rotationLambdaArn"), ref{"secretId", &target{
			types: toSecret.types, code: toSecret.code, message: toSecret.message, outside: managedByAService,
		}}),
		limits: []limit{{path: "rotationRules.automaticallyAfterDays", least: 1, most: 1000, source: docsRotation}},
		refuses: []refusal{
			{name: "rotation-function", code: "InvalidRequestException", source: docsRotation, because: func(c *call) string {
				if c.text("rotationLambdaArn") == "" && !managedByAService(c.text("secretId")) {
					return "No Lambda rotation function ARN is associated with this secret."
				}
				return ""
			}},
			{name: "rotation-permission", code: "AccessDeniedException", source: docsRotation, because: rotationNotAllowed},
		},
	},
}

// managedByAService is true for secrets that another service made and rotates
// itself, such as the master password of an RDS cluster.
func managedByAService(secret string) bool { return strings.Contains(secret, ":secret:rds!") }

func rotationNotAllowed(c *call) string {
	function := c.referred("rotationLambdaArn")
	if function == nil {
		return ""
	}
	for _, permission := range c.users(function, "aws:lambda/permission:Permission") {
		if who, _ := text(permission.outputs, "principal"); who == "secretsmanager.amazonaws.com" {
			return ""
		}
	}
	return fmt.Sprintf("Secrets Manager cannot invoke the specified Lambda function %s. Ensure that the function policy grants access to the principal secretsmanager.amazonaws.com (and that the rotation depends on that permission).", function.id)
}
