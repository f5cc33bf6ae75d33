package rules

import (
	"slices"

	"redoubt/guide"
	"redoubt/policy/rule"
)

// audit holds the rules about CloudTrail.
var audit = []rule.Rule{
	{
		Name:     "cloudtrail-multi-region-global-events",
		Summary:  "A trail records every region and the global services, and is switched on.",
		Guide:    []guide.ID{guide.OverviewMonitoringCloudTrail, guide.OperationsLogsAuditLogs},
		Severity: rule.High, Level: rule.Mandatory,
		Controls: mapped(fsbp("CloudTrail.1"), cis("3.1"), nist("AU-12"), pci("5.3.4", "10.2.1", "10.2.1.1")),
		Types:    []string{"cloudtrail/trail"},
		Check: func(r *rule.Resource, p rule.Params) rule.Verdict {
			return rule.All(multiRegion(r, p), globalEvents(r, p), switchedOn(r, p))
		},
		Fix: `cloudtrail.TrailArgs{IsMultiRegionTrail: pulumi.Bool(true), IncludeGlobalServiceEvents: pulumi.Bool(true), EnableLogging: pulumi.Bool(true)}`,
		URL: "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/best-practices-security.html",
		Remediate: rule.InTurn(
			rule.Where(multiRegion, rule.SetTo("isMultiRegionTrail", true)),
			rule.Where(globalEvents, rule.SetTo("includeGlobalServiceEvents", true)),
			rule.Where(switchedOn, rule.SetTo("enableLogging", true)),
		),
	},
	{
		Name:     "cloudtrail-log-file-validation",
		Summary:  "A trail signs its files, so that a change of them shows.",
		Guide:    []guide.ID{guide.OverviewMonitoringCloudTrail},
		Severity: rule.Medium, Level: rule.Mandatory,
		Controls: mapped(fsbp("CloudTrail.4"), cis("3.2"), nist("AU-9", "SI-7"), pci("10.3.2", "10.3.3", "10.3.4")),
		Types:    []string{"cloudtrail/trail"},
		Check: func(r *rule.Resource, _ rule.Params) rule.Verdict {
			return r.Get("enableLogFileValidation").True("a changed or deleted file does not show")
		},
		Fix:       `cloudtrail.TrailArgs{EnableLogFileValidation: pulumi.Bool(true)}`,
		URL:       "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-intro.html",
		Remediate: rule.SetTo("enableLogFileValidation", true),
	},
	{
		Name:     "cloudtrail-kms-encrypted",
		Summary:  "A trail encrypts its files with a KMS key.",
		Guide:    []guide.ID{guide.OverviewMonitoringCloudTrail, guide.OverviewDataKMS},
		Severity: rule.Medium, Level: rule.Mandatory,
		Controls: mapped(fsbp("CloudTrail.2"), cis("3.5"), nist("AU-9", "SC-28"), pci("3.5.1", "8.3.2", "10.3.2")),
		Types:    []string{"cloudtrail/trail"},
		Check: func(r *rule.Resource, _ rule.Params) rule.Verdict {
			return r.Get("kmsKeyId").Set("who may read the audit log is not bound to a key")
		},
		Fix: `cloudtrail.TrailArgs{KmsKeyId: key.Arn}`,
		URL: "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/encrypting-cloudtrail-log-files-with-aws-kms.html",
	},
	{
		Name:     "kms-trail-not-excluding-kms-events",
		Summary:  "A trail records the use of KMS keys.",
		Guide:    []guide.ID{guide.PracticesKMSAuditLogging},
		Severity: rule.High, Level: rule.Mandatory,
		Controls: mapped(nist("AU-2", "AU-12")),
		Types:    []string{"cloudtrail/trail"},
		Check:    recordsKMS,
		Fix:      `cloudtrail.TrailEventSelectorArgs without ExcludeManagementEventSources`,
		URL:      "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-management-events-with-cloudtrail.html",
		// What leaves out other sources too, or is an advanced selector, is for people.
		Remediate: rule.SetInList("eventSelectors", "excludeManagementEventSources", []any{}, excludesOnlyKMS),
	},
}

func multiRegion(r *rule.Resource, _ rule.Params) rule.Verdict {
	return r.Get("isMultiRegionTrail").True("what happens in other regions leaves no record")
}

func globalEvents(r *rule.Resource, _ rule.Params) rule.Verdict {
	return onByDefault(r.Get("includeGlobalServiceEvents"))
}

func switchedOn(r *rule.Resource, _ rule.Params) rule.Verdict {
	return onByDefault(r.Get("enableLogging"))
}

func onByDefault(v rule.Value) rule.Verdict {
	if v.Absent() {
		return rule.Pass()
	}
	return v.True("part of what happens leaves no record")
}

const kmsEvents = "kms.amazonaws.com"

func recordsKMS(r *rule.Resource, _ rule.Params) rule.Verdict {
	out := rule.Pass()
	for _, v := range r.Each("eventSelectors.excludeManagementEventSources") {
		out = rule.All(out, notKMS(v))
	}
	for _, f := range r.Each("advancedEventSelectors.fieldSelectors") {
		field := f.Get("field")
		if name, _ := field.Str(); name != "eventSource" {
			if field.Unknown() {
				out = rule.All(out, rule.Unsure("%s is unknown", field.Path()))
			}
			continue
		}
		for _, v := range f.Each("notEquals") {
			out = rule.All(out, notKMS(v))
		}
	}
	return out
}

// excludesOnlyKMS says that an event selector leaves out KMS and no other source.
func excludesOnlyKMS(selector rule.Value) bool {
	sources := selector.Get("excludeManagementEventSources").Items()
	return len(sources) > 0 && !slices.ContainsFunc(sources, func(v rule.Value) bool { return notKMS(v).Outcome != rule.Failed })
}

func notKMS(v rule.Value) rule.Verdict {
	s, _ := v.Str()
	switch {
	case v.Unknown():
		return rule.Unsure("%s is unknown", v.Path())
	case slices.Contains([]string{kmsEvents, "kms"}, s):
		return rule.Fail("%s leaves out the events of KMS: who used which key cannot be told", v.Path())
	default:
		return rule.Pass()
	}
}
