package stack

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/infra/config"
	"redoubt/infra/data"
	"redoubt/infra/identity"
	"redoubt/infra/monitoring"
	"redoubt/infra/singleton"
)

// access is who may do what.
type access struct {
	boundary *identity.Boundary
	people   *identity.Access
	pool     *identity.UserPool
	client   *identity.UserPoolClient
	review   *identity.AccessReview
	tokens   *identity.TokenSigner
	pipeline *identity.DeployRole
}

// deployBoundary makes the ceiling of the workload's roles.
func (s *Stack) deployBoundary(ctx *pulumi.Context) (err error) {
	c, p := s.config, s.place
	s.boundary, err = identity.NewBoundary(ctx, c.Prefix()+"-boundary", &identity.BoundaryArgs{Scope: p.scope, Prefix: c.Prefix(), Tags: c.Tags}, p.here())
	return err
}

// deployGuards makes what the account, or the whole organization, refuses
// whatever a policy says.
func (s *Stack) deployGuards(ctx *pulumi.Context) (err error) {
	c, p := s.config, s.place
	_, err = identity.NewPasswordPolicy(ctx, c.Prefix()+"-passwords", &identity.PasswordPolicyArgs{
		Policy: c.Identity.PasswordPolicy, Tokens: c.Identity.TokenPreferences, Protect: c.Keys.Protect,
	}, p.here())
	if err != nil {
		return err
	}
	_, err = identity.NewAccountGuards(ctx, c.Prefix()+"-guards", &identity.AccountGuardsArgs{
		Mode: c.Identity.AccountGuards, TraceKeyArn: s.keys.logs.Arn, Protect: c.Keys.Protect,
	}, p.here())
	if err != nil || c.Identity.Organization == nil {
		return err
	}
	o := c.Identity.Organization
	_, err = identity.NewOrganization(ctx, c.Prefix()+"-organization", &identity.OrganizationArgs{
		Scope: p.scope, Management: true, OrgID: c.OrgID, Prefix: c.Prefix(), Targets: o.Targets, AllowedRegions: o.AllowedRegions,
		Custodians: o.Custodians, Perimeter: o.Perimeter, RootAccess: o.RootAccess, Protect: c.Keys.Protect, Tags: c.Tags,
	}, p.here())
	return err
}

// deployRegion makes what the region's workloads need and only one stack can
// make, where the workloads are other stacks.
func (s *Stack) deployRegion(ctx *pulumi.Context) error {
	c, p := s.config, s.place
	if c.API.Account.Used() {
		if _, err := s.newAPIAccount(ctx); err != nil {
			return err
		}
	}
	if _, err := s.newShieldSubscription(ctx); err != nil {
		return err
	}
	if !c.Search.CreateServiceLinkedRole {
		return nil
	}
	_, err := data.NewSearchServiceRole(ctx, c.Prefix()+"-search-service-role", p.here())
	return err
}

// deployPeople makes the roles that people assume, and looks after what they
// may do.
func (s *Stack) deployPeople(ctx *pulumi.Context) (err error) {
	c, p := s.config, s.place
	args := &identity.AccessArgs{
		Scope: p.scope, Prefix: c.Prefix(), BreakGlass: c.Identity.BreakGlass, Auditors: c.Identity.Auditors, Tags: c.Tags,
	}
	if len(c.Identity.BreakGlass) > 0 && s.trail.LogGroupName != nil {
		args.Alarm = &identity.BreakGlassAlarm{TrailLogGroup: s.trail.LogGroupName, TopicArn: s.topics.Arn(monitoring.High)}
	}
	if s.people, err = identity.NewAccess(ctx, c.Prefix()+"-access", args, p.here()); err != nil {
		return err
	}
	analyzers, err := identity.NewAnalyzers(ctx, c.Prefix()+"-analyzers", &identity.AnalyzersArgs{
		Scope: p.scope, Prefix: c.Prefix(), External: c.Identity.ExternalAnalyzer, Unused: c.Identity.UnusedAnalyzer, Protect: c.Keys.Protect, Tags: c.Tags,
	}, p.here())
	if err != nil {
		return err
	}
	if err := s.analyzeElsewhere(ctx); err != nil || !c.Identity.AccessReview {
		return err
	}
	log, err := monitoring.NewLogGroup(ctx, c.Prefix()+"-access-review", &monitoring.LogGroupArgs{
		Name: "/aws/vendedlogs/" + c.Prefix() + "/access-review", KmsKeyArn: s.keys.logs.Arn, RetentionInDays: c.Logs.AuditDays, Tags: c.Tags,
	}, p.here())
	if err != nil {
		return err
	}
	s.review, err = identity.NewAccessReview(ctx, c.Prefix()+"-access-review", &identity.AccessReviewArgs{
		Scope: p.scope, Prefix: c.Prefix(), EvidenceBucket: s.buckets.evidence.PhysicalName, TopicName: topicName(c, monitoring.Low),
		KeyAliases:          []string{s.keys.audit.AliasName, s.keys.messaging.AliasName},
		ExternalAnalyzerArn: analyzers.ExternalArn, UnusedAnalyzerArn: analyzers.UnusedArn, LogGroupArn: log.Arn, Tags: c.Tags,
	}, p.here())
	return err
}

// analyzeElsewhere looks for what lets outsiders in where the stack has copies
// or forwards events: an analyzer sees its own region only.
func (s *Stack) analyzeElsewhere(ctx *pulumi.Context) error {
	c, p := s.config, s.place
	if !c.Identity.ExternalAnalyzerElsewhere.Managed() {
		return nil
	}
	for _, region := range p.others() {
		_, err := identity.NewAnalyzers(ctx, c.Prefix()+"-analyzers-"+region, &identity.AnalyzersArgs{
			Scope: p.scope.In(region), Prefix: c.Prefix(), External: c.Identity.ExternalAnalyzerElsewhere,
			Unused: singleton.Singleton{Mode: singleton.Off}, Protect: c.Keys.Protect, Tags: c.Tags,
		}, pulumi.Provider(p.in(region)))
		if err != nil {
			return err
		}
	}
	return nil
}

// topicName is the physical name that monitoring gives a level's topic.
func topicName(c config.Config, level monitoring.Level) string {
	return monitoring.TopicName(c.Prefix(), level)
}

// deployUsers makes where the application's users sign in.
func (s *Stack) deployUsers(ctx *pulumi.Context) (err error) {
	c, p := s.config, s.place
	s.pool, err = identity.NewUserPool(ctx, c.Prefix()+"-users", &identity.UserPoolArgs{
		Prefix: c.Prefix(), Threats: identity.ThreatProtection(c.Identity.Threats), WebACLArn: s.acl.Arn,
		Domain: &identity.UserPoolDomain{Name: c.Prefix() + "-" + p.scope.AccountID},
		Groups: map[string]identity.UserGroup{
			"admins":  {Description: "Administer the application", Precedence: 1},
			"members": {Description: "Use the application", Precedence: 10},
		},
		APIs:    map[string]identity.APIScopes{"app": {"read": "Read what one may see", "write": "Change what one may see"}},
		Protect: c.Keys.Protect, Tags: c.Tags,
	}, p.here())
	if err != nil {
		return err
	}
	callbacks := c.Identity.CallbackURLs
	if len(callbacks) == 0 {
		callbacks = []string{"https://" + c.Domain.Name + "/oauth2/callback"}
	}
	s.client, err = identity.NewUserPoolClient(ctx, c.Prefix()+"-app-client", &identity.UserPoolClientArgs{
		Pool: s.pool, ClientName: c.Prefix() + "-app", CallbackURLs: callbacks, LogoutURLs: []string{"https://" + c.Domain.Name + "/"},
		Scopes: []string{"openid", "email", "app/read", "app/write"}, TokenMinutes: c.Identity.TokenMinutes, SessionHours: c.Identity.SessionHours,
	}, p.here())
	return err
}
