package config

import "redoubt/infra/singleton"

// Identity is who may do what, in AWS and in the application.
type Identity struct {
	// BreakGlass are ARNs of principals that may assume the role that repairs a
	// locked account, with MFA; a role that nobody may assume is not made.
	BreakGlass []string `json:"breakGlass"`
	// Auditors are ARNs of who may read configuration, and no data.
	Auditors []string `json:"auditors"`
	// Support are ARNs of who may open cases with AWS.
	Support []string `json:"support"`
	// PasswordPolicy is IAM's, one per account.
	PasswordPolicy singleton.Singleton `json:"passwordPolicy"`
	// TokenPreferences is the version of the tokens of the global STS endpoint.
	TokenPreferences singleton.Singleton `json:"tokenPreferences"`
	// AccountGuards are the account's and region's safe defaults: public access
	// blocks, EBS encryption, IMDSv2, no serial console.
	AccountGuards singleton.Singleton `json:"accountGuards"`
	// ExternalAnalyzer finds what lets outsiders in; free, one per region.
	ExternalAnalyzer singleton.Singleton `json:"externalAnalyzer"`
	// ExternalAnalyzerElsewhere is the same in the other regions that the stack
	// has something in, ReplicaRegion and us-east-1; free too.
	ExternalAnalyzerElsewhere singleton.Singleton `json:"externalAnalyzerElsewhere"`
	// UnusedAnalyzer finds unused access; billed per role and user.
	UnusedAnalyzer singleton.Singleton `json:"unusedAnalyzer"`
	// AccessReview gathers the evidence of a review every quarter.
	AccessReview bool `json:"accessReview"`
	// Threats is what the user pool does about risky sign-ins: off, audit, enforced.
	Threats string `json:"threats"`
	// CallbackURLs are where users come back to after signing in; empty for
	// https://<domain.name>/oauth2/callback.
	CallbackURLs []string `json:"callbackUrls"`
	// TokenMinutes is how long access tokens are valid.
	TokenMinutes int `json:"tokenMinutes"`
	// SessionHours is how long users stay signed in.
	SessionHours int `json:"sessionHours"`
	// Organization makes the organization's policies; only in its management
	// account.
	Organization *Organization `json:"organization"`
	// DeployRole lets the application's pipeline push images and roll the
	// service out, without keys.
	DeployRole *DeployRole `json:"deployRole"`
	// TokenSigner makes keys with which the application signs tokens of its own.
	TokenSigner *TokenSigner `json:"tokenSigner"`
}

// DeployRole is the role of a pipeline.
type DeployRole struct {
	// Forge is github or gitlab.
	Forge string `json:"forge"`
	// Provider is the account's identity provider for the forge: manage, or
	// adopt in the account's other stacks.
	Provider singleton.Singleton `json:"provider"`
	// Subjects are the token subjects that may assume the role, in full:
	// "repo:acme/shop:environment:prod".
	Subjects []string `json:"subjects"`
}

// TokenSigner is the signing keys. To rotate, add an epoch; days later make it
// Signing; once the last token of the old one has expired, leave that out.
type TokenSigner struct {
	// Epochs are the keys that verifiers accept, for example "2026-q1".
	Epochs []string `json:"epochs"`
	// Signing is the epoch that signs.
	Signing string `json:"signing"`
}

// Organization is the guardrails of an AWS organization.
type Organization struct {
	// Targets are roots, organizational units and accounts.
	Targets []string `json:"targets"`
	// AllowedRegions are where member accounts may work.
	AllowedRegions []string `json:"allowedRegions"`
	// Custodians are ARN patterns of roles that may change detection.
	Custodians []string `json:"custodians"`
	// Perimeter adds the resource control policy.
	Perimeter bool `json:"perimeter"`
	// RootAccess centralises root access: manage, adopt or off.
	RootAccess singleton.Singleton `json:"rootAccess"`
}

// Response is what happens when something was found.
type Response struct {
	// Mode is off, notify, approve (people decide) or auto (AutoContain is
	// contained at once).
	Mode string `json:"mode"`
	// AutoContain are how the types of findings start that mode auto contains.
	AutoContain []string `json:"autoContain"`
	// Approvers are ARNs of who may approve a containment, with MFA.
	Approvers []string `json:"approvers"`
	// ApprovalTimeoutMinutes is how long a containment waits for an approval.
	ApprovalTimeoutMinutes int `json:"approvalTimeoutMinutes"`
	// GameDay makes sample findings every quarter; never in prod.
	GameDay bool `json:"gameDay"`
	// EvidenceDays is how long evidence cannot be deleted.
	EvidenceDays int `json:"evidenceDays"`
}

// Contacts are the people of the guide's last section.
type Contacts struct {
	// Alternate is the account's alternate contacts: manage, adopt or off.
	Alternate singleton.Singleton `json:"alternate"`
	// Security is whom AWS tells of abuse and vulnerabilities.
	Security Person `json:"security"`
	// Operations is whom AWS's technical account manager calls.
	Operations Person `json:"operations"`
	// Billing is whom the account team calls.
	Billing Person `json:"billing"`
	// Readers are partners (SOC, MSSP) that read configuration and findings.
	Readers []Partner `json:"readers"`
	// Forensics reads evidence.
	Forensics *Partner `json:"forensics"`
	// Legal are ARNs of who may put legal holds on evidence, with MFA.
	Legal []string `json:"legal"`
}

// Person is an alternate contact.
type Person struct {
	// Name as people say it.
	Name string `json:"name"`
	// Title is what the person does.
	Title string `json:"title"`
	// Email is the address.
	Email string `json:"email"`
	// Phone is in international form, "+49 30 901820".
	Phone string `json:"phone"`
}

// Partner is another company's account.
type Partner struct {
	// Name is short and ends up in a role's name: "soc", "mssp".
	Name string `json:"name"`
	// AccountID is the partner's, 12 digits.
	AccountID string `json:"accountId"`
	// ExternalID is agreed with the partner, at least 16 signs; no secret.
	ExternalID string `json:"externalId"`
}

// Backup is AWS Backup of what is stateful.
type Backup struct {
	// Enabled makes vault, plan and selection.
	Enabled bool `json:"enabled"`
	// CopyToReplica copies recovery points to ReplicaRegion.
	CopyToReplica bool `json:"copyToReplica"`
	// Lock is none, governance (recovery points cannot be deleted early, but who
	// may can take the lock off) or compliance (nobody can take it off).
	Lock string `json:"lock"`
	// ChangeableForDays is how long a compliance lock can still be taken off, 3
	// or more.
	ChangeableForDays int `json:"changeableForDays"`
	// AcknowledgeCompliance must say nobody-can-remove-this-lock for a
	// compliance lock to be made.
	AcknowledgeCompliance string `json:"acknowledgeCompliance"`
	// ColdAfterDays moves the monthly backups, which are kept for a year, to cold
	// storage, where they stay for 90 days at least; 0 for never.
	ColdAfterDays int `json:"coldAfterDays"`
	// MinDays is the shortest retention that the lock allows.
	MinDays int `json:"minDays"`
	// MaxDays is the longest retention that the lock allows.
	MaxDays int `json:"maxDays"`
	// RestoreTests restores Aurora and S3 on a schedule, to see that it works.
	RestoreTests bool `json:"restoreTests"`
	// RegionSettings is what AWS Backup may touch in the region: manage, adopt, off.
	RegionSettings singleton.Singleton `json:"regionSettings"`
}
