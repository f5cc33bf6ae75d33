package config

import (
	"fmt"
	"regexp"
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
	for i, url := range c.Identity.CallbackURLs {
		local := strings.HasPrefix(url, "http://localhost") && c.Environment == Dev
		if !strings.HasPrefix(url, "https://") && !local {
			fs.add(fmt.Sprintf("identity.callbackUrls[%d]", i), fmt.Sprintf("%q is not HTTPS", url), "https://…; http://localhost in dev only")
		}
	}
	if o := c.Identity.Organization; o != nil {
		if c.OrgID == "" {
			fs.add("identity.organization", "orgId is empty", "the organization's id, o-…")
		}
		if err := o.RootAccess.Validate(); err != nil {
			*fs = append(*fs, Finding{Field: Project + ":identity.organization.rootAccess", Reason: err.Error()})
		}
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

func (c Config) validateBackup(fs *Findings) {
	b := c.Backup
	if b.CopyToReplica && c.ReplicaRegion == "" {
		fs.add("backup.copyToReplica", "replicaRegion is empty", "name another region, or false")
	}
	if b.Lock == "governance" && (b.MinDays < 1 || b.MaxDays < 365 || b.MinDays > 35) {
		fs.add("backup.minDays", fmt.Sprintf("the plan keeps 35 to 365 days, the lock allows %d to %d", b.MinDays, b.MaxDays), "minDays ≤ 35 and maxDays ≥ 365")
	}
}

// peopleSingletons are more rows for the table of singletons.
var peopleSingletons = []singletonField{
	{"identity.passwordPolicy", func(c Config) singleton.Singleton { return c.Identity.PasswordPolicy }},
	{"identity.tokenPreferences", func(c Config) singleton.Singleton { return c.Identity.TokenPreferences }},
	{"identity.accountGuards", func(c Config) singleton.Singleton { return c.Identity.AccountGuards }},
	{"identity.externalAnalyzer", func(c Config) singleton.Singleton { return c.Identity.ExternalAnalyzer }},
	{"identity.unusedAnalyzer", func(c Config) singleton.Singleton { return c.Identity.UnusedAnalyzer }},
	{"contacts.alternate", func(c Config) singleton.Singleton { return c.Contacts.Alternate }},
	{"api.account", func(c Config) singleton.Singleton { return c.API.Account }},
	{"backup.regionSettings", func(c Config) singleton.Singleton { return c.Backup.RegionSettings }},
}
