package rules

import (
	"redoubt/guide"
	"redoubt/policy/rule"
)

// secrets holds the rules of "KMS and Secrets" about Secrets Manager.
var secrets = []rule.Rule{
	{
		Name:     "secret-rotation-configured",
		Summary:  "A secret rotates.",
		Guide:    []guide.ID{guide.PracticesKMSSecretsRotation, guide.OverviewDataSecrets, guide.ResponseContainmentRotateCredentials},
		Severity: rule.High, Level: rule.Mandatory,
		Controls: mapped(fsbp("SecretsManager.1"), nist("IA-5(1)"), pci("3.5.1", "8.2.2", "8.3.2")),
		Types:    []string{"secretsmanager/secret"},
		CheckStack: func(s *rule.Stack, r *rule.Resource, _ rule.Params) rule.Verdict {
			if len(s.Pointing(r, "secretId", "secretsmanager/secretRotation")) > 0 {
				return rule.Pass()
			}
			return missing(s, "secretId", "secretsmanager/secretRotation", "secretsmanager/secret", "no rotation belongs to the secret")
		},
		Fix: `secretsmanager.NewSecretRotation with secretsmanager.SecretRotationArgs{SecretId: secret.ID(), RotationLambdaArn: rotator.Arn, RotationRules: &secretsmanager.SecretRotationRotationRulesArgs{AutomaticallyAfterDays: pulumi.Int(30)}}`,
		URL: "https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotating-secrets.html",
	},
	{
		Name:     "secret-customer-managed-key",
		Summary:  "A secret is encrypted with a key of our own, in every region that has a copy.",
		Guide:    []guide.ID{guide.OverviewDataSecrets, guide.OverviewDataKMS},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls: mapped(nist("SC-28", "SC-12")),
		Types:    []string{"secretsmanager/secret"},
		Check: func(r *rule.Resource, _ rule.Params) rule.Verdict {
			const what = "the key aws/secretsmanager, whose policy nobody can change, encrypts it"
			out := r.Get("kmsKeyId").Set(what)
			for _, copied := range r.Get("replicas").Items() {
				out = rule.All(out, copied.Get("kmsKeyId").Set(what))
			}
			return out
		},
		Fix: `secretsmanager.SecretArgs{KmsKeyId: key.Arn}`,
		URL: "https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html",
	},
}
