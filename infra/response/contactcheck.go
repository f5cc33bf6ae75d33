package response

import (
	"errors"
	"regexp"
	"strings"
)

var (
	phoneForm   = regexp.MustCompile(`^\+?[0-9][0-9 ().-]{5,23}$`)
	accountForm = regexp.MustCompile(`^\d{12}$`)
	partnerForm = regexp.MustCompile(`^[a-z][a-z0-9-]{1,20}$`)
	// STS takes 2 to 1224 signs; a short one can be guessed, and Go repeats at most
	// 1000 times. https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
	externalForm = regexp.MustCompile(`^[\w+=,.@:/-]{16,1000}$`)
	teamForm     = regexp.MustCompile(`^T[0-9A-Z]{8,}$`)
	channelForm  = regexp.MustCompile(`^[CG][0-9A-Z]{8,}$`)
	// placeholders are what the guide writes where an organization puts its own.
	placeholders = regexp.MustCompile(`(?i)(@|\.)example\.(com|net|org)$|x{3}-x{4}|^1-800-`)
)

// validate returns every finding, each "field: why (fix)".
func (args *ContactsArgs) validate() error {
	if args == nil {
		return errors.New("args: nil (pass &response.ContactsArgs{…})")
	}
	c := &findings{}
	c.check(prefixForm.MatchString(args.Prefix), "prefix: %q (2 to 31 lower-case letters, digits and hyphens, for example redoubt-prod)", args.Prefix)
	c.check(accountForm.MatchString(args.Scope.AccountID) && args.Scope.Partition != "" && args.Scope.Region != "", "scope: %+v (partition, region and account)", args.Scope)
	if err := args.Alternate.Validate(); err != nil {
		c.check(false, "alternate: %w", err)
	}
	if args.Alternate.Managed() {
		for _, p := range args.people() {
			p.check(c, args.Production)
		}
	}
	args.checkPartners(c)
	args.checkChannels(c)
	return c.join()
}

func (p contact) check(c *findings, production bool) {
	c.check(p.Name != "" && p.Title != "", "%s: name %q and title %q (both; AWS writes to them)", p.field, p.Name, p.Title)
	c.check(emailForm.MatchString(p.Email), "%s.email: %q (an e-mail address)", p.field, p.Email)
	placeholder := placeholders.MatchString(p.Phone) || placeholders.MatchString(p.Email)
	c.check(phoneForm.MatchString(p.Phone) || !production && placeholder, "%s.phone: %q (a number in international form, for example +49 30 901820)", p.field, p.Phone)
	c.check(!production || !placeholder, "%s: %s, %s is the guide's placeholder (write a contact that answers)", p.field, p.Email, p.Phone)
}

func (args *ContactsArgs) checkPartners(c *findings) {
	partners := args.Readers
	if args.Forensics != nil {
		partners = append(partners[:len(partners):len(partners)], *args.Forensics)
	}
	seen := map[string]bool{"legal": true, "support": true, "chat": true, "pager": true}
	for _, p := range partners {
		c.check(partnerForm.MatchString(p.Name), "partner %q: name (2 to 21 lower-case letters, digits and hyphens)", p.Name)
		c.check(!seen[p.Name], "partner %q: the name is taken (choose another)", p.Name)
		c.check(accountForm.MatchString(p.AccountID) && p.AccountID != args.Scope.AccountID, "partner %q: accountId %q (the twelve digits of the partner's account)", p.Name, p.AccountID)
		c.check(externalForm.MatchString(p.ExternalID), "partner %q: externalId: %d signs (16 to 1000 letters, digits and +=,.@:/-_, agreed with the partner)", p.Name, len(p.ExternalID))
		seen[p.Name] = true
	}
	for i, arn := range args.LegalPrincipals {
		c.check(principalForm.MatchString(arn), "legalPrincipals[%d]: %q (the ARN of a role or user)", i, arn)
	}
	for i, arn := range args.SupportPrincipals {
		c.check(principalForm.MatchString(arn), "supportPrincipals[%d]: %q (the ARN of a role or user)", i, arn)
	}
	if args.Forensics != nil || len(args.LegalPrincipals) > 0 {
		c.check(args.EvidenceBucket != nil, "evidenceBucket: nil (forensics and legal work with it)")
		c.check(strings.HasPrefix(args.EvidenceKeyAlias, "alias/"), "evidenceKeyAlias: %q (alias/… of the evidence bucket's key)", args.EvidenceKeyAlias)
	}
}

func (args *ContactsArgs) checkChannels(c *findings) {
	if s := args.Slack; s != nil {
		c.check(teamForm.MatchString(s.TeamID), "slack.teamId: %q (the workspace's id, T…)", s.TeamID)
		c.check(channelForm.MatchString(s.ChannelID), "slack.channelId: %q (the channel's id, C…, not its name)", s.ChannelID)
		c.check(s.TopicArns != nil, "slack.topicArns: nil (the topics that the channel shows)")
	}
	if p := args.PagerDuty; p != nil {
		c.check(p.RoutingKey != nil, "pagerDuty.routingKey: nil (the integration's key, as a secret)")
		c.check(p.DeadLetterArn != nil, "pagerDuty.deadLetterArn: nil (the responder's dead letters: a lost page must be noticed)")
		c.check(strings.HasPrefix(p.MachineArn, "arn:"), "pagerDuty.machineArn: %q (the response machine's ARN)", p.MachineArn)
	}
}
