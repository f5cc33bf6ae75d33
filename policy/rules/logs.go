package rules

import (
	"strings"

	"redoubt/guide"
	"redoubt/policy/rule"
)

// logs holds the rules of "CloudWatch Logs".
var logs = []rule.Rule{
	{
		Name:     "log-group-kms-encrypted",
		Summary:  "A log group is encrypted with a KMS key.",
		Guide:    []guide.ID{guide.OverviewMonitoringLogs},
		Severity: rule.Medium, Level: rule.Mandatory,
		Controls: mapped(nist("AU-9", "SC-28"), pci("3.5.1", "8.3.2", "10.3.2")),
		Types:    []string{"cloudwatch/logGroup"},
		Check: func(r *rule.Resource, _ rule.Params) rule.Verdict {
			return r.Get("kmsKeyId").Set("who may read the logs is not bound to a key")
		},
		Fix: `cloudwatch.LogGroupArgs{KmsKeyId: key.Arn}`,
		URL: "https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html",
	},
	{
		Name:     "log-group-retention",
		Summary:  "A log group says how long it keeps its events.",
		Guide:    []guide.ID{guide.ArchitectureLifecycleLifecyclePolicies},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls: mapped(fsbp("CloudWatch.16"), nist("AU-11"), pci("3.2.1", "3.3.1.1", "3.3.1.3")),
		Types:    []string{"cloudwatch/logGroup"},
		Params: []rule.Param{{
			Name: "minDays", Kind: rule.Integer, Default: 1, Min: 1, Max: 3653,
			Description: "The shortest retention that passes, in days.",
		}},
		Check: retained,
		Fix:   `cloudwatch.LogGroupArgs{RetentionInDays: pulumi.Int(365)}`,
		URL:   "https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/Working-with-log-groups-and-streams.html",
	},
	{
		Name:     "log-group-key-policy-allows-logs",
		Summary:  "The key of a log group lets CloudWatch Logs use it, without which AWS refuses the log group.",
		Guide:    []guide.ID{guide.OverviewMonitoringLogs, guide.PracticesKMSKeyPolicies},
		Severity: rule.Medium, Level: rule.Mandatory,
		Controls:   mapped(nist("SC-12")),
		Types:      []string{"cloudwatch/logGroup"},
		CheckStack: keyAllowsLogs,
		Fix: `kms.KeyArgs{Policy: …} with a statement for the service principal logs.<region>.amazonaws.com: kms:Encrypt*, kms:Decrypt*, ` +
			`kms:ReEncrypt*, kms:GenerateDataKey*, kms:Describe*, and a condition on kms:EncryptionContext:aws:logs:arn`,
		URL: "https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html",
	},
}

func retained(r *rule.Resource, p rule.Params) rule.Verdict {
	v := r.Get("retentionInDays")
	days, known := v.Int()
	switch {
	case v.Unknown():
		return rule.Unsure("%s is unknown", v.Path())
	case !known || days == 0:
		return rule.Fail("%s is %s: events are kept for ever, and paid for", v.Path(), v.Show())
	case days < p.Int("minDays"):
		return rule.Fail("%s is %s, less than %d", v.Path(), v.Show(), p.Int("minDays"))
	default:
		return rule.Pass()
	}
}

func keyAllowsLogs(s *rule.Stack, group *rule.Resource, _ rule.Params) rule.Verdict {
	if group.Get("kmsKeyId").Empty() {
		return rule.Skip()
	}
	refs := s.Refs(group, "kmsKeyId", "kms/key", "kms/replicaKey")
	if len(refs.Targets) == 0 {
		return rule.Unsure("the key is not in this stack")
	}
	out := rule.Skip()
	for _, key := range refs.Targets {
		holders := s.Pointing(key, "keyId", "kms/keyPolicy")
		if !key.Get("policy").Empty() {
			holders = append(holders, key)
		}
		if len(holders) == 0 {
			out = rule.All(out, missing(s, "keyId", "kms/keyPolicy", key.Type, key.Label()+" has the default policy, which does not name CloudWatch Logs"))
		}
		var parts []rule.Verdict
		for _, h := range holders {
			parts = append(parts, policyAllowsLogs(h, group))
		}
		out = rule.All(out, rule.Any(parts...))
	}
	return out
}

func policyAllowsLogs(holder, group *rule.Resource) rule.Verdict {
	doc, v := holder.Document("policy")
	if v.Outcome != rule.Passed {
		return v
	}
	for _, st := range doc.Statements {
		if st.Allows() && namesLogs(st) && st.Grants("kms:Encrypt") && st.Grants("kms:Decrypt") &&
			st.Grants("kms:GenerateDataKey") && contextCovers(st, group) {
			return rule.Pass()
		}
	}
	return rule.Fail("no statement of %s lets CloudWatch Logs encrypt and decrypt for this log group", holder.Label())
}

func namesLogs(st rule.Statement) bool {
	for _, p := range st.Principals {
		if p.Type == "Service" && strings.HasPrefix(p.ID, "logs.") && strings.Contains(p.ID, "amazonaws.com") {
			return true
		}
	}
	return false
}

// contextCovers says that the statement's condition on the encryption context,
// if it has one, matches the log group's ARN. The account and the region are
// not known here; the name is.
func contextCovers(st rule.Statement, group *rule.Resource) bool {
	name, known := group.Get("name").Str()
	for _, c := range st.Conditions {
		if c.Key != "kms:encryptioncontext:aws:logs:arn" || !known {
			continue
		}
		for _, pattern := range c.Values {
			prefix, suffix, ok := strings.Cut(pattern, ":log-group:")
			if ok && rule.WildcardMatch(suffix, name) || !ok && strings.HasSuffix(prefix, "*") {
				return true
			}
		}
		return false
	}
	return true
}
