package stack

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/infra/config"
	"redoubt/infra/identity"
	"redoubt/infra/monitoring"
	"redoubt/infra/network"
	"redoubt/infra/response"
	"redoubt/infra/workload"
)

// newResponder makes what answers a finding.
func (s *Stack) newResponder(ctx *pulumi.Context) (err error) {
	c, p := s.config, s.place
	args := &response.ResponderArgs{
		Scope: p.scope, Prefix: c.Prefix(), Environment: string(c.Environment), Mode: response.Mode(c.Response.Mode),
		AutoContain: c.Response.AutoContain, ApprovalTimeoutMinutes: c.Response.ApprovalTimeoutMinutes, Approvers: c.Response.Approvers,
		SubscriberEmails: s.emails(), HealthAlarms: s.alarms.Names, LogGroupNames: s.searchedLogs(),
		EvidenceBucket: s.buckets.evidence, ProtectedBuckets: s.buckets.protected(),
		Buckets:     []string{s.buckets.data.PhysicalName},
		ClusterName: s.service.ClusterName, ServiceName: s.service.ServiceName,
		IsolationGroupID: s.groups.Isolation, BlockSetArn: s.acl.BlockSetArn, TargetGroupArn: s.balancer.TargetGroupArn,
		VpcID: s.vpc.ID, DetectorID: s.detector.ID,
		KmsKeyArn: s.keys.messaging.Arn, KeyAlias: s.keys.messaging.AliasName, EvidenceKeyAlias: s.keys.audit.AliasName,
		LogKmsKeyArn: s.keys.logs.Arn, LogRetentionInDays: c.Logs.AuditDays,
		WorkloadBoundary: s.boundary.Arn, GameDay: c.Response.GameDay, Protect: c.Keys.Protect, Tags: c.Tags,
	}
	if len(c.Identity.BreakGlass) > 0 {
		args.ProtectedRoles = []string{identity.BreakGlassName(c.Prefix())}
	}
	if archive := s.topics.Archive; archive != nil {
		args.ArchiveArn = archive.Arn
	}
	s.responder, err = response.NewResponder(ctx, c.Prefix()+"-response", args, p.here())
	return err
}

// responds says that the stack answers findings.
func (s *Stack) responds() bool {
	return s.config.Layer.Workload() && s.config.Response.Mode != string(response.Off)
}

// emails are the addresses of the channels that hear the highest level.
func (s *Stack) emails() []string {
	var out []string
	for _, ch := range s.config.Alerting.Channels {
		for _, level := range ch.Levels {
			if level == string(monitoring.High) {
				out = append(out, ch.Email)
			}
		}
	}
	return out
}

// searchedLogs are where a response looks for traces.
func (s *Stack) searchedLogs() []string {
	c := s.config
	logs := []string{
		workload.LogGroupName(string(c.Environment), serviceName), network.FlowLogGroup(c.Prefix()), network.WAFLogGroup(c.Prefix()),
	}
	switch {
	case c.Audit.Trail.Managed():
		logs = append(logs, monitoring.TrailLogGroup(c.Prefix()))
	case c.Audit.TrailLogGroup != "":
		logs = append(logs, c.Audit.TrailLogGroup)
	}
	return logs
}

// newRunbooks makes the documents for what only people can do.
func (s *Stack) newRunbooks(ctx *pulumi.Context) error {
	_, err := response.NewRunbooks(ctx, s.config.Prefix()+"-runbooks", &response.RunbooksArgs{Prefix: s.config.Prefix(), Tags: s.config.Tags}, s.place.here())
	return err
}

// newContacts makes the roles of those who are called.
func (s *Stack) newContacts(ctx *pulumi.Context) (err error) {
	c := s.config
	args := &response.ContactsArgs{
		Scope: s.place.scope, Prefix: c.Prefix(), Production: c.Environment == config.Prod, Alternate: c.Contacts.Alternate, Protect: c.Keys.Protect,
		Security: response.Person(c.Contacts.Security), Operations: response.Person(c.Contacts.Operations), Billing: response.Person(c.Contacts.Billing),
		LegalPrincipals: c.Contacts.Legal, SupportPrincipals: c.Identity.Support,
		EvidenceBucket: s.buckets.evidence, EvidenceKeyAlias: s.keys.audit.AliasName, Tags: c.Tags,
	}
	for _, r := range c.Contacts.Readers {
		args.Readers = append(args.Readers, response.Partner(r))
	}
	if f := c.Contacts.Forensics; f != nil {
		partner := response.Partner(*f)
		args.Forensics = &partner
	}
	if key, ok := s.secret("pagerDutyRoutingKey"); ok && s.responder != nil && s.responder.DeadLetters != nil {
		args.PagerDuty = &response.PagerDuty{
			RoutingKey: key, MachineArn: s.place.scope.ARN("states", "stateMachine:"+c.Prefix()+"-response"), DeadLetterArn: s.responder.DeadLetters.Arn,
		}
	}
	_, err = response.NewContacts(ctx, c.Prefix()+"-contacts", args, s.place.here())
	return err
}
