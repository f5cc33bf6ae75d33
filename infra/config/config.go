// Package config is the typed configuration of the stack: plain Go values,
// defaults per environment, a strict decode over them and a validation that
// reports every finding at once. Components never see it; infra/stack hands
// them what they need.
package config

import "redoubt/infra/singleton"

// Project is the Pulumi project's name and the namespace of its keys.
const Project = "redoubt"

// SecretKey is a key that holds one secret text.
type SecretKey struct{ Name, Meaning string }

// SecretKeys are set with `pulumi config set --secret`; they are no fields, so
// that a configuration can be printed.
var SecretKeys = []SecretKey{
	{"pagerUrl", "An HTTPS address that receives alerts of level high, for example PagerDuty's integration for SNS: whoever knows it can page people."},
	{"pagerDutyRoutingKey", "The routing key of PagerDuty's Events API, to which the response reports its incidents."},
}

// Environment decides the defaults. The guide's minimums (HTTPS only, KMS,
// private data, flow logs, encrypted logs) hold in each of them.
type Environment string

// The environments.
const (
	Dev     Environment = "dev"
	Staging Environment = "staging"
	Prod    Environment = "prod"
)

// Environments are all that exist, weakest defaults first.
var Environments = []Environment{Dev, Staging, Prod}

// Config is everything that a stack can set. Each field is one key of the
// project's configuration ("redoubt:network" and so on); Region is the
// provider's own key, "aws:region".
type Config struct {
	// Name prefixes every resource: ^[a-z][a-z0-9-]{1,14}$, so that
	// "<name>-<environment>-…" fits ALB (32) and OpenSearch (28) names.
	Name string `json:"name"`
	// Environment is dev, staging or prod; it decides the defaults.
	Environment Environment `json:"environment"`
	// Layer is all, or which part of it the stack is: account (what an account
	// has one of), org (that, and the organization's policies, in its management
	// account) or workload (an environment in an account that has them).
	Layer Layer `json:"layer"`
	// AccountID is the 12-digit account that the stack may be applied to; it
	// becomes the provider's allowedAccountIds. Required in prod.
	AccountID string `json:"accountId"`
	// ReplicaRegion receives replicas of buckets and multi-region keys;
	// another region than Region, in the same partition.
	ReplicaRegion string `json:"replicaRegion"`
	// OrgID is the AWS Organizations id ("o-…") that key and bucket policies
	// are conditioned on; empty for a standalone account.
	OrgID     string    `json:"orgId"`
	Domain    Domain    `json:"domain"`
	Network   Network   `json:"network"`
	Edge      Edge      `json:"edge"`
	Compute   Compute   `json:"compute"`
	Database  Database  `json:"database"`
	Search    Search    `json:"search"`
	Storage   Storage   `json:"storage"`
	Keys      Keys      `json:"keys"`
	Logs      Logs      `json:"logs"`
	Audit     Audit     `json:"audit"`
	Detection Detection `json:"detection"`
	Alerting  Alerting  `json:"alerting"`
	Costs     Costs     `json:"costs"`
	Identity  Identity  `json:"identity"`
	Response  Response  `json:"response"`
	Contacts  Contacts  `json:"contacts"`
	Backup    Backup    `json:"backup"`
	Functions Functions `json:"functions"`
	Secrets   Secrets   `json:"secrets"`
	API       API       `json:"api"`
	// Tags go on every resource; the prefix aws: is reserved.
	Tags map[string]string `json:"tags"`

	// Region is the provider's own key, aws:region.
	Region string `json:"-"`
}

// Domain is where the application answers.
type Domain struct {
	// Name is the host that the load balancer forwards, for example app.example.org.
	Name string `json:"name"`
	// ZoneID is the public Route 53 zone that validates a certificate made
	// here. Exactly one of ZoneID and CertificateARN.
	ZoneID string `json:"zoneId"`
	// CertificateARN is an existing certificate, in the stack's region.
	CertificateARN string `json:"certificateArn"`
}

// Network is the VPC.
type Network struct {
	// CIDR is IPv4, /16 to /22.
	CIDR string `json:"cidr"`
	// AvailabilityZones are letters of the region, pinned because a changed
	// list replaces subnets.
	AvailabilityZones []string `json:"availabilityZones"`
	// NAT is none, single or perAZ.
	NAT string `json:"nat"`
	// Endpoints is the set of interface endpoints: none, core or all.
	Endpoints string `json:"endpoints"`
	// EgressInternet lets tasks reach 443 on the internet through NAT.
	EgressInternet bool `json:"egressInternet"`
	// DNS is the VPC's resolver.
	DNS DNS `json:"dns"`
}

// DNS is the firewall and the query log of the VPC's resolver.
type DNS struct {
	// Firewall makes both; without it names resolve unseen.
	Firewall bool `json:"firewall"`
	// Mode is block, or alert while it is seen what an application resolves.
	Mode string `json:"mode"`
	// AllowedDomains and their subdomains pass.
	AllowedDomains []string `json:"allowedDomains"`
	// BlockedDomains and their subdomains do not.
	BlockedDomains []string `json:"blockedDomains"`
	// OnlyAllowed refuses every name but AllowedDomains and AWS's own.
	OnlyAllowed bool `json:"onlyAllowed"`
	// FailOpen resolves while the firewall cannot be reached.
	FailOpen bool `json:"failOpen"`
	// MutationProtection keeps the firewall on the VPC; lift it in an update of
	// its own before removing the firewall.
	MutationProtection bool `json:"mutationProtection"`
}

// Edge is the web ACL and the load balancer.
type Edge struct {
	// AllowedCIDRs may reach port 443.
	AllowedCIDRs []string `json:"allowedCidrs"`
	// AllowedLists may too: ranges that are named once and described, in a
	// prefix list each.
	AllowedLists []PrefixList `json:"allowedLists"`
	// CloudFront lets CloudFront's own addresses in; check a secret header
	// behind it, because other people's distributions come from there too.
	CloudFront bool `json:"cloudFront"`
	// TLSPolicy is tls13-only, tls13-preferred, pq or fips.
	TLSPolicy string `json:"tlsPolicy"`
	// WAFMode is block, or count while a new application is observed.
	WAFMode string `json:"wafMode"`
	// RateLimit is requests per five minutes and address.
	RateLimit int `json:"rateLimit"`
	// LoginPath is the start of the paths where people sign in, and
	// LoginRateLimit their limit of requests per five minutes and address.
	LoginPath string `json:"loginPath"`
	// LoginRateLimit is 10 or more; 0 without LoginPath.
	LoginRateLimit int `json:"loginRateLimit"`
	// BlockedCountries are ISO 3166-1 alpha-2 codes.
	BlockedCountries []string `json:"blockedCountries"`
	// CountedRules are rules of AWS's groups that only count, by group:
	// {"AWSManagedRulesCommonRuleSet": ["SizeRestrictions_BODY"]} for an
	// application that takes bodies over 8 KB.
	CountedRules map[string][]string `json:"countedRules"`
	// BotControl adds AWS's paid rule group against bots.
	BotControl *BotControl `json:"botControl"`
	// AccountTakeover adds AWS's paid rule group against stolen credentials; it
	// looks at LoginPath.
	AccountTakeover *AccountTakeover `json:"accountTakeover"`
	// AllowExtraCapacity takes a web ACL over 1,500 capacity units, for which
	// AWS charges extra with each request.
	AllowExtraCapacity bool `json:"allowExtraCapacity"`
	// DeletionProtection makes AWS refuse the load balancer's deletion.
	DeletionProtection bool `json:"deletionProtection"`
	// ShieldProtect registers the load balancer with Shield Advanced, which
	// the account must have subscribed to.
	ShieldProtect bool `json:"shieldProtect"`
	// Shield is the account's subscription, and what it does here.
	Shield Shield `json:"shield"`
}

// PrefixList is a list of ranges of one address family.
type PrefixList struct {
	// Name says whose ranges these are, for example "office".
	Name string `json:"name"`
	// Entries are the ranges.
	Entries []PrefixListEntry `json:"entries"`
	// MaxEntries is how many the list can hold, and how many rules it counts for
	// in the security group; the number of entries if 0.
	MaxEntries int `json:"maxEntries"`
}

// PrefixListEntry is one range.
type PrefixListEntry struct {
	// CIDR is IPv4 or IPv6.
	CIDR string `json:"cidr"`
	// Description says whose range it is.
	Description string `json:"description"`
}

// BotControl is how far AWS looks for bots.
type BotControl struct {
	// Targeted also looks for bots that do not say so, at a higher price.
	Targeted bool `json:"targeted"`
	// Path is the start of the paths that are looked at, and paid for; empty
	// for all.
	Path string `json:"path"`
}

// AccountTakeover is how people sign in.
type AccountTakeover struct {
	// JSON says that the body is JSON; otherwise it is a form.
	JSON bool `json:"json"`
	// UsernameField is a JSON pointer such as "/user/name", or a form's field.
	UsernameField string `json:"usernameField"`
	// PasswordField is one too.
	PasswordField string `json:"passwordField"`
}

// Shield is Shield Advanced, which costs USD 3,000 a month for a year at least.
type Shield struct {
	// Subscription is manage (which buys one), adopt or off.
	Subscription singleton.Singleton `json:"subscription"`
	// AcknowledgeAnnualCommitment must say USD-3000-per-month-12-months for a
	// subscription to be bought.
	AcknowledgeAnnualCommitment string `json:"acknowledgeAnnualCommitment"`
	// ResponseTeamAccess lets AWS's Shield Response Team in during an attack.
	ResponseTeamAccess bool `json:"responseTeamAccess"`
	// SupportPlan is business or enterprise; the response team needs one.
	SupportPlan string `json:"supportPlan"`
	// Response is what Shield does to the web ACL by itself: count, block, or
	// nothing if empty.
	Response string `json:"response"`
}

// Compute is the ECS service.
type Compute struct {
	// Image is what runs; by digest (repo@sha256:…) in prod.
	Image string `json:"image"`
	// CPU of a task in units of 1/1024 vCPU; with the memory a pair that Fargate
	// offers.
	CPU int `json:"cpu"`
	// Memory of a task in MiB.
	Memory int `json:"memory"`
	// Min is how many tasks run at least.
	Min int `json:"min"`
	// Max is how many tasks run at most.
	Max int `json:"max"`
	// Exec allows ECS Exec into the tasks; never in prod.
	Exec bool `json:"exec"`
	// HealthCheckPath answers 200 while a task is well; the load balancer asks.
	HealthCheckPath string `json:"healthCheckPath"`
}

// Database is Aurora PostgreSQL, serverless v2.
type Database struct {
	// EngineVersion is Aurora PostgreSQL's, "16.6".
	EngineVersion string `json:"engineVersion"`
	// MinACU is how far each instance scales down, in Aurora capacity units of
	// 2 GiB memory.
	MinACU float64 `json:"minAcu"`
	// MaxACU is how far each instance scales up.
	MaxACU float64 `json:"maxAcu"`
	// Instances are the writer and its readers, over the zones.
	Instances int `json:"instances"`
	// BackupDays is how far back the cluster can be restored to any second.
	BackupDays int `json:"backupDays"`
	// RotationDays is how often the master user's secret is rotated.
	RotationDays int `json:"rotationDays"`
	// Proxy pools connections in an RDS proxy; tasks log in to it with an IAM
	// token.
	Proxy bool `json:"proxy"`
	// DeletionProtection makes AWS refuse the cluster's deletion.
	DeletionProtection bool `json:"deletionProtection"`
	// SkipFinalSnapshot lets a destroy delete the data for good; never in prod.
	SkipFinalSnapshot bool `json:"skipFinalSnapshot"`
}

// Search is the OpenSearch domain for log analysis.
type Search struct {
	// EngineVersion is "OpenSearch_<major>.<minor>".
	EngineVersion string `json:"engineVersion"`
	// InstanceType of the data nodes, "r7g.large.search".
	InstanceType string `json:"instanceType"`
	// DataNodes is how many there are, over up to three zones.
	DataNodes int `json:"dataNodes"`
	// MasterInstanceType is empty for a domain without dedicated masters.
	MasterInstanceType string `json:"masterInstanceType"`
	// Standby is Multi-AZ with standby: three zones, three data nodes.
	Standby bool `json:"standby"`
	// VolumeGiB is each data node's disk.
	VolumeGiB int `json:"volumeGib"`
	// CreateServiceLinkedRole makes the account's role for domains in a VPC
	// where it is missing; false to leave that to somebody else.
	CreateServiceLinkedRole bool `json:"createServiceLinkedRole"`
	// Ingest sends the application's and the web ACL's log there, and the
	// trail's where this stack manages it: a document for each event.
	Ingest bool `json:"ingest"`
}

// Storage is the buckets.
type Storage struct {
	// Replication copies what is written into the buckets from then on, those of
	// the audit and the evidence too, to ReplicaRegion. The copies' storage and
	// transfer are billed, so it is off where nothing is worth a second region.
	Replication bool `json:"replication"`
	// ForceDestroy lets a destroy delete the objects too; never in prod.
	ForceDestroy bool `json:"forceDestroy"`
	// AuditLockDays keeps objects of the audit bucket from being deleted
	// (Object Lock); 0 for none. The bucket of AWS Config, which cannot write
	// under a lock, gets a policy instead that denies deletion to everybody.
	AuditLockDays int `json:"auditLockDays"`
	// AuditLock is governance (roles with s3:BypassGovernanceRetention may
	// delete) or compliance (nobody may, the account's root included).
	AuditLock string `json:"auditLock"`
	// AcknowledgeCompliance must say nobody-can-remove-this-lock for a
	// compliance lock to be made.
	AcknowledgeCompliance string `json:"acknowledgeCompliance"`
}

// Keys is the KMS keys.
type Keys struct {
	// DeletionWindowDays is how long a deleted key can be brought back; 30 in prod.
	DeletionWindowDays int `json:"deletionWindowDays"`
	// RotationDays is how often KMS makes new key material.
	RotationDays int `json:"rotationDays"`
	// MultiRegion cannot be changed later; a replica is made where
	// ReplicaRegion is set.
	MultiRegion bool `json:"multiRegion"`
	// Protect refuses the deletion of keys and other stateful resources.
	Protect bool `json:"protect"`
	// PolicyMode says how OrgID conditions the key policies: guide (the
	// guide's own statement) or perimeter (a deny for outsiders, which keeps a
	// way back for the account's administrators).
	PolicyMode string `json:"policyMode"`
}

// Logs is how long logs are kept, in days that CloudWatch Logs offers.
type Logs struct {
	// ApplicationDays is for the logs of the application, the stores and the edge.
	ApplicationDays int `json:"applicationDays"`
	// FlowDays is for the VPC's flow logs and DNS queries.
	FlowDays int `json:"flowDays"`
	// AuditDays is for the trail and for what the response and the reviews did.
	AuditDays int `json:"auditDays"`
	// FlowArchive keeps a second copy of the flow logs in the audit bucket, as
	// Parquet, for as long as that keeps its objects.
	FlowArchive bool `json:"flowArchive"`
	// Mask hides credentials, card numbers and e-mail addresses in the logs of
	// the application and of functions from everybody without logs:Unmask. AWS
	// bills it by the GB that is written.
	Mask bool `json:"mask"`
}

// Prefix is the beginning of every physical name: "<name>-<environment>", or
// "<name>-<layer>" for what is no environment's.
func (c Config) Prefix() string {
	if !c.Layer.Workload() {
		return c.Name + "-" + string(c.Layer)
	}
	return c.Name + "-" + string(c.Environment)
}
