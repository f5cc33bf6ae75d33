package rules

import (
	"slices"

	"redoubt/guide"
	"redoubt/policy/rule"
)

// posture says that the stack looks after how the account is configured: it
// declares one of the services that do. It is narrower than baseline: a
// development account has a trail and a detector, and often none of these.
func posture(s *rule.Stack) bool {
	return len(s.Of("securityhub/account", "cfg/recorder", "accessanalyzer/analyzer", "inspector2/enabler", "macie2/account")) > 0
}

// accountPosture holds the rules about Security Hub, Config, Inspector, Macie
// and the defaults of EC2. The presence of these services is advisory: an
// organization's administrator may have them on for every account.
var accountPosture = []rule.Rule{
	{
		Name:     "securityhub-enabled-with-standards",
		Summary:  "Security Hub is on, with a standard, and takes new controls by itself.",
		Guide:    []guide.ID{guide.PracticesAuthorizationRegularAudits, guide.ResponseAnalysisCheckConfigurations},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls:   mapped(cis("4.16"), nist("CA-7"), pci("10.2.1.1", "10.4.1", "10.4.1.1")),
		Types:      []string{stackType},
		CheckStack: hubWithStandards,
		Fix:        `securityhub.NewAccount, and securityhub.NewStandardsSubscription with securityhub.StandardsSubscriptionArgs{StandardsArn: …}`,
		URL:        "https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-standards.html",
	},
	{
		Name:     "config-recorder-complete",
		Summary:  "AWS Config records every kind of resource, is on, and delivers what it records; global kinds in one region.",
		Guide:    []guide.ID{guide.OperationsLowConfigurationChanges, guide.ResponseAnalysisCheckConfigurations},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls:   mapped(fsbp("Config.1"), cis("3.3"), nist("CM-3", "CM-8")),
		Types:      []string{"cfg/recorder"},
		CheckStack: recorderComplete,
		Fix: `cfg.RecorderArgs{RecordingGroup: &cfg.RecorderRecordingGroupArgs{AllSupported: pulumi.Bool(true), IncludeGlobalResourceTypes: pulumi.Bool(true)}}, ` +
			`cfg.NewRecorderStatus with cfg.RecorderStatusArgs{IsEnabled: pulumi.Bool(true)}, cfg.NewDeliveryChannel`,
		URL: "https://docs.aws.amazon.com/config/latest/developerguide/select-resources.html",
	},
	{
		Name:     "inspector-enabled",
		Summary:  "Inspector scans what the stack has: images, functions, instances.",
		Guide:    []guide.ID{guide.ResponseEradicationApplyPatches},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls:   mapped(fsbp("Inspector.1", "Inspector.2", "Inspector.3", "Inspector.4"), nist("RA-5")),
		Types:      []string{stackType},
		CheckStack: inspectorOn,
		Fix:        `inspector2.NewEnabler with inspector2.EnablerArgs{AccountIds: …, ResourceTypes: pulumi.ToStringArray([]string{"ECR", "EC2", "LAMBDA"})}`,
		URL:        "https://docs.aws.amazon.com/inspector/latest/user/scanning-resources.html",
	},
	{
		Name:     "macie-enabled",
		Summary:  "Macie looks for sensitive data in buckets.",
		Guide:    []guide.ID{guide.OverviewDataS3, guide.OperationsGuardDutyDataExfiltration},
		Severity: rule.Low, Level: rule.Advisory,
		Controls:   mapped(fsbp("Macie.1"), cis("2.1.3"), nist("SI-4", "RA-5"), pci("A3.2.5.1")),
		Types:      []string{stackType},
		CheckStack: macieOn,
		Fix:        `macie2.NewAccount with macie2.AccountArgs{Status: pulumi.String("ENABLED")}`,
		URL:        "https://docs.aws.amazon.com/macie/latest/user/getting-started.html",
	},
	{
		Name:     "ebs-encryption-by-default",
		Summary:  "Volumes are encrypted, by the account's default and each of them, and snapshots are not public.",
		Guide:    []guide.ID{guide.OverviewDataKMS},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls:   mapped(fsbp("EC2.3", "EC2.7"), nist("SC-28")),
		Types:      []string{stackType, "ebs/volume"},
		CheckStack: volumesEncrypted,
		Fix:        `ebs.NewEncryptionByDefault with ebs.EncryptionByDefaultArgs{Enabled: pulumi.Bool(true)}; ebs.VolumeArgs{Encrypted: pulumi.Bool(true)}`,
		URL:        "https://docs.aws.amazon.com/ebs/latest/userguide/encryption-by-default.html",
	},
}

func hubWithStandards(s *rule.Stack, _ *rule.Resource, _ rule.Params) rule.Verdict {
	if !posture(s) {
		return rule.Skip()
	}
	hubs := s.Of("securityhub/account")
	if len(hubs) == 0 {
		return rule.Fail("the stack has no securityhub/account")
	}
	out := rule.Skip()
	for _, hub := range hubs {
		if v := hub.Get("autoEnableControls"); v.Present() { // both are on by default
			out = rule.All(out, v.True("new controls of a standard stay off"))
		}
		standards := rule.Pass()
		if v := hub.Get("enableDefaultStandards"); v.Present() {
			standards = v.True("the hub has no standard to check")
		}
		if len(s.Of("securityhub/standardsSubscription")) > 0 {
			standards = rule.Pass()
		}
		out = rule.All(out, standards)
	}
	return out
}

func recorderComplete(s *rule.Stack, recorder *rule.Resource, _ rule.Params) rule.Verdict {
	out := rule.Pass()
	if v := recorder.Get("recordingGroup.allSupported"); v.Present() && recorder.Get("recordingGroup.recordingStrategies").Empty() {
		out = v.True("what is not recorded has no history")
	}
	return rule.All(out, globalTypesOnce(s, recorder), recorderOn(s, recorder), recorderDelivers(s, recorder))
}

// globalTypesOnce asks for the global kinds in exactly one of the stack's
// regions: in none, nobody sees a change of IAM; in each, it is recorded and
// paid for as often.
func globalTypesOnce(s *rule.Stack, recorder *rule.Resource) rule.Verdict {
	with := 0
	for _, r := range s.Of("cfg/recorder") {
		v := r.Get("recordingGroup.includeGlobalResourceTypes")
		if v.Unknown() {
			return rule.Unsure("%s of %s is unknown", v.Path(), r.Label())
		}
		if on, _ := v.Bool(); on {
			with++
		}
	}
	own, _ := recorder.Get("recordingGroup.includeGlobalResourceTypes").Bool()
	switch {
	case with == 0 && recorder.Get("recordingGroup.recordingStrategies").Empty():
		return rule.Fail("recordingGroup.includeGlobalResourceTypes is not true in any region: changes of IAM are not recorded")
	case with > 1 && own:
		return rule.Fail("recordingGroup.includeGlobalResourceTypes is true in %d recorders: one is enough, and all are paid for", with)
	default:
		return rule.Pass()
	}
}

func recorderOn(s *rule.Stack, recorder *rule.Resource) rule.Verdict {
	statuses := s.Pointing(recorder, "name", "cfg/recorderStatus")
	if len(statuses) == 0 {
		return unless(missing(s, "name", "cfg/recorderStatus", "cfg/recorder", "no recorderStatus switches the recorder on"), recorder.Get("name"))
	}
	out := rule.Skip()
	for _, st := range statuses {
		out = rule.Any(out, st.Get("isEnabled").True("the recorder is off"))
	}
	return out
}

func recorderDelivers(s *rule.Stack, recorder *rule.Resource) rule.Verdict {
	for _, channel := range s.Of("cfg/deliveryChannel") {
		if channel.Region() == recorder.Region() {
			return channelArrives(s, channel)
		}
	}
	return rule.Fail("no delivery channel is in the recorder's region: AWS does not start it")
}

// channelArrives looks for what AWS Config cannot write under.
// https://docs.aws.amazon.com/config/latest/developerguide/manage-delivery-channel.html
func channelArrives(s *rule.Stack, channel *rule.Resource) rule.Verdict {
	for _, bucket := range s.Refs(channel, "s3BucketName", "s3/bucket").Targets {
		if len(defaultRetentions(s, bucket)) > 0 {
			return rule.Fail("%s has a default retention: AWS Config delivers nothing into it", bucket.Label())
		}
	}
	return rule.Pass()
}

// inspectorScans says what Inspector calls the resources that it scans.
var inspectorScans = []struct {
	kind string
	of   []string
}{
	{"ECR", []string{"ecr/repository"}},
	{"LAMBDA", []string{"lambda/function"}},
	{"EC2", []string{"ec2/instance", "ec2/launchTemplate"}},
}

func inspectorOn(s *rule.Stack, _ *rule.Resource, _ rule.Params) rule.Verdict {
	if !posture(s) {
		return rule.Skip()
	}
	enablers := s.Of("inspector2/enabler")
	if len(enablers) == 0 {
		return rule.Fail("the stack has no inspector2/enabler")
	}
	var have []string
	unknown := false
	for _, e := range enablers {
		for _, v := range e.Each("resourceTypes") {
			kind, _ := v.Str()
			have = append(have, kind)
			unknown = unknown || v.Unknown()
		}
	}
	out := rule.Pass()
	for _, k := range inspectorScans {
		switch {
		case len(s.Of(k.of...)) == 0 || slices.Contains(have, k.kind):
		case unknown:
			out = rule.All(out, rule.Unsure("resourceTypes of an enabler is unknown"))
		default:
			out = rule.All(out, rule.Fail("resourceTypes is without %s, and the stack has %s", k.kind, shortList(k.of)))
		}
	}
	return out
}

func macieOn(s *rule.Stack, _ *rule.Resource, _ rule.Params) rule.Verdict {
	if !posture(s) || len(s.Of("s3/bucket")) == 0 {
		return rule.Skip()
	}
	out := rule.Fail("the stack has no macie2/account")
	for _, account := range s.Of("macie2/account") {
		v := rule.Pass()
		if status := account.Get("status"); status.Present() { // on by default
			v = oneOf(status, []string{"ENABLED"}, "it looks at nothing")
		}
		out = rule.Any(v, out)
	}
	return out
}

func volumesEncrypted(s *rule.Stack, r *rule.Resource, _ rule.Params) rule.Verdict {
	byDefault := rule.Fail("the stack has no ebs/encryptionByDefault")
	for _, d := range s.Of("ebs/encryptionByDefault") {
		byDefault = rule.Pass()
		if v := d.Get("enabled"); v.Present() { // on by default
			byDefault = v.True("volumes are not encrypted unless each says so")
		}
	}
	if r.Is("ebs/volume") {
		own := r.Get("encrypted").True("what is on the volume can be read from a snapshot")
		if r.Get("encrypted").Absent() {
			return rule.Any(own, byDefault)
		}
		return own
	}
	if !posture(s) {
		return rule.Skip()
	}
	out := byDefault
	for _, block := range s.Of("ebs/snapshotBlockPublicAccess") {
		out = rule.All(out, oneOf(block.Get("state"), []string{"block-all-sharing", "block-new-sharing"}, "snapshots can be shared with everybody"))
	}
	return out
}
