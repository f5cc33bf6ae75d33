package identity

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// HumanTrust returns the trust policy for people: the principals may assume
// the role within maxAge of having shown a second factor. Sessions without MFA
// carry neither key, so both conditions fail for them. That goes for sessions
// of IAM Identity Center too, which checks MFA itself and does not tell: give
// those people permission sets.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_configure-api-require.html
func HumanTrust(principals []string, maxAge time.Duration) Document {
	return Document{{
		Sid: "AssumeWithMFA", Effect: Allow,
		Principals: Principals{AWS: principals},
		Actions:    []string{"sts:AssumeRole"},
		Conditions: []Condition{
			{"Bool", "aws:MultiFactorAuthPresent", []string{"true"}},
			{"NumericLessThan", "aws:MultiFactorAuthAge", []string{strconv.Itoa(int(maxAge.Seconds()))}},
		},
	}}
}

// PartnerTrust returns the trust policy for another company's account. The
// external id makes sure that the partner acts for us and not for another of
// its customers who told it our role's ARN. It is no secret.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
func PartnerTrust(partition, accountID, externalID string) Document {
	root := Scope{Partition: partition, AccountID: accountID}.Root()
	return Document{{
		Sid: "AssumeAsPartner", Effect: Allow,
		Principals: Principals{AWS: []string{root}},
		Actions:    []string{"sts:AssumeRole"},
		Conditions: []Condition{{"StringEquals", "sts:ExternalId", []string{externalID}}},
	}}
}

// DenyWithoutMFA is the statement for people's own policies: without a second
// factor they can only get one. BoolIfExists, because long-term keys carry no
// such key at all.
func DenyWithoutMFA() Statement {
	return Statement{
		Sid: "DenyWithoutMFA", Effect: Deny,
		NotActions: []string{
			"iam:ChangePassword", "iam:CreateVirtualMFADevice", "iam:EnableMFADevice", "iam:GetUser",
			"iam:ListMFADevices", "iam:ListVirtualMFADevices", "iam:ResyncMFADevice", "sts:GetSessionToken",
		},
		Resources:  []string{"*"},
		Conditions: []Condition{{"BoolIfExists", "aws:MultiFactorAuthPresent", []string{"false"}}},
	}
}

var (
	principalARN = regexp.MustCompile(`^arn:[^:]+:iam::\d{12}:(root|(role|user)/[\w+=,.@/-]+)$`)
	externalForm = regexp.MustCompile(`^[\w+=,.@:/-]{8,}$`)
)

// humans checks a list of people's principals.
func (f *findings) humans(field string, principals []string) {
	if len(principals) == 0 {
		f.add(field, "empty", "name the roles, users or account roots of the people who may assume it")
	}
	for i, p := range principals {
		switch {
		case !principalARN.MatchString(p):
			f.add(fmt.Sprintf("%s[%d]", field, i), fmt.Sprintf("%q is no principal of IAM", p), "arn:<partition>:iam::<account>:root, role/<name> or user/<name>")
		case strings.Contains(p, ":role/aws-reserved/sso.amazonaws.com/"):
			f.add(fmt.Sprintf("%s[%d]", field, i), "sessions of IAM Identity Center carry no MFA keys, so nobody could assume the role",
				"assign a permission set in Identity Center in place of this role")
		}
	}
}
