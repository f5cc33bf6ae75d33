package blueprint

var keyMistakes = []Mistake{
	{
		Name: "kms-rotates-rarely", Family: "KMS", Deed: "a key rotates every seven years",
		Rule:   "kms-rotation-period",
		Change: Change{On: Target{"kms/key", "messaging-key"}, Set: map[string]any{"rotationPeriodInDays": 2560}},
	},
	{
		Name: "kms-disabled", Family: "KMS", Deed: "the key of the backups is switched off",
		Rule:   "kms-key-enabled",
		Change: Change{On: Target{"kms/key", "backup-key"}, Set: map[string]any{"isEnabled": false}},
	},
	{
		Name: "kms-without-rotation", Family: "KMS", Deed: "the application key no longer rotates",
		Rule:   "kms-key-rotation-enabled",
		Change: Change{On: Target{"kms/key", "app-key"}, Set: map[string]any{"enableKeyRotation": false}},
	},
	{
		Name: "kms-gone-in-a-week", Family: "KMS", Deed: "a deleted key is lost after seven days",
		Rule:   "kms-deletion-window-30",
		Change: Change{On: Target{"kms/key", "logs-key"}, Set: map[string]any{"deletionWindowInDays": 7}},
	},
	{
		Name: "kms-lockout-allowed", Family: "KMS", Deed: "a policy may lock everybody out of the key",
		Rule:   "kms-no-lockout-bypass",
		Change: Change{On: Target{"kms/key", "tasks-key"}, Set: map[string]any{"bypassPolicyLockoutSafetyCheck": true}},
	},
	{
		Name: "kms-grant-without-context", Family: "KMS", Deed: "a grant of a key is bound to nothing",
		Rule: "kms-grant-scoped",
		Change: Change{
			On: Target{"kms/grant", "loose"},
			Add: map[string]any{
				"keyId": "1234abcd-12ab-34cd-56ef-1234567890ab", "granteePrincipal": "arn:aws:iam::123456789012:role/anything",
				"operations": []any{"Decrypt", "CreateGrant"},
			},
		},
	},
	{
		Name: "secret-lost-at-once", Family: "secrets", Deed: "a deleted secret cannot be recovered",
		Rule:   "secret-recovery-window",
		Change: Change{On: Target{"secretsmanager/secret", "db-user-secret"}, Set: map[string]any{"recoveryWindowInDays": 0}},
	},
	{
		Name: "secret-rotates-rarely", Family: "secrets", Deed: "the password rotates once a year",
		Rule:   "secret-rotation-interval",
		Change: Change{On: Target{"secretsmanager/secretRotation", "db-user-rotation"}, Set: map[string]any{"rotationRules.automaticallyAfterDays": 365}},
	},
	{
		Name: "secret-policy-unguarded", Family: "secrets", Deed: "nothing stops a policy that makes the secret public",
		Rule:   "secret-policy-blocks-public",
		Change: Change{On: Target{"secretsmanager/secretPolicy", "db-proxy-user-policy"}, Set: map[string]any{"blockPublicPolicy": false}},
	},
	{
		Name: "password-in-parameter", Family: "secrets", Deed: "a password stands in a plain parameter",
		Rule: "ssm-parameter-secure-string",
		Change: Change{
			On:  Target{"ssm/parameter", "database-password"},
			Add: map[string]any{"name": "/app/database-password", "type": "String", "value": "not-a-real-password"},
		},
	},
}

var bucketMistakes = []Mistake{
	{
		Name: "unencrypted-bucket", Family: "S3", Deed: "the data bucket's encryption with KMS is taken away",
		Rule: "s3-kms-encryption",
		Change: Change{
			On:  Target{"s3/bucketServerSideEncryptionConfigurationV2", "data-encryption"},
			Set: map[string]any{"rules": []any{map[string]any{"applyServerSideEncryptionByDefault": map[string]any{"sseAlgorithm": "AES256"}}}},
		},
		At: Target{"s3/bucketV2", "data-bucket"},
	},
	{
		Name: "public-bucket", Family: "S3", Deed: "the bucket of artifacts lets public policies in",
		Rule:   "s3-public-access-block",
		Change: Change{On: Target{"s3/bucketPublicAccessBlock", "artifacts-public-access"}, Set: map[string]any{"blockPublicPolicy": false}},
		At:     Target{"s3/bucketV2", "artifacts-bucket"},
	},
	{
		Name: "bucket-with-lists", Family: "S3", Deed: "objects of the evidence bucket have access lists of their own",
		Rule:   "s3-object-ownership-enforced",
		Change: Change{On: Target{"s3/bucketOwnershipControls", "evidence-ownership"}, Set: map[string]any{"rule.objectOwnership": "ObjectWriter"}},
		At:     Target{"s3/bucketV2", "evidence-bucket"},
	},
	{
		Name: "account-lets-buckets-open", Family: "S3", Deed: "the account no longer blocks public buckets",
		Rule:   "s3-account-public-access-block",
		Change: Change{On: Target{"s3/accountPublicAccessBlock", "guards-s3-public-access"}, Set: map[string]any{"restrictPublicBuckets": false}},
	},
}

var databaseMistakes = []Mistake{
	{
		Name: "public-database", Family: "Aurora", Deed: "a database instance has a public address",
		Rule:   "rds-not-publicly-accessible",
		Change: Change{On: Target{"rds/clusterInstance", "db-instance-1"}, Set: map[string]any{"publiclyAccessible": true}},
	},
	{
		Name: "unencrypted-database", Family: "Aurora", Deed: "the database's storage is not encrypted",
		Rule:   "aurora-storage-encrypted",
		Change: Change{On: Target{"rds/cluster", "db-cluster"}, Set: map[string]any{"storageEncrypted": false}},
	},
	{
		Name: "database-without-tls", Family: "Aurora", Deed: "the database takes connections without TLS",
		Rule:   "aurora-force-tls",
		Change: Change{On: Target{"rds/clusterParameterGroup", "db-parameters"}, Set: map[string]any{"parameters[name=rds.force_ssl].value": "0"}},
		At:     Target{"rds/cluster", "db-cluster"},
	},
	{
		Name: "database-kept-a-day", Family: "Aurora", Deed: "backups of the database are kept for one day",
		Rule:   "aurora-backup-retention",
		Change: Change{On: Target{"rds/cluster", "db-cluster"}, Set: map[string]any{"backupRetentionPeriod": 1}},
	},
	{
		Name: "database-deletable", Family: "Aurora", Deed: "the database can be deleted by accident",
		Rule:   "aurora-deletion-protection",
		Change: Change{On: Target{"rds/cluster", "db-cluster"}, Set: map[string]any{"deletionProtection": false}},
	},
	{
		Name: "proxy-without-tls", Family: "Aurora", Deed: "the proxy takes connections without TLS",
		Rule:   "rds-proxy-require-tls",
		Change: Change{On: Target{"rds/proxy", "db-proxy-proxy"}, Set: map[string]any{"requireTls": false}},
	},
	{
		Name: "search-without-https", Family: "OpenSearch", Deed: "the search domain takes plain HTTP",
		Rule:   "opensearch-enforce-https",
		Change: Change{On: Target{"opensearch/domain", "search-domain"}, Set: map[string]any{"domainEndpointOptions.enforceHttps": false}},
	},
	{
		Name: "search-in-clear", Family: "OpenSearch", Deed: "nodes of the search domain talk in clear",
		Rule:   "opensearch-node-to-node-encryption",
		Change: Change{On: Target{"opensearch/domain", "search-domain"}, Set: map[string]any{"nodeToNodeEncryption.enabled": false}},
	},
	{
		Name: "search-for-everybody", Family: "OpenSearch", Deed: "everybody in the network may search",
		Rule: "resource-policy-requires-conditions",
		Change: Change{
			On:  Target{"opensearch/domain", "search-domain"},
			Set: map[string]any{"accessPolicies": document(map[string]any{"Effect": "Allow", "Principal": "*", "Action": "es:*", "Resource": "*"})},
		},
	},
	{
		Name: "backups-lost-in-a-day", Family: "backup", Deed: "a backup is deleted after one day",
		Rule:   "backup-plan-retention",
		Change: Change{On: Target{"backup/plan", "backup-plan"}, Set: map[string]any{"rules[ruleName=daily].lifecycle.deleteAfter": 1}},
	},
	{
		Name: "vault-destroyed-full", Family: "backup", Deed: "the vault is destroyed with the backups in it",
		Rule:   "backup-vault-cmk-locked",
		Change: Change{On: Target{"backup/vault", "backup-vault"}, Set: map[string]any{"forceDestroy": true}},
	},
	{
		Name: "incidents-unrecoverable", Family: "DynamoDB", Deed: "the table of incidents cannot be restored to a point in time",
		Rule:   "dynamodb-pitr-cmk-protected",
		Change: Change{On: Target{"dynamodb/table", "response-incidents"}, Set: map[string]any{"pointInTimeRecovery.enabled": false}},
	},
}
