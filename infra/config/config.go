// Package config is the typed configuration of the stack: plain Go values,
// defaults per environment, a strict decode over them and a validation that
// reports every finding at once. Components never see it; infra/stack hands
// them what they need.
package config

import "redoubt/infra/singleton"

// Project is the Pulumi project's name and the namespace of its keys.
const Project = "redoubt"

// SecretKeys are keys that hold one secret text each; they are no fields, so that
// a configuration can be printed.
var SecretKeys = []string{"pagerUrl", "pagerDutyRoutingKey"}

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

	Region string `json:"-"`
}

// Domain is where the application answers.
type Domain struct {
	// Name is the host that the load balancer forwards, for example app.example.org.
	Name string `json:"name"`
	// ZoneID is the public Route 53 zone that validates a certificate made
	// here; CertificateARN is an existing one. Exactly one of them.
	ZoneID         string `json:"zoneId"`
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
	// TLSPolicy is tls13-only, tls13-preferred, pq or fips.
	TLSPolicy string `json:"tlsPolicy"`
	// WAFMode is block, or count while a new application is observed.
	WAFMode string `json:"wafMode"`
	// RateLimit is requests per five minutes and address.
	RateLimit int `json:"rateLimit"`
	// BlockedCountries are ISO 3166-1 alpha-2 codes.
	BlockedCountries   []string `json:"blockedCountries"`
	DeletionProtection bool     `json:"deletionProtection"`
	// ShieldProtect registers the load balancer with Shield Advanced, which
	// the account must have subscribed to.
	ShieldProtect bool `json:"shieldProtect"`
	// Shield is the account's subscription, and what it does here.
	Shield Shield `json:"shield"`
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
	// CPU units and Memory MiB are a pair that Fargate offers.
	CPU    int `json:"cpu"`
	Memory int `json:"memory"`
	Min    int `json:"min"`
	Max    int `json:"max"`
	// Exec allows ECS Exec into the tasks; never in prod.
	Exec            bool   `json:"exec"`
	HealthCheckPath string `json:"healthCheckPath"`
}

// Database is Aurora PostgreSQL, serverless v2.
type Database struct {
	EngineVersion string  `json:"engineVersion"`
	MinACU        float64 `json:"minAcu"`
	MaxACU        float64 `json:"maxAcu"`
	Instances     int     `json:"instances"`
	// BackupDays is 1 to 35, RotationDays of the master secret 1 to 1000.
	BackupDays         int  `json:"backupDays"`
	RotationDays       int  `json:"rotationDays"`
	DeletionProtection bool `json:"deletionProtection"`
	SkipFinalSnapshot  bool `json:"skipFinalSnapshot"`
}

// Search is the OpenSearch domain for log analysis.
type Search struct {
	EngineVersion string `json:"engineVersion"`
	InstanceType  string `json:"instanceType"`
	DataNodes     int    `json:"dataNodes"`
	// MasterInstanceType is empty for a domain without dedicated masters.
	MasterInstanceType string `json:"masterInstanceType"`
	// Standby is Multi-AZ with standby: three zones, three data nodes.
	Standby   bool `json:"standby"`
	VolumeGiB int  `json:"volumeGib"`
	// CreateServiceLinkedRole makes the account's role for domains in a VPC
	// where it is missing; false to leave that to somebody else.
	CreateServiceLinkedRole bool `json:"createServiceLinkedRole"`
	// Ingest sends the application's, the web ACL's and the trail's log there.
	Ingest bool `json:"ingest"`
}

// Storage is the buckets.
type Storage struct {
	// Replication copies the data bucket to ReplicaRegion.
	Replication bool `json:"replication"`
	// ForceDestroy lets a destroy delete the objects too; never in prod.
	ForceDestroy bool `json:"forceDestroy"`
	// AuditLockDays keeps objects of the audit bucket from being deleted
	// (Object Lock, governance mode); 0 for none.
	AuditLockDays int `json:"auditLockDays"`
}

// Keys is the KMS keys.
type Keys struct {
	// DeletionWindowDays is 7 to 30, RotationDays 90 to 2560.
	DeletionWindowDays int `json:"deletionWindowDays"`
	RotationDays       int `json:"rotationDays"`
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
	ApplicationDays int `json:"applicationDays"`
	FlowDays        int `json:"flowDays"`
	AuditDays       int `json:"auditDays"`
	// FlowArchive keeps a second copy of the flow logs in the audit bucket, as
	// Parquet, for as long as that keeps its objects.
	FlowArchive bool `json:"flowArchive"`
}

// Prefix is the beginning of every physical name: "<name>-<environment>".
func (c Config) Prefix() string { return c.Name + "-" + string(c.Environment) }
