package monitoring

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// alarmMetrics is how many metrics an alarm's expression may combine.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
const alarmMetrics = 10

// watchDelivery watches the watchers: an alert that is lost is lost in
// silence (aws-blocks#336, landing-zone-accelerator-on-aws#407).
func (c *Alerts) watchDelivery(ctx *pulumi.Context, name string, args *AlertsArgs) error {
	for _, a := range c.deliveryAlarms(args.Prefix) {
		_, err := a.register(ctx, name+"-"+a.name, args.Prefix+"-"+a.name, nil, args.Topics.Arn(a.level), args.Tags,
			pulumi.Parent(c), pulumi.DependsOn(args.Topics.Ready))
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *Alerts) deliveryAlarms(prefix string) []alarm {
	out := []alarm{{
		name: "alert-dead-letters", level: High,
		about:  "Alerts could not be delivered and wait in the queue " + prefix + "-alert-dead-letters. Read them there; check the topics' and the key's policies.",
		metric: series{"AWS/SQS", "ApproximateNumberOfMessagesVisible", "Maximum", map[string]string{"QueueName": prefix + "-alert-dead-letters"}},
		period: 300, threshold: 1,
	}, {
		name: "alert-self-test", level: High,
		about:  "No self-test event matched its rule for a day: the alert path, or the schedule that tests it, is broken.",
		metric: series{"AWS/Events", "TriggeredRules", "Sum", map[string]string{"RuleName": ruleName(prefix, selfTestRule)}},
		period: 86400, threshold: 1, under: true, silent: true,
	}}
	out = append(out, undelivered(prefix)...)
	chunk := 0
	for rules := range slices.Chunk(c.RuleNames, alarmMetrics) {
		chunk++
		out = append(out, failedInvocations(chunk, rules))
	}
	return out
}

// undelivered watches each topic's subscriptions and tells another topic.
func undelivered(prefix string) []alarm {
	var out []alarm
	for i, level := range Levels {
		out = append(out, alarm{
			name: "alert-undelivered-" + string(level), level: Levels[(i+1)%len(Levels)],
			about:  "A subscription of " + TopicName(prefix, level) + " did not take a message. See which in the topic's delivery metrics.",
			metric: series{"AWS/SNS", "NumberOfNotificationsFailed", "Sum", map[string]string{"TopicName": TopicName(prefix, level)}},
			period: 300, threshold: 1,
		})
	}
	return out
}

// failedInvocations adds up what several rules could not hand over. FILL makes
// rules without events count as none.
func failedInvocations(chunk int, rules []string) alarm {
	a := alarm{
		name: fmt.Sprintf("alert-rules-failed-%d", chunk), level: High,
		about:  "EventBridge could not hand an alert to its topic, for one of the rules " + strings.Join(rules, ", ") + ".",
		parts:  map[string]series{},
		period: 300, threshold: 1,
	}
	var terms []string
	for i, rule := range rules {
		id := fmt.Sprintf("m%d", i)
		a.parts[id] = series{"AWS/Events", "FailedInvocations", "Sum", map[string]string{"RuleName": rule}}
		terms = append(terms, "FILL("+id+", 0)")
	}
	a.expression = strings.Join(terms, " + ")
	return a
}
