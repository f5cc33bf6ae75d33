package monitoring_test

import (
	"encoding/json"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"redoubt/infra/identity"
	"redoubt/infra/monitoring"
	"redoubt/internal/graphtest"
)

const (
	prefix       = "redoubt-dev"
	messagingKey = "arn:aws:kms:eu-central-1:123456789012:key/22222222-2222-4333-8444-555555555555"
)

var scope = identity.Scope{Partition: graphtest.Partition, Region: graphtest.Region, AccountID: graphtest.AccountID}

func topicsArgs() *monitoring.TopicsArgs {
	return &monitoring.TopicsArgs{
		Prefix: prefix, Scope: scope, KmsKeyArn: pulumi.String(messagingKey), ArchiveDays: 14,
		Channels: []monitoring.Channel{
			{Name: "security-team", Levels: []monitoring.Level{monitoring.High, monitoring.Medium}, Email: "security@redoubt.dev"},
			{Name: "pagerduty", Levels: []monitoring.Level{monitoring.High}, URL: pulumi.String("https://events.pagerduty.com/integration/0123/enqueue")},
		},
		Slack: &monitoring.Slack{TeamID: "T01234567", ChannelID: "C01234567", Levels: []monitoring.Level{monitoring.High, monitoring.Low}},
	}
}

func TestTopicsAreEncryptedAndDeliver(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, func(ctx *pulumi.Context) error {
		_, err := monitoring.NewTopics(ctx, "alerts", topicsArgs())
		return err
	})
	require.Len(t, g.ByType("aws:sns/topic:Topic"), 3)
	for _, topic := range g.ByType("aws:sns/topic:Topic") {
		require.Equal(t, messagingKey, topic.Input("kmsMasterKeyId"))
	}
	for _, queue := range g.ByType("aws:sqs/queue:Queue") {
		require.Equal(t, messagingKey, queue.Input("kmsMasterKeyId"))
	}
	pager := g.One("aws:sns/topicSubscription:TopicSubscription", "alerts-pagerduty-high")
	require.True(t, pager.Secret("endpoint"), "an integration's URL holds its key")
	require.Equal(t, "https", pager.Input("protocol"))
	require.Equal(t, `{"deadLetterTargetArn":"arn:aws:sqs:eu-central-1:123456789012:redoubt-dev-alert-dead-letters"}`, pager.Input("redrivePolicy"))
	var delivery struct {
		HealthyRetryPolicy struct{ NumRetries, NumNoDelayRetries, NumMinDelayRetries, NumMaxDelayRetries, MinDelayTarget, MaxDelayTarget int }
	}
	require.NoError(t, json.Unmarshal([]byte(pager.Input("deliveryPolicy").(string)), &delivery))
	retry := delivery.HealthyRetryPolicy
	require.LessOrEqual(t, retry.NumNoDelayRetries+retry.NumMinDelayRetries+retry.NumMaxDelayRetries, retry.NumRetries, "SNS refuses phases longer than the whole")
	require.LessOrEqual(t, retry.MinDelayTarget, retry.MaxDelayTarget)
	require.LessOrEqual(t, (retry.NumRetries-retry.NumNoDelayRetries-retry.NumMinDelayRetries)*retry.MaxDelayTarget, 3600, "SNS takes an hour at most")
	require.Len(t, g.ByType("aws:sns/topicSubscription:TopicSubscription"), 2+1+3, "mail for two levels, the pager, the archive of all")

	slack := g.Only("aws:chatbot/slackChannelConfiguration:SlackChannelConfiguration")
	require.Equal(t, true, slack.Input("userAuthorizationRequired"))
	require.Equal(t, []any{"arn:aws:iam::aws:policy/CloudWatchReadOnlyAccess"}, slack.Input("guardrailPolicyArns"))
	require.Len(t, slack.Input("snsTopicArns"), 2)
}

func TestTopicsWithoutOptions(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, func(ctx *pulumi.Context) error {
		args := topicsArgs()
		args.Slack, args.ArchiveDays = nil, 0
		args.Channels = []monitoring.Channel{{Name: "all", Levels: monitoring.Levels, Email: "a@redoubt.dev"}}
		_, err := monitoring.NewTopics(ctx, "alerts", args)
		return err
	})
	require.Empty(t, g.ByType("aws:chatbot/slackChannelConfiguration:SlackChannelConfiguration"))
	require.Equal(t, "redoubt-dev-alert-dead-letters", g.Only("aws:sqs/queue:Queue").Input("name"))
	require.Len(t, g.ByType("aws:sns/topicSubscription:TopicSubscription"), 3)
}

func TestTopicsReportEveryFinding(t *testing.T) {
	t.Parallel()
	url := pulumi.String("https://example.org")
	for _, tc := range []struct {
		name   string
		change func(*monitoring.TopicsArgs)
		want   []string
	}{
		{
			"empty", func(a *monitoring.TopicsArgs) { *a = monitoring.TopicsArgs{} },
			[]string{"prefix:", "scope.partition:", "scope.region:", "scope.accountId:", "kmsKeyArn:", "nobody hears of high alerts", "nobody hears of low alerts"},
		},
		{"a level that nobody hears", func(a *monitoring.TopicsArgs) { a.ArchiveDays, a.Slack = 0, nil }, []string{"nobody hears of low alerts"}},
		{"an archive that is too long", func(a *monitoring.TopicsArgs) { a.ArchiveDays = 15 }, []string{"archiveDays: 15"}},
		{"two ways in one channel", func(a *monitoring.TopicsArgs) { a.Channels[0].URL = url }, []string{"channels[0]: not exactly one of email and url"}},
		{"no way", func(a *monitoring.TopicsArgs) { a.Channels[1].URL = nil }, []string{"channels[1]: not exactly one"}},
		{"no address", func(a *monitoring.TopicsArgs) { a.Channels[0].Email = "security" }, []string{`channels[0].email: "security" is no address`}},
		{"same name", func(a *monitoring.TopicsArgs) { a.Channels[1].Name = "security-team" }, []string{"channels[1].name: \"security-team\" twice"}},
		{"no levels", func(a *monitoring.TopicsArgs) { a.Channels[1].Levels = nil }, []string{"channels[1].levels: empty"}},
		{"a level of its own", func(a *monitoring.TopicsArgs) { a.Channels[1].Levels = []monitoring.Level{"urgent"} }, []string{`"urgent" is not a level`}},
		{
			"slack's names instead of ids", func(a *monitoring.TopicsArgs) { a.Slack.TeamID, a.Slack.ChannelID = "acme", "#security-team" },
			[]string{"slack.teamId:", "slack.channelId:"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, err := graphtest.Build(func(ctx *pulumi.Context) error {
				args := topicsArgs()
				tc.change(args)
				_, err := monitoring.NewTopics(ctx, "alerts", args)
				return err
			})
			for _, want := range tc.want {
				require.ErrorContains(t, err, want)
			}
		})
	}
}
