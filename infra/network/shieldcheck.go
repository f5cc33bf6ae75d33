package network

import (
	"fmt"
	"net/mail"
	"regexp"
	"slices"

	"redoubt/infra/identity"
	"redoubt/infra/singleton"
)

// responseTeam is the service principal of the Shield Response Team, formerly
// the DDoS Response Team.
const responseTeam = "drt.shield.amazonaws.com"

// ResponseTeamStatement is what Shield enters into the policy of a log bucket
// that the Shield Response Team may read, word for word. A bucket whose policy
// is managed needs it there, or the next update takes it out again. The bucket
// must not be encrypted with a KMS key: the team has no right to one.
// https://docs.aws.amazon.com/waf/latest/developerguide/ddos-srt-access.html
func ResponseTeamStatement(scope identity.Scope, bucket string) identity.Statement {
	return identity.Statement{
		Sid: "AWSDDoSResponseTeamAccessS3Bucket", Effect: identity.Allow,
		Principals: identity.Principals{Service: []string{responseTeam}},
		Actions:    []string{"s3:GetBucketLocation", "s3:GetObject", "s3:ListBucket"},
		Resources:  []string{scope.GlobalARN("s3", bucket), scope.GlobalARN("s3", bucket+"/*")},
	}
}

const maxLogBuckets, maxContacts, maxNotes = 10, 10, 1024

var (
	bucketName  = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)
	phoneNumber = regexp.MustCompile(`^\+[1-9]\d{1,14}$`)
)

func (args *ShieldSubscriptionArgs) validate() error {
	var f findings
	if args == nil {
		f.add("args", "missing", "pass a ShieldSubscriptionArgs")
		return f.err()
	}
	f.prefix(args.Prefix)
	checkScope(&f, args.Scope)
	args.checkSubscription(&f)
	if !slices.Contains([]SupportPlan{SupportNone, SupportBusiness, SupportEnterprise}, args.SupportPlan) {
		f.add("supportPlan", fmt.Sprintf("%q is no support plan", args.SupportPlan), "use business or enterprise, or leave it out")
	}
	args.checkAccess(&f)
	args.checkContacts(&f)
	return f.err()
}

func (args *ShieldSubscriptionArgs) checkSubscription(f *findings) {
	s := args.Subscription
	if err := s.Validate(); err != nil {
		f.errs = append(f.errs, fmt.Errorf("subscription: %w", err))
	}
	if s.ID != "" {
		f.add("subscription.id", "a subscription has no id", "leave it out")
	}
	switch {
	case s.Mode == singleton.Off:
		f.add("subscription.mode", "off leaves nothing to do here", "use manage or adopt, or leave the component out")
	case s.Managed() && args.AcknowledgeAnnualCommitment != ShieldCommitment:
		f.add("acknowledgeAnnualCommitment", fmt.Sprintf("%q does not acknowledge what a subscription costs; it cannot be given back", args.AcknowledgeAnnualCommitment),
			"write "+ShieldCommitment+", or use subscription mode adopt")
	}
}

func (args *ShieldSubscriptionArgs) checkAccess(f *findings) {
	if args.ResponseTeamAccess && args.SupportPlan == SupportNone {
		f.add("responseTeamAccess", "the Shield Response Team works for Business and Enterprise Support only", "set supportPlan, or turn it off")
	}
	if len(args.LogBuckets) > 0 && !args.ResponseTeamAccess {
		f.add("logBuckets", "nobody reads them without responseTeamAccess", "turn it on, or leave them out")
	}
	if len(args.LogBuckets) > maxLogBuckets {
		f.add("logBuckets", fmt.Sprintf("%d buckets", len(args.LogBuckets)), fmt.Sprintf("at most %d", maxLogBuckets))
	}
	seen := map[string]bool{}
	for i, bucket := range args.LogBuckets {
		field := fmt.Sprintf("logBuckets[%d]", i)
		if !bucketName.MatchString(bucket) {
			f.add(field, fmt.Sprintf("%q is no bucket's name", bucket), "the name, not the ARN")
		}
		if seen[bucket] {
			f.add(field, bucket+" is named twice", "name each bucket once")
		}
		seen[bucket] = true
	}
}

func (args *ShieldSubscriptionArgs) checkContacts(f *findings) {
	if len(args.EmergencyContacts) == 0 {
		return
	}
	if args.SupportPlan == SupportNone {
		f.add("emergencyContacts", "proactive engagement is for Business and Enterprise Support only", "set supportPlan, or leave the contacts out")
	}
	if len(args.EmergencyContacts) > maxContacts {
		f.add("emergencyContacts", fmt.Sprintf("%d contacts", len(args.EmergencyContacts)), fmt.Sprintf("at most %d", maxContacts))
	}
	phones := 0
	for i, c := range args.EmergencyContacts {
		field := fmt.Sprintf("emergencyContacts[%d].", i)
		if a, err := mail.ParseAddress(c.Email); err != nil || a.Address != c.Email {
			f.add(field+"email", fmt.Sprintf("%q is no address", c.Email), "for example security@example.org")
		}
		if c.Phone != "" {
			phones++
			if !phoneNumber.MatchString(c.Phone) {
				f.add(field+"phone", fmt.Sprintf("%q is no number in international form", c.Phone), "for example +4930123456")
			}
		}
		if len(c.Notes) > maxNotes {
			f.add(field+"notes", fmt.Sprintf("%d characters", len(c.Notes)), fmt.Sprintf("at most %d", maxNotes))
		}
	}
	if phones == 0 {
		f.add("emergencyContacts", "nobody has a phone", "Shield asks for at least one number")
	}
}
