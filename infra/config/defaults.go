package config

import (
	"maps"
	"slices"

	"redoubt/infra/singleton"
)

var (
	manage = singleton.Singleton{Mode: singleton.Manage}
	adopt  = singleton.Singleton{Mode: singleton.Adopt}
	off    = singleton.Singleton{Mode: singleton.Off}
)

// defaults is the table of design decisions by environment; a stack's file
// only says where it differs.
var defaults = map[Environment]Config{
	Dev: {
		Network:   Network{CIDR: "10.20.0.0/16", AvailabilityZones: []string{"a", "b"}, NAT: "single", Endpoints: "none", EgressInternet: true, DNS: DNS{Mode: "alert", FailOpen: true}},
		Edge:      Edge{AllowedCIDRs: []string{"0.0.0.0/0"}, TLSPolicy: "tls13-only", WAFMode: "block", RateLimit: 2000, Shield: Shield{Subscription: off}},
		Compute:   Compute{CPU: 256, Memory: 512, Min: 1, Max: 2, Exec: true, HealthCheckPath: "/healthz"},
		Database:  Database{EngineVersion: "16.6", MinACU: 0.5, MaxACU: 2, Instances: 1, BackupDays: 7, RotationDays: 30, SkipFinalSnapshot: true},
		Search:    Search{EngineVersion: "OpenSearch_2.19", InstanceType: "t3.small.search", DataNodes: 1, VolumeGiB: 10, CreateServiceLinkedRole: true},
		Storage:   Storage{ForceDestroy: true, AuditLock: "governance"},
		Keys:      Keys{DeletionWindowDays: 30, RotationDays: 365, MultiRegion: true, PolicyMode: "perimeter"},
		Logs:      Logs{ApplicationDays: 14, FlowDays: 7, AuditDays: 120, Mask: true},
		Audit:     Audit{Trail: manage},
		Detection: Detection{GuardDuty: manage, Features: []string{"S3_DATA_EVENTS", "LAMBDA_NETWORK_LOGS"}, SecurityHub: off, Config: off, Rules: "none", Inspector: off, Macie: off},
		Alerting:  Alerting{AccountEvents: true, ArchiveDays: 4},
		Costs:     Costs{Monitor: off, AnomalyUSD: 50, MonthlyUSD: 150},
		Identity: Identity{
			PasswordPolicy: adopt, TokenPreferences: adopt, AccountGuards: manage, ExternalAnalyzer: manage, ExternalAnalyzerElsewhere: manage, UnusedAnalyzer: off,
			Threats: "off", TokenMinutes: 15, SessionHours: 8,
		},
		Response:  Response{Mode: "notify", ApprovalTimeoutMinutes: 60, GameDay: true, EvidenceDays: 30},
		Contacts:  Contacts{Alternate: off},
		Backup:    Backup{Lock: "none", RegionSettings: adopt},
		Functions: Functions{Dir: "dist/functions", Signing: "Warn", AccountConcurrency: 1000},
		Secrets:   Secrets{RotationDays: 30, MaxAgeDays: 90},
		API:       API{Account: manage, RatePerSecond: 50, Burst: 100},
	},
	Staging: {
		Network:  Network{CIDR: "10.30.0.0/16", AvailabilityZones: []string{"a", "b"}, NAT: "single", Endpoints: "core", EgressInternet: true, DNS: DNS{Firewall: true, Mode: "alert"}},
		Edge:     Edge{AllowedCIDRs: []string{"0.0.0.0/0"}, TLSPolicy: "tls13-only", WAFMode: "block", RateLimit: 2000, Shield: Shield{Subscription: off}},
		Compute:  Compute{CPU: 512, Memory: 1024, Min: 2, Max: 4, HealthCheckPath: "/healthz"},
		Database: Database{EngineVersion: "16.6", MinACU: 0.5, MaxACU: 4, Instances: 2, BackupDays: 7, RotationDays: 30},
		Search:   Search{EngineVersion: "OpenSearch_2.19", InstanceType: "m7g.medium.search", DataNodes: 2, VolumeGiB: 50, CreateServiceLinkedRole: true, Ingest: true},
		Storage:  Storage{AuditLock: "governance"},
		Keys:     Keys{DeletionWindowDays: 30, RotationDays: 365, MultiRegion: true, PolicyMode: "perimeter"},
		Logs:     Logs{ApplicationDays: 30, FlowDays: 30, AuditDays: 180, Mask: true},
		Audit:    Audit{Trail: manage, DataEvents: true},
		Detection: Detection{
			GuardDuty: manage, Features: []string{"S3_DATA_EVENTS", "LAMBDA_NETWORK_LOGS", "RDS_LOGIN_EVENTS", "EBS_MALWARE_PROTECTION"}, MalwareScan: true,
			SecurityHub: manage, Standards: []string{"fsbp"}, Config: manage, Rules: "core", Inspector: manage, Inspected: []string{"ECR"}, Macie: off,
		},
		Alerting: Alerting{AccountEvents: true, ArchiveDays: 14},
		Costs:    Costs{Monitor: off, AnomalyUSD: 100, MonthlyUSD: 500},
		Identity: Identity{
			PasswordPolicy: adopt, TokenPreferences: adopt, AccountGuards: manage, ExternalAnalyzer: manage, ExternalAnalyzerElsewhere: manage, UnusedAnalyzer: off,
			Threats: "audit", TokenMinutes: 15, SessionHours: 8,
		},
		Response:  Response{Mode: "approve", ApprovalTimeoutMinutes: 60, EvidenceDays: 180},
		Contacts:  Contacts{Alternate: off},
		Backup:    Backup{Enabled: true, Lock: "none", RegionSettings: adopt},
		Functions: Functions{Dir: "dist/functions", Signing: "Enforce", AccountConcurrency: 1000},
		Secrets:   Secrets{RotationDays: 30, MaxAgeDays: 90, RecoveryDays: 7},
		API:       API{Account: manage, RatePerSecond: 100, Burst: 200},
	},
	Prod: {
		Network:  Network{CIDR: "10.40.0.0/16", AvailabilityZones: []string{"a", "b", "c"}, NAT: "perAZ", Endpoints: "all", DNS: DNS{Firewall: true, Mode: "block", MutationProtection: true}},
		Edge:     Edge{AllowedCIDRs: []string{"0.0.0.0/0"}, TLSPolicy: "tls13-only", WAFMode: "block", RateLimit: 2000, DeletionProtection: true, Shield: Shield{Subscription: off}},
		Compute:  Compute{CPU: 1024, Memory: 2048, Min: 3, Max: 20, HealthCheckPath: "/healthz"},
		Database: Database{EngineVersion: "16.6", MinACU: 1, MaxACU: 32, Instances: 2, BackupDays: 35, RotationDays: 30, Proxy: true, DeletionProtection: true},
		Search:   Search{EngineVersion: "OpenSearch_2.19", InstanceType: "r7g.large.search", DataNodes: 3, MasterInstanceType: "m7g.large.search", Standby: true, VolumeGiB: 100, CreateServiceLinkedRole: true, Ingest: true},
		Storage:  Storage{Replication: true, AuditLockDays: 365, AuditLock: "governance"},
		Keys:     Keys{DeletionWindowDays: 30, RotationDays: 365, MultiRegion: true, Protect: true, PolicyMode: "perimeter"},
		Logs:     Logs{ApplicationDays: 365, FlowDays: 365, AuditDays: 2557, FlowArchive: true, Mask: true},
		Audit:    Audit{Trail: manage, DataEvents: true, Functions: true, Insights: true},
		Detection: Detection{
			GuardDuty: manage, Features: []string{"S3_DATA_EVENTS", "LAMBDA_NETWORK_LOGS", "RDS_LOGIN_EVENTS", "EBS_MALWARE_PROTECTION", "RUNTIME_MONITORING"}, MalwareScan: true,
			SecurityHub: manage, Standards: []string{"fsbp", "cis"}, Config: manage, Rules: "all", Continuous: true,
			Inspector: manage, Inspected: []string{"ECR", "LAMBDA", "LAMBDA_CODE"}, Macie: manage,
		},
		Alerting: Alerting{AccountEvents: true, ArchiveDays: 14},
		Costs:    Costs{Monitor: manage, AnomalyUSD: 200},
		Identity: Identity{
			PasswordPolicy: manage, TokenPreferences: manage, AccountGuards: manage, ExternalAnalyzer: manage, ExternalAnalyzerElsewhere: manage, UnusedAnalyzer: off, AccessReview: true,
			Threats: "enforced", TokenMinutes: 15, SessionHours: 8,
		},
		Response: Response{Mode: "approve", ApprovalTimeoutMinutes: 60, EvidenceDays: 365},
		Contacts: Contacts{Alternate: manage},
		Backup: Backup{
			Enabled: true, CopyToReplica: true, Lock: "governance", MinDays: 7, MaxDays: 400, RestoreTests: true, RegionSettings: adopt,
		},
		Functions: Functions{
			Dir: "dist/functions", Signing: "Enforce", AccountConcurrency: 1000,
			Reserved: map[string]int{"rotate-db-user": 1, "rotate-db-proxy-user": 1, "search-bootstrap": 1, "split-logs": 10},
		},
		Secrets: Secrets{RotationDays: 30, MaxAgeDays: 90, RecoveryDays: 30},
		API:     API{Account: manage, RatePerSecond: 500, Burst: 1000},
	},
}

// Defaults returns the defaults of an environment; an unknown one has dev's,
// and Validate names it.
func Defaults(env Environment) Config {
	c, ok := defaults[env]
	if !ok {
		c = defaults[Dev]
	}
	c.Name, c.Environment, c.Layer = Project, env, All
	for _, list := range []*[]string{&c.Network.AvailabilityZones, &c.Edge.AllowedCIDRs, &c.Detection.Features, &c.Detection.Standards, &c.Detection.Inspected} {
		*list = slices.Clone(*list)
	}
	c.Tags, c.Functions.Reserved = maps.Clone(c.Tags), maps.Clone(c.Functions.Reserved)
	return c
}
