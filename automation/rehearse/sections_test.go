package rehearse

import (
	"reflect"
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
	{field: "network.endpoints", from: "none", to: "core"},
	{field: "network.nat", from: "single", to: "perAZ"},
	{field: "edge.rateLimit", from: "2000", to: "1500"},
	{field: "edge.tlsPolicy", from: "tls13-only", to: "pq"},
	{field: "edge.wafMode", from: "block", to: "count"},
	{field: "compute.memory", from: "512", to: "1024", loses: map[string]string{taskDefinition: revision}},
	{field: "compute.max", from: "2", to: "4"},
	{field: "database.maxAcu", from: "2", to: "4"},
	{field: "database.instances", from: "1", to: "2"},
	{field: "database.backupDays", from: "7", to: "14"},
	{field: "database.proxy", from: "false", to: "true", loses: map[string]string{taskDefinition: revision}},
	{field: "edge.loginRateLimit", from: "200", to: "100"},
	{field: "search.volumeGib", from: "10", to: "20"},
	{field: "search.dataNodes", from: "1", to: "2"},
	{field: "storage.forceDestroy", from: "true", to: "false"},
	{field: "keys.deletionWindowDays", from: "30", to: "7"},
	{field: "keys.rotationDays", from: "365", to: "180"},
	{field: "logs.applicationDays", from: "14", to: "30"},
	{field: "logs.flowDays", from: "7", to: "14"},
	{field: "logs.auditDays", from: "120", to: "180"},
	{field: "audit.dataEvents", from: "false", to: "true"},
	{field: "detection.malwareScan", from: "false", to: "true"},
	{field: "alerting.archiveDays", from: "4", to: "14"},
	{field: "costs.monthlyUsd", from: "150", to: "200"},
	{field: "identity.tokenMinutes", from: "15", to: "30"},
	{field: "identity.threats", from: "off", to: "audit"},
	{field: "response.mode", from: "notify", to: "approve"},
	{field: "response.evidenceDays", from: "30", to: "60"},
	{field: "contacts.alternate.mode", from: "off", to: "manage"},
	{field: "backup.enabled", from: "false", to: "true"},
	{field: "functions.signing", from: "Warn", to: "Enforce"},
	{field: "secrets.rotationDays", from: "30", to: "60"},
	{field: "api.ratePerSecond", from: "50", to: "80"},
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

// A change of each configuration section, one by one, on a deployed stack: it
// does something, and it replaces or deletes nothing that it need not.
func TestAChangeOfASectionReplacesNothing(t *testing.T) {
	t.Parallel()
	scratch := deployedDev(t)
	for _, c := range sectionChanges {
		t.Run(c.field, func(t *testing.T) {
			set(t, scratch, map[string]string{c.field: c.to})
			out, err := scratch.Preview(t.Context(), &engine.Recorder{})
			set(t, scratch, map[string]string{c.field: c.from})
			require.NoError(t, err)
			require.Positive(t, out.Changed(), "it does nothing")
			lost, unexpected := map[string]bool{}, []engine.Change(nil)
			for _, change := range out.Changes {
				if !loses(change) {
					continue
				}
				lost[change.Type] = true
				if c.loses[change.Type] == "" {
					unexpected = append(unexpected, change)
				}
			}
			require.Empty(t, unexpected, "it replaces or deletes what it need not")
			for token, why := range c.loses {
				require.True(t, lost[token], "no %s is lost: the reason %q is out of date", token, why)
			}
		})
	}
	// Each row was alone: what went before it was taken back.
	out, err := scratch.Preview(t.Context(), &engine.Recorder{})
	require.NoError(t, err)
	require.Empty(t, out.Changes)
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
