package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"redoubt/infra/singleton"
)

var principalShape = regexp.MustCompile(`^arn:aws[a-z-]*:iam::[0-9]{12}:(root|(role|user)/.+)$`)

func (c Config) validatePeople(fs *Findings) {
	for _, list := range []struct {
		field string
		arns  []string
	}{
		{"identity.breakGlass", c.Identity.BreakGlass},
		{"identity.auditors", c.Identity.Auditors},
		{"identity.support", c.Identity.Support},
		{"response.approvers", c.Response.Approvers},
		{"contacts.legal", c.Contacts.Legal},
	} {
		for i, arn := range list.arns {
			if !principalShape.MatchString(arn) {
				fs.add(fmt.Sprintf("%s[%d]", list.field, i), fmt.Sprintf("%q is not a principal of IAM", arn), "arn:aws:iam::<account>:role/<name>")
			}
		}
	}
	if len(c.Identity.BreakGlass) > 0 && !c.Audit.Trail.Managed() && (!c.Audit.Trail.Used() || c.Audit.TrailLogGroup == "") {
		fs.add("identity.breakGlass", "nobody would hear of the role's use: it is seen in a trail's log group", "audit: {trail: {mode: adopt, id: …}, trailLogGroup: …}, or set it in the stack that manages the trail")
	}
	for i, url := range c.Identity.CallbackURLs {
		local := strings.HasPrefix(url, "http://localhost") && c.Environment == Dev
		if !strings.HasPrefix(url, "https://") && !local {
			fs.add(fmt.Sprintf("identity.callbackUrls[%d]", i), fmt.Sprintf("%q is not HTTPS", url), "https://…; http://localhost in dev only")
		}
	}
	if o := c.Identity.Organization; o != nil {
		if c.Layer == Account || c.Layer == Workload {
			fs.add("identity.organization", fmt.Sprintf("a stack of layer %s makes no policies of an organization", c.Layer), "layer: org, in the management account")
		}
		if c.OrgID == "" {
			fs.add("identity.organization", "orgId is empty", "the organization's id, o-…")
		}
		if err := o.RootAccess.Validate(); err != nil {
			*fs = append(*fs, Finding{Field: Project + ":identity.organization.rootAccess", Reason: err.Error()})
		}
	}
	if d := c.Identity.DeployRole; d != nil {
		if err := d.Provider.Validate(); err != nil {
			*fs = append(*fs, Finding{Field: Project + ":identity.deployRole.provider", Reason: err.Error()})
		}
		if d.Forge != "github" && d.Forge != "gitlab" {
			fs.add("identity.deployRole.forge", fmt.Sprintf("%q is not a choice", d.Forge), "one of github, gitlab")
		}
		if len(d.Subjects) == 0 {
			fs.add("identity.deployRole.subjects", "nobody could assume the role", `for example ["repo:acme/shop:environment:prod"]`)
		}
	}
	if t := c.Identity.TokenSigner; t != nil && !slices.Contains(t.Epochs, t.Signing) {
		fs.add("identity.tokenSigner.signing", fmt.Sprintf("%q is not one of the epochs: verifiers would not know its key", t.Signing), "add it to epochs first")
	}
	c.validateResponse(fs)
	c.validateBackup(fs)
}

func (c Config) validateResponse(fs *Findings) {
	r := c.Response
	if (r.Mode == "approve" || r.Mode == "auto") && len(r.Approvers) == 0 {
		fs.add("response.approvers", "mode "+r.Mode+" needs people who decide", "ARNs of your on-call roles, or mode: notify")
	}
	if (r.Mode == "auto") != (len(r.AutoContain) > 0) {
		fs.add("response.autoContain", "what is contained without asking goes with mode auto, and only with it", `mode: auto and for example ["CryptoCurrency:"]`)
	}
	if r.Mode != "off" && !c.Detection.GuardDuty.Used() {
		fs.add("response.mode", "without GuardDuty nothing is found to respond to", "detection.guardDuty: {mode: adopt} or manage, or mode: off")
	}
	if r.GameDay && c.Environment == Prod {
		fs.add("response.gameDay", "sample findings in prod would page people for what is not there", "false")
	}
}

// How long monthly backups are kept, and how long cold storage holds what is
// moved there at least.
const (
	monthlyDays = 365
	coldDays    = 90
)

func (c Config) validateBackup(fs *Findings) {
	b := c.Backup
	if b.CopyToReplica && c.ReplicaRegion == "" {
		fs.add("backup.copyToReplica", "replicaRegion is empty", "name another region, or false")
	}
	if b.Lock == "compliance" && b.AcknowledgeCompliance != complianceForever {
		fs.add("backup.acknowledgeCompliance", "nobody, AWS included, takes a compliance lock off: the vault stays, and is paid for, until its last backup has expired", "write "+complianceForever+", or lock: governance")
	}
	if b.Lock == "compliance" && (b.ChangeableForDays < 3 || b.ChangeableForDays > 36500) {
		fs.add("backup.changeableForDays", fmt.Sprintf("%d days to think again", b.ChangeableForDays), "3 to 36500")
	}
	if b.Lock != "compliance" && b.ChangeableForDays != 0 {
		fs.add("backup.changeableForDays", "AWS makes a compliance lock of it, for ever", "0, or lock: compliance")
	}
	if b.ColdAfterDays < 0 || b.ColdAfterDays > monthlyDays-coldDays {
		fs.add("backup.coldAfterDays", fmt.Sprintf("%d: monthly backups are kept for %d days, the last %d of them in cold storage at least", b.ColdAfterDays, monthlyDays, coldDays), fmt.Sprintf("1 to %d, or 0 for never", monthlyDays-coldDays))
	}
	if b.Lock != "none" && (b.MinDays < 1 || b.MaxDays < 365 || b.MinDays > 35) {
		fs.add("backup.minDays", fmt.Sprintf("the plan keeps 35 to 365 days, the lock allows %d to %d", b.MinDays, b.MaxDays), "minDays ≤ 35 and maxDays ≥ 365")
	}
}

// peopleSingletons are more rows for the table of singletons.
var peopleSingletons = []singletonField{
	{"identity.passwordPolicy", func(c Config) singleton.Singleton { return c.Identity.PasswordPolicy }},
	{"identity.tokenPreferences", func(c Config) singleton.Singleton { return c.Identity.TokenPreferences }},
	{"identity.accountGuards", func(c Config) singleton.Singleton { return c.Identity.AccountGuards }},
	{"identity.externalAnalyzer", func(c Config) singleton.Singleton { return c.Identity.ExternalAnalyzer }},
	{"identity.externalAnalyzerElsewhere", func(c Config) singleton.Singleton { return c.Identity.ExternalAnalyzerElsewhere }},
	{"identity.unusedAnalyzer", func(c Config) singleton.Singleton { return c.Identity.UnusedAnalyzer }},
	{"contacts.alternate", func(c Config) singleton.Singleton { return c.Contacts.Alternate }},
	{"api.account", func(c Config) singleton.Singleton { return c.API.Account }},
	{"backup.regionSettings", func(c Config) singleton.Singleton { return c.Backup.RegionSettings }},
}
