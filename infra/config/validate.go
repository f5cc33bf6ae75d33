package config

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"
)

var (
	nameShape    = regexp.MustCompile(`^[a-z][a-z0-9-]{1,14}$`)
	accountShape = regexp.MustCompile(`^[0-9]{12}$`)
	regionShape  = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-[0-9]$`)
	orgShape     = regexp.MustCompile(`^o-[a-z0-9]{10,32}$`)
	hostShape    = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$`)
	certShape    = regexp.MustCompile(`^arn:aws[a-z-]*:acm:([a-z0-9-]+):[0-9]{12}:certificate/[0-9a-f-]+$`)
	digestShape  = regexp.MustCompile(`@sha256:[0-9a-f]{64}$`)
	countryShape = regexp.MustCompile(`^[A-Z]{2}$`)
)

// retentionDays is what CloudWatch Logs accepts.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
var retentionDays = []int{1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}

// choices are the fields that take one of a few words.
var choices = []struct {
	field string
	value func(Config) string
	of    []string
}{
	{"environment", func(c Config) string { return string(c.Environment) }, []string{"dev", "staging", "prod"}},
	{"layer", func(c Config) string { return string(c.Layer) }, []string{"all", "org", "account", "workload"}},
	{"network.nat", func(c Config) string { return c.Network.NAT }, []string{"none", "single", "perAZ"}},
	{"network.endpoints", func(c Config) string { return c.Network.Endpoints }, []string{"none", "core", "all"}},
	{"edge.tlsPolicy", func(c Config) string { return c.Edge.TLSPolicy }, []string{"tls13-only", "tls13-preferred", "pq", "fips"}},
	{"edge.wafMode", func(c Config) string { return c.Edge.WAFMode }, []string{"block", "count"}},
	{"network.dns.mode", func(c Config) string { return c.Network.DNS.Mode }, []string{"block", "alert"}},
	{"edge.shield.response", func(c Config) string { return c.Edge.Shield.Response }, []string{"", "count", "block"}},
	{"edge.shield.supportPlan", func(c Config) string { return c.Edge.Shield.SupportPlan }, []string{"", "business", "enterprise"}},
	{"detection.rules", func(c Config) string { return c.Detection.Rules }, []string{"none", "core", "all"}},
	{"functions.signing", func(c Config) string { return c.Functions.Signing }, []string{"Enforce", "Warn"}},
	{"identity.threats", func(c Config) string { return c.Identity.Threats }, []string{"off", "audit", "enforced"}},
	{"response.mode", func(c Config) string { return c.Response.Mode }, []string{"off", "notify", "approve", "auto"}},
	{"backup.lock", func(c Config) string { return c.Backup.Lock }, []string{"none", "governance", "compliance"}},
	{"storage.auditLock", func(c Config) string { return c.Storage.AuditLock }, []string{"governance", "compliance"}},
	{"keys.policyMode", func(c Config) string { return c.Keys.PolicyMode }, []string{"guide", "perimeter"}},
}

// ranges are the numbers with bounds, both inclusive.
var ranges = []struct {
	field    string
	value    func(Config) float64
	min, max float64
}{
	{"edge.rateLimit", func(c Config) float64 { return float64(c.Edge.RateLimit) }, 10, 2_000_000_000},
	{"compute.min", func(c Config) float64 { return float64(c.Compute.Min) }, 1, 5000},
	{"compute.max", func(c Config) float64 { return float64(c.Compute.Max) }, 1, 5000},
	{"database.minAcu", func(c Config) float64 { return c.Database.MinACU }, 0.5, 256},
	{"database.maxAcu", func(c Config) float64 { return c.Database.MaxACU }, 1, 256},
	{"database.instances", func(c Config) float64 { return float64(c.Database.Instances) }, 1, 16},
	{"database.backupDays", func(c Config) float64 { return float64(c.Database.BackupDays) }, 1, 35},
	{"database.rotationDays", func(c Config) float64 { return float64(c.Database.RotationDays) }, 1, 1000},
	{"search.dataNodes", func(c Config) float64 { return float64(c.Search.DataNodes) }, 1, 80},
	{"search.volumeGib", func(c Config) float64 { return float64(c.Search.VolumeGiB) }, 10, 3072},
	{"storage.auditLockDays", func(c Config) float64 { return float64(c.Storage.AuditLockDays) }, 0, 36500},
	{"alerting.archiveDays", func(c Config) float64 { return float64(c.Alerting.ArchiveDays) }, 0, 14},
	{"costs.anomalyUsd", func(c Config) float64 { return c.Costs.AnomalyUSD }, 0, 1_000_000},
	{"costs.monthlyUsd", func(c Config) float64 { return c.Costs.MonthlyUSD }, 0, 100_000_000},
	{"secrets.rotationDays", func(c Config) float64 { return float64(c.Secrets.RotationDays) }, 1, 1000},
	{"secrets.maxAgeDays", func(c Config) float64 { return float64(c.Secrets.MaxAgeDays) }, 2, 1000},
	{"api.ratePerSecond", func(c Config) float64 { return float64(c.API.RatePerSecond) }, 1, 10000},
	{"api.burst", func(c Config) float64 { return float64(c.API.Burst) }, 1, 5000},
	{"identity.tokenMinutes", func(c Config) float64 { return float64(c.Identity.TokenMinutes) }, 5, 1440},
	{"identity.sessionHours", func(c Config) float64 { return float64(c.Identity.SessionHours) }, 1, 87600},
	{"response.approvalTimeoutMinutes", func(c Config) float64 { return float64(c.Response.ApprovalTimeoutMinutes) }, 5, 1440},
	{"response.evidenceDays", func(c Config) float64 { return float64(c.Response.EvidenceDays) }, 1, 36500},
	{"keys.deletionWindowDays", func(c Config) float64 { return float64(c.Keys.DeletionWindowDays) }, 7, 30},
	{"keys.rotationDays", func(c Config) float64 { return float64(c.Keys.RotationDays) }, 90, 2560},
}

// retentions are the fields that hold days for CloudWatch Logs.
var retentions = []struct {
	field string
	value func(Config) int
}{
	{"logs.applicationDays", func(c Config) int { return c.Logs.ApplicationDays }},
	{"logs.flowDays", func(c Config) int { return c.Logs.FlowDays }},
	{"logs.auditDays", func(c Config) int { return c.Logs.AuditDays }},
}

// The sentences that make what cannot be undone.
const (
	// shieldCommitment buys a subscription.
	shieldCommitment = "USD-3000-per-month-12-months"
	// complianceForever makes a lock that nobody takes off.
	complianceForever = "nobody-can-remove-this-lock"
)

// validate returns everything wrong with the values, field by field and
// across fields.
func (c Config) validate() Findings {
	var fs Findings
	for _, ch := range choices {
		if v := ch.value(c); !slices.Contains(ch.of, v) {
			fs.add(ch.field, fmt.Sprintf("%q is not a choice", v), Allowed{OneOf: ch.of}.String())
		}
	}
	for _, r := range ranges {
		if v := r.value(c); v < r.min || v > r.max {
			fs.add(r.field, number(v)+" is out of range", Allowed{Min: r.min, Max: r.max}.String())
		}
	}
	c.validatePlace(&fs)
	if c.Layer.Workload() {
		c.validateNetwork(&fs)
		c.validateEdge(&fs)
		c.validateDomain(&fs)
		c.validateWorkload(&fs)
	}
	c.validateShield(&fs)
	c.validateLayer(&fs)
	c.validateStorage(&fs)
	c.validateLogs(&fs)
	c.validateOperations(&fs)
	c.validatePeople(&fs)
	c.validateFunctions(&fs)
	if c.Environment == Prod {
		c.validateProd(&fs)
	}
	return fs
}

func (c Config) validatePlace(fs *Findings) {
	if !nameShape.MatchString(c.Name) {
		fs.add("name", fmt.Sprintf("%q does not fit into AWS names", c.Name), "2 to 15 of a-z, 0-9 and -, starting with a letter")
	}
	if c.AccountID != "" && !accountShape.MatchString(c.AccountID) {
		fs.add("accountId", fmt.Sprintf("%q is not an account id", c.AccountID), "12 digits, quoted")
	}
	if c.OrgID != "" && !orgShape.MatchString(c.OrgID) {
		fs.add("orgId", fmt.Sprintf("%q is not an organization id", c.OrgID), "o- and 10 to 32 letters or digits, or leave it empty")
	}
	if !regionShape.MatchString(c.Region) {
		*fs = append(*fs, Finding{"aws:region", fmt.Sprintf("%q is not a region", c.Region), "for example eu-central-1"})
		return
	}
	if c.Storage.Replication && c.Layer.Workload() && !c.Keys.MultiRegion {
		fs.add("keys.multiRegion", "storage.replication copies into a region where the application's key is not", "true, or storage: {replication: false}")
	}
	switch {
	case c.ReplicaRegion == "" && c.Storage.Replication:
		fs.add("replicaRegion", "storage.replication has nowhere to copy to", "name another region")
	case c.ReplicaRegion == "":
	case !regionShape.MatchString(c.ReplicaRegion):
		fs.add("replicaRegion", fmt.Sprintf("%q is not a region", c.ReplicaRegion), "for example eu-west-1")
	case c.ReplicaRegion == c.Region:
		fs.add("replicaRegion", fmt.Sprintf("%s is aws:region itself: a copy there survives nothing", c.Region), "name another region")
	case partition(c.ReplicaRegion) != partition(c.Region):
		fs.add("replicaRegion", fmt.Sprintf("%s and %s are in different partitions", c.Region, c.ReplicaRegion), "name a region of partition "+partition(c.Region))
	}
}

func (c Config) validateNetwork(fs *Findings) {
	n := c.Network
	prefix, err := netip.ParsePrefix(n.CIDR)
	switch {
	case err != nil || !prefix.Addr().Is4():
		fs.add("network.cidr", fmt.Sprintf("%q is not an IPv4 CIDR block", n.CIDR), "for example 10.20.0.0/16")
	case prefix != prefix.Masked():
		fs.add("network.cidr", fmt.Sprintf("%s has host bits set", n.CIDR), "write "+prefix.Masked().String())
	case prefix.Bits() < 16 || prefix.Bits() > 22:
		fs.add("network.cidr", fmt.Sprintf("/%d is out of range", prefix.Bits()), "/16 to /22")
	}
	if len(n.AvailabilityZones) < 2 || len(n.AvailabilityZones) > 4 {
		fs.add("network.availabilityZones", fmt.Sprintf("%d zones", len(n.AvailabilityZones)), "two to four letters, for example [a, b]")
	}
	seen := map[string]bool{}
	for i, z := range n.AvailabilityZones {
		if len(z) != 1 || z < "a" || z > "z" || seen[z] {
			fs.add(fmt.Sprintf("network.availabilityZones[%d]", i), fmt.Sprintf("%q is not a zone letter, or stands twice", z), "distinct letters of the region's zones")
		}
		seen[z] = true
	}
	if n.NAT == "none" && n.Endpoints != "all" {
		fs.add("network.endpoints", "without NAT the tasks reach AWS only through endpoints", "all, or nat: single")
	}
	if c.Search.Ingest && n.NAT != "none" && n.Endpoints != "all" && !n.EgressInternet {
		fs.add("network.endpoints", "search.ingest needs a function to reach Firehose, and there is neither an endpoint nor a way out", "all, or egressInternet: true, or search.ingest: false")
	}
	if n.NAT == "none" && n.EgressInternet {
		fs.add("network.egressInternet", "there is no way out without NAT", "false, or nat: single")
	}
}

func (c Config) validateEdge(fs *Findings) {
	if len(c.Edge.AllowedCIDRs)+len(c.Edge.AllowedLists) == 0 && !c.Edge.CloudFront {
		fs.add("edge.allowedCidrs", "nobody could reach the load balancer", "for example [0.0.0.0/0]")
	}
	for i, s := range c.Edge.AllowedCIDRs {
		if p, err := netip.ParsePrefix(s); err != nil || !p.Addr().Is4() || p != p.Masked() {
			fs.add(fmt.Sprintf("edge.allowedCidrs[%d]", i), fmt.Sprintf("%q is not an IPv4 CIDR block", s), "for example 203.0.113.0/24")
		}
	}
	for i, s := range c.Edge.BlockedCountries {
		if !countryShape.MatchString(s) {
			fs.add(fmt.Sprintf("edge.blockedCountries[%d]", i), fmt.Sprintf("%q is not a country code", s), "two capital letters, ISO 3166-1")
		}
	}
	sh := c.Edge.Shield
	if sh.Response != "" && !c.Edge.ShieldProtect {
		fs.add("edge.shield.response", "there is nothing that Shield protects", "shieldProtect: true, or no response")
	}
	if c.Edge.ShieldProtect && !sh.Subscription.Used() {
		fs.add("edge.shieldProtect", "the account has no subscription to Shield Advanced", "shield: {subscription: {mode: adopt}} where it has one")
	}
	if c.Edge.CloudFront && slices.Contains(c.Edge.AllowedCIDRs, "0.0.0.0/0") {
		fs.add("edge.allowedCidrs", "0.0.0.0/0 lets everybody past CloudFront", "[] for CloudFront alone, or cloudFront: false")
	}
	if (c.Edge.LoginPath == "") != (c.Edge.LoginRateLimit == 0) && c.Edge.AccountTakeover == nil {
		fs.add("edge.loginRateLimit", "a limit needs the path that it holds for, and the path a limit", "loginPath: /login and loginRateLimit: 100, or neither")
	}
	if c.Edge.AccountTakeover != nil && c.Edge.LoginPath == "" {
		fs.add("edge.accountTakeover", "it looks at sign-ins, and loginPath is empty", "loginPath: /login")
	}
}

// validateShield wants the sentence that buys a subscription, in every layer.
func (c Config) validateShield(fs *Findings) {
	if sh := c.Edge.Shield; sh.Subscription.Managed() && sh.AcknowledgeAnnualCommitment != shieldCommitment {
		fs.add("edge.shield.acknowledgeAnnualCommitment", "a subscription costs USD 3,000 a month and cannot be cancelled for a year", "write "+shieldCommitment+" to buy one, or subscription: {mode: adopt}")
	}
}

func (c Config) validateDomain(fs *Findings) {
	d := c.Domain
	if !hostShape.MatchString(d.Name) {
		fs.add("domain.name", fmt.Sprintf("%q is not a host name", d.Name), "for example app.example.org, lower case")
	}
	if (d.ZoneID == "") == (d.CertificateARN == "") {
		fs.add("domain", "exactly one of zoneId and certificateArn is needed", "zoneId to have a certificate made, certificateArn to bring one")
	}
	if d.CertificateARN != "" {
		m := certShape.FindStringSubmatch(d.CertificateARN)
		switch {
		case m == nil:
			fs.add("domain.certificateArn", "this is not the ARN of an ACM certificate", "arn:aws:acm:<region>:<account>:certificate/<id>")
		case m[1] != c.Region:
			fs.add("domain.certificateArn", fmt.Sprintf("the certificate is in %s, the load balancer in %s", m[1], c.Region), "request one in "+c.Region)
		}
	}
}

func (c Config) validateWorkload(fs *Findings) {
	if c.Compute.Image == "" {
		fs.add("compute.image", "there is nothing to run", "<repository>@sha256:<digest>")
	}
	if c.Compute.Min > c.Compute.Max {
		fs.add("compute.min", fmt.Sprintf("%d is more than max %d", c.Compute.Min, c.Compute.Max), "min ≤ max")
	}
	if c.Database.MinACU > c.Database.MaxACU {
		fs.add("database.minAcu", fmt.Sprintf("%v is more than maxAcu %v", c.Database.MinACU, c.Database.MaxACU), "minAcu ≤ maxAcu")
	}
	if s := c.Search; s.Standby && (len(c.Network.AvailabilityZones) < 3 || s.DataNodes < 3 || s.MasterInstanceType == "") {
		fs.add("search.standby", "standby needs three zones, three data nodes and dedicated masters", "standby: false, or provide them")
	}
}

func (c Config) validateLogs(fs *Findings) {
	for _, r := range retentions {
		if days := r.value(c); !slices.Contains(retentionDays, days) {
			fs.add(r.field, fmt.Sprintf("CloudWatch Logs does not offer %d days", days), "one of "+strings.Trim(fmt.Sprint(retentionDays), "[]"))
		}
	}
	for k := range c.Tags {
		if strings.HasPrefix(strings.ToLower(k), "aws:") {
			fs.add("tags."+k, "the prefix aws: is reserved", "another key")
		}
	}
}

func (c Config) validateStorage(fs *Findings) {
	s := c.Storage
	if s.AuditLock == "compliance" && s.AuditLockDays > 0 && s.AcknowledgeCompliance != complianceForever {
		fs.add("storage.acknowledgeCompliance", fmt.Sprintf("nobody, AWS included, could delete an object of the audit bucket for %d days", s.AuditLockDays), "write "+complianceForever+", or auditLock: governance")
	}
	if s.ForceDestroy && s.AuditLockDays > 0 && c.Environment != Prod { // which refuses forceDestroy anyway
		fs.add("storage.forceDestroy", "locked objects cannot be destroyed", "false, or auditLockDays: 0")
	}
}

// validateProd is what only production insists on.
func (c Config) validateProd(fs *Findings) {
	if c.AccountID == "" {
		fs.add("accountId", "prod must name its account, so that it cannot be applied to another", "12 digits, quoted")
	}
	if c.Compute.Image != "" && !digestShape.MatchString(c.Compute.Image) {
		fs.add("compute.image", "a tag can be moved under a running service", "pin it: <repository>@sha256:<64 hex digits>")
	}
	if c.Compute.Exec {
		fs.add("compute.exec", "a shell in production tasks", "false")
	}
	if c.Storage.ForceDestroy {
		fs.add("storage.forceDestroy", "a destroy would delete every object", "false")
	}
	if c.Database.SkipFinalSnapshot {
		fs.add("database.skipFinalSnapshot", "a destroy would delete the data for good", "false")
	}
	if c.Keys.DeletionWindowDays != 30 {
		fs.add("keys.deletionWindowDays", fmt.Sprintf("%d: the guide says 30", c.Keys.DeletionWindowDays), "30")
	}
}

// partition is the part of AWS that a region belongs to.
func partition(region string) string {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return "aws-cn"
	case strings.HasPrefix(region, "us-gov-"):
		return "aws-us-gov"
	default:
		return "aws"
	}
}
