package rehearse

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/blueprint"
	"redoubt/automation/engine"
	"redoubt/infra/config"
	"redoubt/internal/rehearsal"
)

// sectionChange is a small change of one field of a configuration section.
type sectionChange struct {
	// field is the path below "redoubt:"; its first part is the section.
	field string
	// from is what stack dev has, to what it is changed to.
	from, to string
	// does is something that it alone does: a resource, without the stack's prefix,
	// and part of the path of a property of it, or "create". A change that has one is
	// previewed together with others; one whose effect another takes away, or hides,
	// has none.
	does string
	// loses are the types of which a resource may be replaced or deleted, each
	// with the reason.
	loses map[string]string
}

func (c sectionChange) section() string {
	section, _, _ := strings.Cut(c.field, ".")
	return section
}

const (
	taskDefinition = "aws:ecs/taskDefinition:TaskDefinition"
	revision       = "a task definition is immutable: each change registers a revision"
)

// baseline is what stack dev leaves out and a change of a section needs.
var baseline = map[string]string{
	"response.approvers[0]":     "arn:aws:iam::123456789012:role/security-oncall",
	"contacts.security.name":    "Security Team",
	"contacts.security.title":   "On-call",
	"contacts.security.email":   "security@acme.test",
	"contacts.security.phone":   "+49 30 901820",
	"contacts.operations.name":  "Platform Team",
	"contacts.operations.title": "On-call",
	"contacts.operations.email": "platform@acme.test",
	"contacts.operations.phone": "+49 30 901821",
	"contacts.billing.name":     "Finance Team",
	"contacts.billing.title":    "Billing",
	"contacts.billing.email":    "billing@acme.test",
	"contacts.billing.phone":    "+49 30 901822",
	"edge.loginPath":            "/login",
	"edge.loginRateLimit":       "200",
}

var sectionChanges = []sectionChange{
	{field: "network.endpoints", from: "none", to: "core", does: "ecr.api create"},
	{field: "network.nat", from: "single", to: "perAZ", does: "nat-b create"},
	{field: "edge.rateLimit", from: "2000", to: "1500", does: "waf-acl rateBasedStatement.limit"},
	{field: "edge.tlsPolicy", from: "tls13-only", to: "pq", does: "alb-https sslPolicy"},
	{field: "edge.wafMode", from: "block", to: "count", does: "waf-acl overrideAction.count"},
	{field: "compute.memory", from: "512", to: "1024", loses: map[string]string{taskDefinition: revision}},
	{field: "compute.max", from: "2", to: "4", does: "app-scaling maxCapacity"},
	{field: "database.maxAcu", from: "2", to: "4", does: "db-cluster serverlessv2ScalingConfiguration.maxCapacity"},
	{field: "database.instances", from: "1", to: "2", does: "db-instance-2 create"},
	{field: "database.backupDays", from: "7", to: "14"},
	{field: "database.proxy", from: "false", to: "true", loses: map[string]string{taskDefinition: revision}},
	{field: "edge.loginRateLimit", from: "200", to: "100"},
	{field: "search.volumeGib", from: "10", to: "20", does: "search-domain ebsOptions.volumeSize"},
	{field: "search.dataNodes", from: "1", to: "2", does: "search-domain clusterConfig.instanceCount"},
	{field: "storage.forceDestroy", from: "true", to: "false", does: "data-bucket forceDestroy"},
	{field: "keys.deletionWindowDays", from: "30", to: "7", does: "app-key deletionWindowInDays"},
	{field: "keys.rotationDays", from: "365", to: "180", does: "app-key rotationPeriodInDays"},
	{field: "logs.applicationDays", from: "14", to: "30", does: "app-app retentionInDays"},
	{field: "logs.flowDays", from: "7", to: "14", does: "flow-logs-group retentionInDays"},
	{field: "logs.auditDays", from: "120", to: "180", does: "trail-group retentionInDays"},
	{field: "audit.dataEvents", from: "false", to: "true", does: "trail-trail advancedEventSelectors"},
	{field: "detection.malwareScan", from: "false", to: "true", does: "malware-plan create"},
	{field: "alerting.archiveDays", from: "4", to: "14", does: "alerts-archive messageRetentionSeconds"},
	{field: "costs.monthlyUsd", from: "150", to: "200", does: "costs-budget limitAmount"},
	{field: "identity.tokenMinutes", from: "15", to: "30", does: "app-client-client accessTokenValidity"},
	{field: "identity.threats", from: "off", to: "audit", does: "users-risk create"},
	{field: "response.mode", from: "notify", to: "approve", does: "response-approvals create"},
	{field: "response.evidenceDays", from: "30", to: "60", does: "evidence-lock rule.defaultRetention.days"},
	{field: "contacts.alternate.mode", from: "off", to: "manage", does: "contacts-security create"},
	{field: "backup.enabled", from: "false", to: "true", does: "backup-plan create"},
	{field: "functions.signing", from: "Warn", to: "Enforce", does: "signing-config policies.untrustedArtifactOnDeployment"},
	{field: "secrets.rotationDays", from: "30", to: "60", does: "db-user-rotation rotationRules.automaticallyAfterDays"},
	{field: "api.ratePerSecond", from: "50", to: "80", does: "api-settings settings.throttlingRateLimit"},
	{field: "api.routes[0].path", from: "/orders/{id}", to: "/orders/{order}", loses: map[string]string{
		"aws:apigateway/deployment:Deployment":   "a deployment is a snapshot of the routes: what changed goes live with a new one",
		"aws:apigateway/resource:Resource":       "another path is another resource",
		"aws:apigateway/method:Method":           "it stands under its path",
		"aws:apigateway/integration:Integration": "it belongs to its method",
	}},
	{field: "tags.owner", from: "platform-team", to: "payments-team"},
}

// A section without a row could replace the database and nobody would notice.
func TestEverySectionHasAChange(t *testing.T) {
	t.Parallel()
	changed := map[string]bool{}
	for _, c := range sectionChanges {
		changed[c.section()] = true
	}
	// The application's address is another name everywhere.
	changed["domain"] = true
	for i := range reflect.TypeFor[config.Config]().NumField() {
		field := reflect.TypeFor[config.Config]().Field(i)
		if kind := field.Type.Kind(); kind == reflect.Struct || kind == reflect.Map {
			require.True(t, changed[field.Tag.Get("json")], "section %s has no row in sectionChanges", field.Tag.Get("json"))
		}
	}
}

// A change of each configuration section on a deployed stack: it does something,
// and it replaces or deletes nothing that it need not. Those of which is known what
// they do share a preview. Those that may lose something have one each: what one of
// them loses must not excuse another.
func TestAChangeOfASectionReplacesNothing(t *testing.T) {
	t.Parallel()
	scratch := deployedDev(t)
	var together []sectionChange
	for _, c := range sectionChanges {
		if c.does != "" {
			require.Empty(t, c.loses, "%s may lose something: it has a preview of its own", c.field)
			together = append(together, c)
			continue
		}
		t.Run(c.field, func(t *testing.T) {
			requireLosses(t, previewOf(t, scratch, c), c.loses)
		})
	}
	t.Run("together", func(t *testing.T) {
		out := previewOf(t, scratch, together...)
		var missing []string
		for _, c := range together {
			if !slices.ContainsFunc(out.Changes, c.did) {
				missing = append(missing, c.field+" does not do "+c.does)
			}
		}
		require.Empty(t, missing, "of all that is done: %+v", out.Changes)
		requireLosses(t, out, nil)
	})
	// What went before was taken back.
	require.Empty(t, previewed(t, scratch).Changes)
}

// previewOf changes fields, previews, and changes them back.
func previewOf(t *testing.T, scratch *engine.Scratch, changes ...sectionChange) engine.Outcome {
	t.Helper()
	from, to := map[string]string{}, map[string]string{}
	for _, c := range changes {
		from[c.field], to[c.field] = c.from, c.to
	}
	set(t, scratch, to)
	out, err := scratch.Preview(t.Context(), &engine.Recorder{})
	set(t, scratch, from)
	require.NoError(t, err)
	require.Positive(t, out.Changed(), "it does nothing")
	return out
}

// did is true for what the change does.
func (c sectionChange) did(change engine.Change) bool {
	name, how, _ := strings.Cut(c.does, " ")
	if short(change.URN) != "redoubt-dev-"+name {
		return false
	}
	return change.Op == how || slices.ContainsFunc(change.Properties, func(path string) bool { return strings.Contains(path, how) })
}

// requireLosses wants resources of these types lost, and no others.
func requireLosses(t *testing.T, out engine.Outcome, reasons map[string]string) {
	t.Helper()
	lost, unexpected := map[string]bool{}, []engine.Change(nil)
	for _, change := range out.Changes {
		if !loses(change) {
			continue
		}
		lost[change.Type] = true
		if reasons[change.Type] == "" {
			unexpected = append(unexpected, change)
		}
	}
	require.Empty(t, unexpected, "it replaces or deletes what it need not")
	for token, why := range reasons {
		require.True(t, lost[token], "no %s is lost: the reason %q is out of date", token, why)
	}
}

// loses is true for an operation that ends with the resource, or its
// predecessor, gone.
func loses(c engine.Change) bool {
	return strings.Contains(c.Op, "replace") || c.Op == "delete"
}

func set(t *testing.T, scratch *engine.Scratch, fields map[string]string) {
	t.Helper()
	values := map[string]string{}
	for field, value := range fields {
		values[config.Project+":"+field] = value
	}
	require.NoError(t, scratch.Set(t.Context(), values))
}

// deployedDev is stack dev, deployed into an account of its own.
func deployedDev(t *testing.T) *engine.Scratch {
	t.Helper()
	account, err := rehearsal.Open("")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, account.Close()) })
	server, err := rehearsal.Serve(t.Context(), account, "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close()) })
	scratch, err := engine.NewScratch(t.Context(), engine.ScratchOptions{
		Project: "../..", Stack: "dev", Program: blueprint.DefenseInDepth.Program, Folders: blueprint.DefenseInDepth.Folders,
		Env: environment(server.Port()),
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, scratch.Close()) })
	set(t, scratch, baseline)
	_, err = scratch.Up(t.Context(), &engine.Recorder{})
	require.NoError(t, err)
	return scratch
}
