package rules

import (
	"strconv"
	"strings"

	"redoubt/guide"
	"redoubt/policy/rule"
)

// guardDuty holds the rules of "GuardDuty Findings".
var guardDuty = []rule.Rule{
	{
		Name:     "guardduty-enabled",
		Summary:  "A baseline has a GuardDuty detector, and it is on.",
		Guide:    []guide.ID{guide.OverviewMonitoringGuardDuty},
		Severity: rule.High, Level: rule.Advisory, // an organization's administrator may have it on for every account
		Controls: mapped(fsbp("GuardDuty.1"), nist("SI-4", "RA-5"), pci("11.5.1", "11.5.1.1")),
		Types:    []string{stackType},
		Params: []rule.Param{{
			Name: "everyRegion", Kind: rule.Boolean, Default: false,
			Description: "Ask for a detector in each region that the stack has a provider for.",
		}},
		CheckStack: detectorOn,
		Fix:        `guardduty.NewDetector with guardduty.DetectorArgs{Enable: pulumi.Bool(true)}`,
		URL:        "https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_settingup.html",
	},
	{
		Name:     "guardduty-features-enabled",
		Summary:  "A detector looks at what the stack has: buckets, databases, functions, containers, volumes.",
		Guide:    []guide.ID{guide.OverviewMonitoringGuardDuty, guide.OperationsGuardDutyDataExfiltration, guide.OperationsGuardDutySuspiciousActivity, guide.OperationsGuardDutyUnauthorizedAccess, guide.OperationsGuardDutyCryptocurrencyMining},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls:   mapped(fsbp("GuardDuty.6", "GuardDuty.8", "GuardDuty.9", "GuardDuty.10", "GuardDuty.11"), nist("SI-4")),
		Types:      []string{"guardduty/detector"},
		CheckStack: featuresOn,
		Fix:        `guardduty.NewDetectorFeature with guardduty.DetectorFeatureArgs{DetectorId: detector.ID(), Name: pulumi.String("RDS_LOGIN_EVENTS"), Status: pulumi.String("ENABLED")}`,
		URL:        "https://docs.aws.amazon.com/guardduty/latest/ug/guardduty-features-activation-model.html",
	},
	{
		Name:     "guardduty-publishing-frequency",
		Summary:  "A detector publishes what it finds again within fifteen minutes.",
		Guide:    []guide.ID{guide.OperationsHighGuardDutyHighSeverity, guide.ResponseDetectionCheckGuardDuty},
		Severity: rule.Low, Level: rule.Advisory,
		Controls: mapped(nist("SI-4(5)")),
		Types:    []string{"guardduty/detector"},
		Check: func(r *rule.Resource, _ rule.Params) rule.Verdict {
			return oneOf(r.Get("findingPublishingFrequency"), []string{"FIFTEEN_MINUTES"}, "what a finding becomes is heard of hours later")
		},
		Fix:       `guardduty.DetectorArgs{FindingPublishingFrequency: pulumi.String("FIFTEEN_MINUTES")}`,
		URL:       "https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_findings_eventbridge.html",
		Remediate: rule.SetTo("findingPublishingFrequency", "FIFTEEN_MINUTES"),
	},
	{
		Name:     "guardduty-findings-exported",
		Summary:  "A detector exports its findings, encrypted: GuardDuty itself keeps them ninety days.",
		Guide:    []guide.ID{guide.ResponseAnalysisReviewAuditLogs},
		Severity: rule.Low, Level: rule.Advisory,
		Controls:   mapped(nist("AU-6")),
		Types:      []string{"guardduty/detector"},
		CheckStack: findingsExported,
		Fix:        `guardduty.NewPublishingDestination with guardduty.PublishingDestinationArgs{DetectorId: detector.ID(), DestinationArn: bucket.Arn, KmsKeyArn: key.Arn}`,
		URL:        "https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_exportfindings.html",
	},
	{
		Name:     "guardduty-no-broad-archive-filter",
		Summary:  "A filter that archives findings does not reach those of high severity, unless it names what it is about.",
		Guide:    []guide.ID{guide.ResponseDetectionCheckGuardDuty},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls: mapped(nist("SI-4")),
		Types:    []string{"guardduty/filter"},
		Check:    narrowFilter,
		Fix:      `guardduty.FilterArgs{FindingCriteria: …} with guardduty.FilterFindingCriteriaCriterionArgs{Field: pulumi.String("severity"), LessThan: pulumi.String("7")}, or with the type and the resource that are known`,
		URL:      "https://docs.aws.amazon.com/guardduty/latest/ug/findings_suppression-rule.html",
	},
}

func detectorOn(s *rule.Stack, _ *rule.Resource, p rule.Params) rule.Verdict {
	if !baseline(s) {
		return rule.Skip()
	}
	detectors := s.Of("guardduty/detector")
	if len(detectors) == 0 {
		return rule.Fail("the stack has no guardduty/detector")
	}
	out := rule.Pass()
	covered := map[string]bool{}
	for _, d := range detectors {
		covered[d.Region()] = true
		if v := d.Get("enable"); v.Present() { // on by default
			out = rule.All(out, v.True(d.Label()+" finds nothing"))
		}
	}
	if !p.Bool("everyRegion") {
		return out
	}
	for _, provider := range s.Of("pulumi:providers:aws") {
		region, known := provider.Get("region").Str()
		switch {
		case !known || covered[""]:
			out = rule.All(out, rule.Unsure("the region of a provider is unknown"))
		case !covered[region]:
			out = rule.All(out, rule.Fail("%s has no detector", region))
		}
	}
	return out
}

// detectorFeatures says which feature looks at what.
var detectorFeatures = []struct {
	name string
	// of are the resources that ask for it.
	of []string
	// legacy is the same in the detector itself, which the provider deprecates.
	legacy string
	// with is the additional configuration that it needs for these resources.
	with string
}{
	{"S3_DATA_EVENTS", []string{"s3/bucket"}, "datasources.s3Logs.enable", ""},
	{"RDS_LOGIN_EVENTS", []string{"rds/cluster"}, "", ""},
	{"LAMBDA_NETWORK_LOGS", []string{"lambda/function"}, "", ""},
	{"EBS_MALWARE_PROTECTION", []string{"ec2/instance", "ec2/launchTemplate"}, "datasources.malwareProtection.scanEc2InstanceWithFindings.ebsVolumes.enable", ""},
	{"RUNTIME_MONITORING", []string{"ecs/service"}, "", "ECS_FARGATE_AGENT_MANAGEMENT"},
	{"EKS_AUDIT_LOGS", []string{"eks/cluster"}, "datasources.kubernetes.auditLogs.enable", ""},
}

func featuresOn(s *rule.Stack, detector *rule.Resource, _ rule.Params) rule.Verdict {
	out := rule.Skip()
	features := s.Pointing(detector, "detectorId", "guardduty/detectorFeature")
	for _, f := range detectorFeatures {
		if len(s.Of(f.of...)) == 0 {
			continue
		}
		var parts []rule.Verdict
		if on, _ := detector.Get(f.legacy).Bool(); on {
			parts = append(parts, rule.Pass())
		} else if detector.Get(f.legacy).Unknown() {
			parts = append(parts, rule.Unsure("%s is unknown", f.legacy))
		}
		for _, r := range features {
			parts = append(parts, featureOn(r, f.name, f.with))
		}
		v := rule.Any(parts...)
		if v.Outcome == rule.NotApplicable {
			v = rule.Fail("%s is off, and the stack has %s", f.name, shortList(f.of))
		}
		out = rule.All(out, v)
	}
	if out.Outcome == rule.Failed && s.Loose("detectorId", "guardduty/detectorFeature", "guardduty/detector") {
		return rule.Unsure("a feature belongs to an unknown detector")
	}
	return out
}

func shortList(types []string) string { return strings.Join(types, " or ") }

// featureOn is the verdict of one feature resource; another feature is no answer.
func featureOn(r *rule.Resource, name, with string) rule.Verdict {
	own, status := r.Get("name"), r.Get("status")
	is, known := own.Str()
	switch {
	case !known:
		return rule.Unsure("the name of %s is unknown", r.Label())
	case is != name && !(name == "RUNTIME_MONITORING" && is == "EKS_RUNTIME_MONITORING"):
		return rule.Skip()
	case status.Unknown():
		return rule.Unsure("the status of %s is unknown", r.Label())
	}
	out := oneOf(status, []string{"ENABLED"}, name+" looks at nothing")
	if with == "" {
		return out
	}
	extra := rule.Fail("%s of %s is off: GuardDuty has no agent in the tasks", with, r.Label())
	for _, c := range r.Get("additionalConfigurations").Items() {
		if n, _ := c.Get("name").Str(); n == with {
			extra = oneOf(c.Get("status"), []string{"ENABLED"}, with+" is off")
		} else if c.Get("name").Unknown() {
			extra = rule.Any(extra, rule.Unsure("the additional configurations of %s are unknown", r.Label()))
		}
	}
	return rule.All(out, extra)
}

func findingsExported(s *rule.Stack, detector *rule.Resource, _ rule.Params) rule.Verdict {
	out := rule.Skip()
	for _, d := range s.Pointing(detector, "detectorId", "guardduty/publishingDestination") {
		out = rule.Any(out, d.Get("kmsKeyArn").Set("AWS refuses an export that is not encrypted"))
	}
	if out.Outcome == rule.NotApplicable {
		return missing(s, "detectorId", "guardduty/publishingDestination", "guardduty/detector", "no publishing destination belongs to the detector")
	}
	return out
}

// narrowFilter judges a suppression rule: one that is bounded below severity 7,
// or that names two things beside it, is about a known case.
func narrowFilter(r *rule.Resource, _ rule.Params) rule.Verdict {
	action := r.Get("action")
	switch a, _ := action.Str(); {
	case action.Unknown() || r.Get("findingCriteria").HasUnknown():
		return rule.Unsure("action or findingCriteria is unknown")
	case a != "ARCHIVE":
		return rule.Skip()
	}
	names := 0
	for _, c := range r.Each("findingCriteria.criterions") {
		if field, _ := c.Get("field").Str(); field != "severity" {
			if field != "service.archived" && (!c.Get("equals").Empty() || !c.Get("matches").Empty()) {
				names++
			}
			continue
		}
		if belowHigh(c) {
			return rule.Pass()
		}
	}
	if names >= 2 {
		return rule.Pass()
	}
	return rule.Fail("the filter archives findings of severity 7 and more, which nobody then hears of")
}

func belowHigh(criterion rule.Value) bool {
	if n, ok := decimal(criterion.Get("lessThan")); ok && n <= 7 {
		return true
	}
	if n, ok := decimal(criterion.Get("lessThanOrEqual")); ok && n < 7 {
		return true
	}
	values := criterion.Get("equals").Items()
	for _, v := range values {
		if n, ok := decimal(v); !ok || n >= 7 {
			return false
		}
	}
	return len(values) > 0
}

func decimal(v rule.Value) (float64, bool) {
	if n, ok := v.Int(); ok {
		return float64(n), true
	}
	text, _ := v.Str()
	n, err := strconv.ParseFloat(text, 64)
	return n, err == nil
}
