package config

import "redoubt/infra/singleton"

// Audit is the account's trail: the record of every call to AWS.
type Audit struct {
	// Trail is manage, adopt (id: the trail's name) or off. Alerts on calls
	// need one; the first in an account is free, a second is billed.
	Trail singleton.Singleton `json:"trail"`
	// TrailLogGroup is an adopted trail's log group, if it has one.
	TrailLogGroup string `json:"trailLogGroup"`
	// DataEvents records every reading and writing of the data bucket's objects.
	DataEvents bool `json:"dataEvents"`
	// DataBuckets are names of more buckets, of other stacks, whose objects'
	// events are recorded.
	DataBuckets []string `json:"dataBuckets"`
	// Functions records every invocation of every function.
	Functions bool `json:"functions"`
	// Insights looks for unusual rates of calls and errors.
	Insights bool `json:"insights"`
}

// Detection is what looks for threats and holes: singletons of an account's
// region, each manage, adopt or off.
type Detection struct {
	// GuardDuty is the detector (adopt by id, or looked up).
	GuardDuty singleton.Singleton `json:"guardDuty"`
	// Features of GuardDuty that are on; all others are off. With
	// RUNTIME_MONITORING the VPC needs its guardduty-data endpoint
	// (network.endpoints: all).
	Features []string `json:"features"`
	// MalwareScan scans each new object of the data bucket.
	MalwareScan bool `json:"malwareScan"`
	// SecurityHub gathers findings and judges by Standards: fsbp, cis.
	SecurityHub singleton.Singleton `json:"securityHub"`
	// Standards are fsbp and cis.
	Standards []string `json:"standards"`
	// Config is AWS Config's recorder.
	Config singleton.Singleton `json:"config"`
	// Rules of AWS Config are none, core or all.
	Rules string `json:"rules"`
	// ConformancePack is the path of a conformance pack's template, YAML, from
	// the project's root; empty for none. AWS publishes templates for CIS, PCI
	// DSS, NIST and others.
	ConformancePack string `json:"conformancePack"`
	// Continuous records each change as it happens, otherwise once a day.
	Continuous bool `json:"continuous"`
	// Inspector scans images, functions and instances for vulnerabilities.
	Inspector singleton.Singleton `json:"inspector"`
	// Inspected are EC2, ECR, LAMBDA, LAMBDA_CODE.
	Inspected []string `json:"inspected"`
	// Macie looks for personal data in buckets.
	Macie singleton.Singleton `json:"macie"`
}

// Alerting is who is told of what.
type Alerting struct {
	// AccountEvents makes the rules on the account's events; false for the
	// second stack of an account, or each event would be told twice.
	AccountEvents bool `json:"accountEvents"`
	// Channels are e-mail addresses; each level needs one, or the archive.
	Channels []Channel `json:"channels"`
	// Slack posts into a channel of a workspace that was authorized by hand.
	Slack *Slack `json:"slack"`
	// ArchiveDays keeps every alert in a queue, 1 to 14; 0 for no queue.
	ArchiveDays int `json:"archiveDays"`
	// DeployRoleARNs are roles whose own work is not alerted on.
	DeployRoleARNs []string `json:"deployRoleArns"`
	// Thresholds replace those of alarms and metric filters, by name.
	Thresholds map[string]float64 `json:"thresholds"`
}

// Channel is an e-mail address that receives alerts.
type Channel struct {
	// Name tells the channels apart.
	Name string `json:"name"`
	// Levels are high, medium, low.
	Levels []string `json:"levels"`
	// Email is the address; its owner confirms once.
	Email string `json:"email"`
}

// Slack is a channel of a workspace.
type Slack struct {
	// TeamID is the workspace, "T…".
	TeamID string `json:"teamId"`
	// ChannelID is the channel, "C…" or "G…".
	ChannelID string `json:"channelId"`
	// Levels are high, medium, low.
	Levels []string `json:"levels"`
}

// Costs is the watch over spending, in USD.
type Costs struct {
	// Monitor is the account's only anomaly monitor of services (adopt: its ARN).
	Monitor singleton.Singleton `json:"monitor"`
	// AnomalyUSD is from what impact an anomaly is told.
	AnomalyUSD float64 `json:"anomalyUsd"`
	// MonthlyUSD is the budget of a month; 0 for none.
	MonthlyUSD float64 `json:"monthlyUsd"`
}
