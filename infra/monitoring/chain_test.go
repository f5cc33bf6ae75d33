package monitoring_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"redoubt/infra/data"
	"redoubt/infra/monitoring"
	"redoubt/internal/graphtest"
)

// messagingUsers are the services that the messaging key must admit.
var messagingUsers = []data.KeyUser{data.KeyForEvents, data.KeyForAlarms, data.KeyForTopics, data.KeyForCostAlerts, data.KeyForBudgets}

// deployAlerting makes everything that alerts, with a messaging key for the
// given services.
func deployAlerting(users []data.KeyUser) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		key, err := data.NewKey(ctx, "messaging", &data.KeyArgs{
			Scope: scope, Alias: prefix + "-messaging", Description: "Encrypts alerts", DeletionWindowInDays: 30, Users: users,
		})
		if err != nil {
			return err
		}
		args := topicsArgs()
		args.KmsKeyArn = key.Arn
		topics, err := monitoring.NewTopics(ctx, "alerts", args)
		if err != nil {
			return err
		}
		if _, err := monitoring.NewAlerts(ctx, "events", &monitoring.AlertsArgs{Prefix: prefix, Scope: scope, Topics: topics}); err != nil {
			return err
		}
		if _, err := monitoring.NewMetricFilters(ctx, "filters", &monitoring.MetricFiltersArgs{Prefix: prefix, Scope: scope, Topics: topics, Groups: groups()}); err != nil {
			return err
		}
		if _, err := monitoring.NewWorkloadAlarms(ctx, "alarms", &monitoring.WorkloadAlarmsArgs{Prefix: prefix, Scope: scope, Topics: topics, Workload: everything(), FlowLogsCounted: true}); err != nil {
			return err
		}
		_, err = monitoring.NewCosts(ctx, "costs", &monitoring.CostsArgs{Prefix: prefix, Scope: scope, Topics: topics, Monitor: manage, AnomalyUSD: 100, MonthlyUSD: 150})
		return err
	}
}

// publication is a message on its way: who sends it, for what, to which topic
// or queue.
type publication struct {
	by, sender, to string
	keys           map[string]string
}

// publications are all that the stack can send.
func publications(g *graphtest.Graph) []publication {
	account := map[string]string{"aws:SourceAccount": graphtest.AccountID}
	from := func(arn any) map[string]string {
		return map[string]string{"aws:SourceAccount": graphtest.AccountID, "aws:SourceArn": fmt.Sprint(arn)}
	}
	var out []publication
	each := func(list any, add func(string)) {
		values, _ := list.([]any)
		for _, v := range values {
			add(v.(string))
		}
	}
	for _, r := range g.Resources {
		switch r.Type {
		case "aws:cloudwatch/eventTarget:EventTarget":
			rule := scope.ARN("events", "rule/"+r.Input("rule").(string))
			// EventBridge says nothing about itself to topics and keys.
			out = append(out, publication{"events.amazonaws.com", r.Name, r.Input("arn").(string), nil},
				publication{"events.amazonaws.com", r.Name + " dead letter", r.Input("deadLetterConfig.arn").(string), map[string]string{"aws:SourceArn": rule}})
		case "aws:cloudwatch/metricAlarm:MetricAlarm", "aws:cloudwatch/compositeAlarm:CompositeAlarm":
			for _, when := range []string{"alarmActions", "okActions"} {
				each(r.Input(when), func(topic string) {
					out = append(out, publication{"cloudwatch.amazonaws.com", r.Name, topic, from(scope.ARN("cloudwatch", "alarm:x"))})
				})
			}
		case "aws:costexplorer/anomalySubscription:AnomalySubscription":
			out = append(out, publication{"costalerts.amazonaws.com", r.Name, r.Input("subscribers[0].address").(string), account})
		case "aws:budgets/budget:Budget":
			each(r.Input("notifications[0].subscriberSnsTopicArns"), func(topic string) {
				out = append(out, publication{"budgets.amazonaws.com", r.Name, topic, from(scope.GlobalARN("budgets", "budget/x"))})
			})
		case "aws:sns/topicSubscription:TopicSubscription":
			topic := r.Input("topic")
			redrive := r.Input("redrivePolicy").(string)
			queue := strings.TrimSuffix(redrive[strings.Index(redrive, "arn:"):], `"}`)
			out = append(out, publication{"sns.amazonaws.com", r.Name + " dead letter", queue, from(topic)})
			if r.Input("protocol") == "sqs" {
				out = append(out, publication{"sns.amazonaws.com", r.Name, r.Input("endpoint").(string), from(topic)})
			}
		}
	}
	return out
}

// lost returns the messages that would be lost in silence, and why.
func lost(t *testing.T, g *graphtest.Graph) []string {
	t.Helper()
	var out []string
	for _, p := range publications(g) {
		target := g.Refers(p.to)
		require.NotNil(t, target, "%s sends to %s, which nobody made", p.sender, p.to)
		policy, action := "", "sns:Publish"
		for _, r := range g.Resources {
			switch {
			case r.Type == "aws:sns/topicPolicy:TopicPolicy" && r.Input("arn") == p.to:
				policy = r.Input("policy").(string)
			case r.Type == "aws:sqs/queuePolicy:QueuePolicy" && r.Input("queueUrl") == target.Output("url"):
				policy, action = r.Input("policy").(string), "sqs:SendMessage"
			}
		}
		if !allowed(t, policy, p, action, p.to) {
			out = append(out, fmt.Sprintf("%s: %s does not take it from %s", p.sender, target.Name, p.by))
		}
		key := g.Refers(target.Input("kmsMasterKeyId"))
		require.NotNil(t, key, "%s is not encrypted with a key of ours", target.Name)
		for _, use := range []string{"kms:Decrypt", "kms:GenerateDataKey"} {
			if !allowed(t, key.Input("policy").(string), p, use, key.Output("arn").(string)) {
				out = append(out, fmt.Sprintf("%s: the key does not let %s %s", p.sender, p.by, use))
			}
		}
	}
	return out
}

// Every alarm, rule, subscription and budget, to its topic or queue, to the
// policy and to the key: a gap anywhere loses alerts and tells nobody.
func TestNoAlertIsLost(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, deployAlerting(messagingUsers))
	require.Greater(t, len(publications(g)), 80)
	require.Empty(t, lost(t, g))
}

// The walk is able to find gaps: without any one of the services in the key's
// policy there is one.
func TestAGapInTheKeyPolicyIsFound(t *testing.T) {
	t.Parallel()
	for i, missing := range messagingUsers {
		t.Run(string(missing), func(t *testing.T) {
			t.Parallel()
			users := append(append([]data.KeyUser{}, messagingUsers[:i]...), messagingUsers[i+1:]...)
			found := lost(t, graphtest.Run(t, deployAlerting(users)))
			require.NotEmpty(t, found)
			for _, gap := range found {
				require.Contains(t, gap, "the key does not let "+string(missing)+".amazonaws.com")
			}
		})
	}
}

// What may be published is decided by the policy before anything publishes.
func TestPublishersWaitForThePolicies(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, deployAlerting(messagingUsers))
	policies := g.ByType("aws:sns/topicPolicy:TopicPolicy")
	require.Len(t, policies, 3)
	for _, typ := range []string{
		"aws:cloudwatch/eventTarget:EventTarget", "aws:cloudwatch/metricAlarm:MetricAlarm", "aws:cloudwatch/compositeAlarm:CompositeAlarm",
		"aws:budgets/budget:Budget", "aws:costexplorer/anomalySubscription:AnomalySubscription",
	} {
		require.NotEmpty(t, g.ByType(typ))
		for _, r := range g.ByType(typ) {
			for _, p := range policies {
				require.True(t, g.Depends(r, p), "%s on %s", r.Name, p.Name)
			}
		}
	}
}
