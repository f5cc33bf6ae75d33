package rehearsal

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

const (
	docsKeyPolicy   = "https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html"
	docsCreateKey   = "https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateKey.html"
	docsCreateAlias = "https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateAlias.html"
	docsReplicaKey  = "https://docs.aws.amazon.com/kms/latest/APIReference/API_ReplicateKey.html"
)

// kmsKinds are keys and their aliases.
var kmsKinds = []kind{
	{
		token: "aws:kms/key:Key", noun: "KMS Key", service: "KMS", action: "Key",
		id: "{keyId}", arn: "arn:{partition}:kms:{region}:{account}:key/{keyId}",
		defaults: props{"bypassPolicyLockoutSafetyCheck": false, "customerMasterKeySpec": "SYMMETRIC_DEFAULT", "enableKeyRotation": false, "isEnabled": true, "keyUsage": "ENCRYPT_DECRYPT"},
		computed: props{
			"keyId": func(c *call) any {
				if c.truth("multiRegion") {
					return "mrk-{hex32:key}"
				}
				return "{uuid:key}"
			},
			"multiRegion": false, "description": "",
			"policy": defaultKeyPolicy,
			"rotationPeriodInDays": fresh(func(c *call) any {
				if c.truth("enableKeyRotation") {
					return 365
				}
				return nil
			}),
		},
		replaces: []string{"customKeyStoreId", "customerMasterKeySpec", "keyUsage", "multiRegion", "xksKeyId"},
		limits: []limit{
			{path: "deletionWindowInDays", least: 7, most: 30, source: docsCreateKey},
			{path: "rotationPeriodInDays", least: 90, most: 2560, source: docsCreateKey},
			{path: "description", longest: 8192, source: docsCreateKey},
			{path: "policy", json: true, longest: 32768, source: docsCreateKey},
			{path: "keyUsage", oneOf: []string{"ENCRYPT_DECRYPT", "SIGN_VERIFY", "GENERATE_VERIFY_MAC", "KEY_AGREEMENT"}, source: docsCreateKey},
		},
		refuses: keyRefusals,
		blocks: []block{{
			by:   []string{"aws:kms/replicaKey:ReplicaKey"},
			code: "KMSInvalidStateException", message: "{arn} has replica keys; AWS waits with the deletion until they are gone.",
		}},
	},
	{
		token: "aws:kms/replicaKey:ReplicaKey", noun: "KMS Replica Key", service: "KMS", action: "ReplicaKey",
		id: "{keyId}", arn: "arn:{partition}:kms:{region}:{account}:key/{keyId}",
		defaults: props{"bypassPolicyLockoutSafetyCheck": false, "enabled": true},
		computed: props{
			"keyId": "{primaryKeyArn->keyId}", "keyRotationEnabled": fresh(func(c *call) any { return relayed(c, "primaryKeyArn", "enableKeyRotation") }),
			"keySpec": "{primaryKeyArn->customerMasterKeySpec}", "keyUsage": "{primaryKeyArn->keyUsage}", "policy": "{primaryKeyArn->policy}",
		},
		replaces: []string{"primaryKeyArn"}, refs: refer(toKey, "primaryKeyArn"),
		limits: []limit{
			{path: "deletionWindowInDays", least: 7, most: 30, source: docsReplicaKey},
			{path: "policy", json: true, longest: 32768, source: docsReplicaKey},
		},
		refuses: append([]refusal{
			{name: "replica-of-multi-region", at: []operation{opCreate}, code: "UnsupportedOperationException", source: docsReplicaKey, because: replicaOfSingleRegion},
			{name: "replica-elsewhere", at: []operation{opCreate}, code: "AlreadyExistsException", source: docsReplicaKey, because: replicaAtHome},
		}, keyRefusals...),
	},
	{
		token: "aws:kms/alias:Alias", noun: "KMS Alias", service: "KMS", action: "Alias",
		id: "{name}", arn: "arn:{partition}:kms:{region}:{account}:{name}",
		computed: props{"targetKeyArn": "{targetKeyId->arn}"},
		refs:     refer(toKey, "targetKeyId"),
		unique:   []unique{{key: "{name}", code: "AlreadyExistsException", message: "An alias with the name arn:{partition}:kms:{region}:{account}:{name} already exists"}},
		limits: []limit{{
			path: "name", longest: 256, pattern: regexp.MustCompile(`^alias/[a-zA-Z0-9/_-]+$`),
			meaning: "it must begin with alias/ and have only letters, digits, /, _ and - after it", source: docsCreateAlias,
		}},
		refuses: []refusal{{name: "alias-reserved", code: "InvalidAliasNameException", source: docsCreateAlias, because: func(c *call) string {
			if strings.HasPrefix(c.text("name"), "alias/aws/") {
				return "aliases that begin with alias/aws/ are reserved for AWS"
			}
			return ""
		}}},
	},
}

var keyRefusals = []refusal{
	{name: "key-policy-grammar", code: "MalformedPolicyDocumentException", source: docsKeyPolicy, because: policyMalformed("policy")},
	{name: "key-policy-lockout", code: "MalformedPolicyDocumentException", source: docsKeyPolicy, because: lockedOut},
}

// defaultKeyPolicy is the policy that KMS gives a key that comes without one: the
// account, and so its IAM policies, may do everything.
func defaultKeyPolicy(c *call) any {
	root, _ := c.expand("arn:{partition}:iam::{account}:root")
	return resource.NewProperty(`{"Version":"2012-10-17","Id":"key-default-1","Statement":[{"Sid":"Enable IAM User Permissions","Effect":"Allow","Principal":{"AWS":"` + root + `"},"Action":"kms:*","Resource":"*"}]}`)
}

// policyMalformed refuses a policy that does not follow IAM's grammar.
func policyMalformed(path string) func(c *call) string {
	return func(c *call) string {
		for _, text := range c.texts(path) {
			if _, err := parsePolicy(text); err != nil {
				return path + ": " + err.Error()
			}
		}
		return ""
	}
}

// lockedOut is KMS's safety check: whoever makes the key must be able to change
// its policy later. The maker has no name here, so that the account's root (which
// stands for all of its administrators) or any principal of the account will do.
func lockedOut(c *call) string {
	text := c.text("policy")
	if text == "" || c.truth("bypassPolicyLockoutSafetyCheck") {
		return ""
	}
	d, err := parsePolicy(text)
	if err != nil {
		return ""
	}
	ours := func(kind, who string) bool {
		return kind == "AWS" && (who == "*" || who == c.conf.account || strings.Contains(who, "::"+c.conf.account+":"))
	}
	if d.allows(ours, "kms:PutKeyPolicy") {
		return ""
	}
	return fmt.Sprintf("The new key policy will not allow you to update the key policy in the future: no statement allows kms:PutKeyPolicy to a principal of %s, such as arn:%s:iam::%s:root.", c.conf.account, c.acct.partition, c.conf.account)
}

func replicaOfSingleRegion(c *call) string {
	primary := c.referred("primaryKeyArn")
	if primary == nil || c.acct.view(c.kind, primary).truth("multiRegion") {
		return ""
	}
	return primary.arn() + " is not a multi-Region primary key; make it with multiRegion true"
}

func replicaAtHome(c *call) string {
	primary := c.referred("primaryKeyArn")
	if primary == nil || primary.region != c.conf.region {
		return ""
	}
	return fmt.Sprintf("the primary key is in %s itself; a replica needs a provider for another region", c.conf.region)
}

// relayed is a property of what a property refers to, with its own type.
func relayed(c *call, path, name string) any {
	r := c.referred(path)
	if r == nil {
		return nil
	}
	for _, v := range valuesAt(r.outputs, name) {
		return v
	}
	return nil
}
