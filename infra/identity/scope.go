// Package identity writes IAM policy documents that say no to over-broad
// grants, and makes the roles that carry them.
//
// Documents are plain Go values built from names that are known before
// anything is deployed, never from resource outputs, so a policy pack can
// decide every statement at preview.
package identity

import (
	"slices"
	"strings"
)

// Scope is where a stack's resources live. It composes ARNs as plain strings.
type Scope struct {
	// Partition is "aws", "aws-cn" or "aws-us-gov".
	Partition string
	// Region is the region's code, for example "eu-central-1".
	Region string
	// AccountID is the account's twelve digits.
	AccountID string
}

// Services whose ARNs carry no account id besides having no region.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
var accountlessServices = []string{"route53", "s3"}

// ARN returns the ARN of a regional resource of the scope's account and
// region. The resource includes its type where the service has one:
// ARN("logs", "log-group:/app/dev/api").
func (s Scope) ARN(service, resource string) string {
	return strings.Join([]string{"arn", s.Partition, service, s.Region, s.AccountID, resource}, ":")
}

// GlobalARN returns the ARN of a resource of a service that has no regions:
// with the account for iam, cloudfront or organizations, without it for s3
// and route53. GlobalARN("iam", "role/redoubt-dev-task").
func (s Scope) GlobalARN(service, resource string) string {
	account := s.AccountID
	if slices.Contains(accountlessServices, service) {
		account = ""
	}
	return strings.Join([]string{"arn", s.Partition, service, "", account, resource}, ":")
}

// In returns the same account's scope in another region.
func (s Scope) In(region string) Scope {
	s.Region = region
	return s
}

// Root returns the ARN that stands for the account in resource policies.
func (s Scope) Root() string { return s.GlobalARN("iam", "root") }

// RoleARN returns the ARN of the account's role with that name.
func (s Scope) RoleARN(name string) string { return s.GlobalARN("iam", "role/"+name) }

// RegionalService returns the name by which policies know a service in the
// scope's region, as kms:ViaService compares it and some principals are
// written: RegionalService("s3") is "s3.eu-central-1.amazonaws.com". China has
// a domain of its own.
func (s Scope) RegionalService(service string) string {
	domain := "amazonaws.com"
	if s.Partition == "aws-cn" {
		domain = "amazonaws.com.cn"
	}
	return strings.Join([]string{service, s.Region, domain}, ".")
}
