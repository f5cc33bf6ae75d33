package stack_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"redoubt/infra/config"
	"redoubt/infra/stack"
	"redoubt/internal/graphtest"
)

// modes is a row of the table of singletons: what dev needs to set so that each
// mode is valid, and what managing it makes.
type modes struct {
	// id is the existing one's, where adopting does not look it up.
	id string
	// manage, adopt and off are what else is set, by path, as JSON.
	manage, adopt, off map[string]string
	// makes are types that managing makes, and nothing else in dev does.
	makes []string
}

var (
	noFindings = map[string]string{"response.mode": `"off"`, "response.gameDay": "false"}
	noEvents   = map[string]string{"alerting.accountEvents": "false"}
	// noAnalyzer is for what makes one itself.
	noAnalyzer  = map[string]string{"identity.externalAnalyzer": `{"mode":"off"}`, "identity.externalAnalyzerElsewhere": `{"mode":"off"}`}
	withBackup  = map[string]string{"backup.enabled": "true"}
	contactsSet = map[string]string{
		"contacts.security":   `{"name":"Security Team","title":"On-call","email":"security@acme.test","phone":"+49 30 901820"}`,
		"contacts.operations": `{"name":"Platform Team","title":"On-call","email":"platform@acme.test","phone":"+49 30 901821"}`,
		"contacts.billing":    `{"name":"Finance Team","title":"Billing","email":"billing@acme.test","phone":"+49 30 901822"}`,
	}
)

// singletons is every field of the configuration that is managed, adopted or off.
var singletons = map[string]modes{
	"audit.trail":                        {id: "acme-trail", off: noEvents, makes: []string{"aws:cloudtrail/trail:Trail"}},
	"edge.shield.subscription":           {manage: map[string]string{"edge.shield.acknowledgeAnnualCommitment": `"USD-3000-per-month-12-months"`}, makes: []string{"aws:shield/subscription:Subscription"}},
	"detection.guardDuty":                {off: noFindings, makes: []string{"aws:guardduty/detector:Detector", "aws:guardduty/detectorFeature:DetectorFeature"}},
	"detection.securityHub":              {makes: []string{"aws:securityhub/account:Account"}},
	"detection.config":                   {makes: []string{"aws:cfg/recorder:Recorder", "aws:cfg/deliveryChannel:DeliveryChannel"}},
	"detection.inspector":                {manage: map[string]string{"detection.inspected": `["ECR"]`}, makes: []string{"aws:inspector2/enabler:Enabler"}},
	"detection.macie":                    {makes: []string{"aws:macie2/account:Account"}},
	"costs.monitor":                      {id: "arn:aws:ce::123456789012:anomalymonitor/6b1d1d32-8ad6-4c3c-8e0b-2f0a8f6f7c10", makes: []string{"aws:costexplorer/anomalyMonitor:AnomalyMonitor"}},
	"identity.passwordPolicy":            {makes: []string{"aws:iam/accountPasswordPolicy:AccountPasswordPolicy"}},
	"identity.tokenPreferences":          {makes: []string{"aws:iam/securityTokenServicePreferences:SecurityTokenServicePreferences"}},
	"identity.accountGuards":             {makes: []string{"aws:s3/accountPublicAccessBlock:AccountPublicAccessBlock", "aws:ebs/encryptionByDefault:EncryptionByDefault"}},
	"identity.externalAnalyzer":          {id: "acme-external", manage: noAnalyzer, adopt: noAnalyzer, off: noAnalyzer, makes: []string{"aws:accessanalyzer/analyzer:Analyzer"}},
	"identity.externalAnalyzerElsewhere": {manage: noAnalyzer, adopt: noAnalyzer, off: noAnalyzer, makes: []string{"aws:accessanalyzer/analyzer:Analyzer"}},
	"identity.unusedAnalyzer":            {id: "acme-unused", manage: noAnalyzer, adopt: noAnalyzer, off: noAnalyzer, makes: []string{"aws:accessanalyzer/analyzer:Analyzer"}},
	"contacts.alternate":                 {manage: contactsSet, makes: []string{"aws:account/alternativeContact:AlternativeContact"}},
	"api.account":                        {off: map[string]string{"api.routes": "[]"}, makes: []string{"aws:apigateway/account:Account"}},
	"backup.regionSettings":              {manage: withBackup, adopt: withBackup, off: withBackup, makes: []string{"aws:backup/regionSettings:RegionSettings"}},
}

// put sets a path of the configuration to a JSON value.
func (s settings) put(t *testing.T, path, value string) {
	t.Helper()
	section, inner, _ := strings.Cut(path, ".")
	object := map[string]any{}
	if text, ok := s["redoubt:"+section]; ok {
		require.NoError(t, json.Unmarshal([]byte(text), &object))
	}
	at := object
	names := strings.Split(inner, ".")
	for _, name := range names[:len(names)-1] {
		next, ok := at[name].(map[string]any)
		if !ok {
			next = map[string]any{}
			at[name] = next
		}
		at = next
	}
	at[names[len(names)-1]] = json.RawMessage(value)
	text, err := json.Marshal(object)
	require.NoError(t, err)
	s["redoubt:"+section] = string(text)
}

func deploy(t *testing.T, values settings, opts ...graphtest.Option) (*graphtest.Graph, error) {
	t.Helper()
	c, err := stack.Load(values, nil)
	require.NoError(t, err)
	return graphtest.Build(func(ctx *pulumi.Context) error {
		_, err := stack.Deploy(ctx, c)
		return err
	}, opts...)
}

var detectorThere = graphtest.Answer("aws:guardduty/getDetector:getDetector", map[string]any{"id": "12abc34d567e8fa901bc2d34e56789f0"})

// Each singleton in each mode, for itself: managing makes it and claims it,
// the other modes do neither.
func TestEverySingletonInEveryMode(t *testing.T) {
	t.Parallel()
	require.Len(t, singletons, len(config.Singletons()))
	for _, field := range config.Singletons() {
		row, ok := singletons[field]
		require.True(t, ok, "%s has no row", field)
		for mode, more := range map[string]map[string]string{"manage": row.manage, "adopt": row.adopt, "off": row.off} {
			t.Run(field+"/"+mode, func(t *testing.T) {
				t.Parallel()
				values, _ := committed(t, "dev")
				for path, value := range more {
					values.put(t, path, value)
				}
				values.put(t, field, `{"mode":"`+mode+`"}`)
				if mode == "adopt" && row.id != "" {
					values.put(t, field, `{"mode":"adopt","id":"`+row.id+`"}`)
				}
				g, err := deploy(t, values, detectorThere)
				require.NoError(t, err)
				made := map[string]bool{}
				claims := map[any]bool{}
				for _, r := range g.Resources {
					made[r.Type] = true
					if r.Type == parameterType {
						claims[r.Inputs["name"].V] = true
					}
				}
				for _, token := range row.makes {
					require.Equal(t, mode == "manage", made[token], token)
				}
				require.Equal(t, mode == "manage" && field != "audit.trail", claims["/redoubt/account/"+field])
			})
		}
	}
}

const parameterType = "aws:ssm/parameter:Parameter"

// What cannot be taken back needs a sentence that says so.
func TestNothingIrrevocableWithoutAcknowledgement(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]struct{ value, finding string }{
		"edge.shield.subscription": {`{"mode":"manage"}`, "redoubt:edge.shield.acknowledgeAnnualCommitment: a subscription costs USD 3,000 a month and cannot be cancelled for a year"},
		"backup.lock":              {`"compliance"`, "redoubt:backup.acknowledgeCompliance: nobody, AWS included, takes a compliance lock off"},
		"storage.auditLock":        {`"compliance"`, "redoubt:storage.acknowledgeCompliance: nobody, AWS included, could delete an object"},
	} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			values, _ := committed(t, "prod")
			values.put(t, path, want.value)
			_, err := stack.Load(values, nil)
			require.ErrorContains(t, err, want.finding)
		})
	}
	for _, name := range []string{"dev", "prod"} {
		g := graph(t, name)
		require.Empty(t, g.ByType("aws:shield/subscription:Subscription"))
		for _, r := range g.ByType("aws:s3/bucketObjectLockConfigurationV2:BucketObjectLockConfigurationV2") {
			require.Equal(t, "GOVERNANCE", r.Input("rule.defaultRetention.mode"))
		}
		for _, r := range g.ByType("aws:backup/vaultLockConfiguration:VaultLockConfiguration") {
			require.Nil(t, r.Inputs["changeableForDays"].V, "with it a lock is for ever")
		}
	}
}

// claimsBy answers as an account does in which a stack has made its claims.
func claimsBy(prefix string, fields ...string) graphtest.Option {
	names, values := []any{}, []any{}
	for _, f := range fields {
		names, values = append(names, "/redoubt/account/"+f), append(values, prefix)
	}
	return graphtest.Answer("aws:ssm/getParametersByPath:getParametersByPath", map[string]any{
		"id": "/redoubt/account", "names": names, "values": values, "arns": []any{}, "types": []any{},
	})
}

// All that another stack makes is said at once; what this stack has claimed
// itself is no news.
func TestClaimsOfANeighbour(t *testing.T) {
	t.Parallel()
	values, _ := committed(t, "dev")
	_, err := deploy(t, values, claimsBy("acme-prod", "detection.guardDuty", "alerting.accountEvents", "detection.macie"))
	var found config.Findings
	require.ErrorAs(t, err, &found)
	require.Len(t, found, 2, "dev has no Macie: %v", err)
	require.ErrorContains(t, err, "redoubt:detection.guardDuty: stack acme-prod makes it for the whole account already ({mode: adopt} here, or there first; docs/neighbours.md)")
	require.ErrorContains(t, err, "redoubt:alerting.accountEvents: stack acme-prod makes it for the whole account already (false here, or there first; docs/neighbours.md)")

	_, err = deploy(t, values, claimsBy("redoubt-dev", "detection.guardDuty", "alerting.accountEvents"))
	require.NoError(t, err)
}

// The service-linked role is made where it is missing, and declared by the
// stack that made it as long as it lives.
func TestTheSearchRoleIsMadeOnce(t *testing.T) {
	t.Parallel()
	there := graphtest.Answer("aws:iam/getRoles:getRoles", map[string]any{
		"id": "eu-central-1", "names": []any{"AWSServiceRoleForAmazonOpenSearchService"},
		"arns": []any{"arn:aws:iam::123456789012:role/aws-service-role/opensearchservice.amazonaws.com/AWSServiceRoleForAmazonOpenSearchService"},
	})
	rows := map[string]struct {
		opts []graphtest.Option
		want int
	}{
		"missing":       {nil, 1},
		"there":         {[]graphtest.Option{there}, 0},
		"ours":          {[]graphtest.Option{there, claimsBy("redoubt-dev", config.SearchRole)}, 1},
		"a neighbour's": {[]graphtest.Option{there, claimsBy("acme-prod", config.SearchRole)}, 0},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			values, _ := committed(t, "dev")
			g, err := deploy(t, values, row.opts...)
			require.NoError(t, err)
			require.Len(t, g.ByType("aws:iam/serviceLinkedRole:ServiceLinkedRole"), row.want)
			claimed := 0
			for _, r := range g.ByType(parameterType) {
				if r.Input("name") == "/redoubt/account/"+config.SearchRole {
					claimed++
				}
			}
			require.Equal(t, row.want, claimed)
		})
	}
}

// A stack that leaves the account's events to another does not count them in
// the trail's log either.
func TestAccountEventsAreCountedOnce(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]bool{"true": true, "false": false} {
		values, _ := committed(t, "dev")
		values.put(t, "alerting.accountEvents", value)
		values["redoubt:audit"] = `{"trail":{"mode":"adopt","id":"acme-trail"},"trailLogGroup":"/acme/trail"}`
		g, err := deploy(t, values)
		require.NoError(t, err)
		counted := false
		for _, r := range g.ByType("aws:cloudwatch/logMetricFilter:LogMetricFilter") {
			counted = counted || r.Input("logGroupName") == "/acme/trail"
		}
		require.Equal(t, want, counted)
	}
}

// An account's stack claims what the account has one of; its workloads claim
// nothing, so that there can be any number of them.
func TestClaimsOfLayers(t *testing.T) {
	t.Parallel()
	for layer, want := range map[string]int{"account": 15, "workload": 0} {
		values, _ := committed(t, "prod")
		values["redoubt:layer"], values["redoubt:identity"], values["redoubt:api"] = layer, "{}", "{}"
		if layer == "workload" {
			values["redoubt:contacts"] = "{}"
		}
		g, err := deploy(t, values, detectorThere)
		require.NoError(t, err)
		claims := 0
		for _, r := range g.ByType(parameterType) {
			if strings.HasPrefix(r.Input("name").(string), "/redoubt/account/") {
				claims++
				require.Equal(t, "redoubt-account", r.Input("insecureValue"))
			}
		}
		require.Equal(t, want, claims, layer)
	}
}
