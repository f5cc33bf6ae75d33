package monitoring

import (
	"encoding/json"
	"fmt"
	"net/mail"
	"regexp"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/chatbot"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sns"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/infra/identity"
)

// Channel is one way in which people hear of alerts. It has either an Email
// or a URL.
type Channel struct {
	// Name tells the channels apart, for example "security-team".
	Name string
	// Levels are what it receives.
	Levels []Level
	// Email is an address; its owner confirms the subscription once by mail.
	Email string
	// URL is an HTTPS endpoint that confirms by itself, such as PagerDuty's
	// for Amazon CloudWatch. It holds a key, so it is kept secret.
	URL pulumi.StringInput
}

// Slack is a Slack channel. Its ids are those in Slack's links.
type Slack struct {
	// TeamID is the workspace, "T…"; ChannelID the channel, "C…" or "G…".
	TeamID, ChannelID string
	// Levels are what it receives.
	Levels []Level
}

var (
	channelName  = regexp.MustCompile(`^[a-z][a-z0-9-]{0,30}$`)
	slackTeam    = regexp.MustCompile(`^T[A-Z0-9]{6,20}$`)
	slackChannel = regexp.MustCompile(`^[CG][A-Z0-9]{6,20}$`)
)

// httpsDelivery keeps trying an endpoint for most of an hour, where SNS's own
// policy gives up after a minute: an outage of the pager is no time to lose a
// page. An hour is the most that SNS takes.
// https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html
const httpsDelivery = `{"healthyRetryPolicy":{"backoffFunction":"exponential","maxDelayTarget":300,"minDelayTarget":5,"numMaxDelayRetries":5,"numMinDelayRetries":2,"numNoDelayRetries":2,"numRetries":15}}`

func (args *TopicsArgs) checkChannels(f *findings) {
	told, seen := map[Level]bool{}, map[string]bool{}
	levels := func(field string, levels []Level) {
		f.refuse(len(levels) == 0, field, "empty, the channel would hear nothing", "list high, medium or low")
		for _, l := range levels {
			f.refuse(!slices.Contains(Levels, l), field, fmt.Sprintf("%q is not a level", l), "high, medium or low")
			told[l] = true
		}
	}
	for i, ch := range args.Channels {
		at := fmt.Sprintf("channels[%d]", i)
		f.refuse(!channelName.MatchString(ch.Name), at+".name", fmt.Sprintf("%q", ch.Name), "1 to 31 lower-case letters, digits and hyphens, a letter first")
		f.refuse(seen[ch.Name], at+".name", fmt.Sprintf("%q twice", ch.Name), "give each channel its own name")
		seen[ch.Name] = true
		levels(at+".levels", ch.Levels)
		f.refuse((ch.Email == "") == (ch.URL == nil), at, "not exactly one of email and url", "set one; make two channels for both")
		if ch.Email != "" {
			parsed, err := mail.ParseAddress(ch.Email)
			f.refuse(err != nil || parsed.Address != ch.Email, at+".email", fmt.Sprintf("%q is no address", ch.Email), "for example security@your-company.org")
		}
	}
	if s := args.Slack; s != nil {
		f.refuse(!slackTeam.MatchString(s.TeamID), "slack.teamId", fmt.Sprintf("%q", s.TeamID), "the T… of the workspace")
		f.refuse(!slackChannel.MatchString(s.ChannelID), "slack.channelId", fmt.Sprintf("%q", s.ChannelID), "the C… or G… at the end of the channel's link")
		levels("slack.levels", s.Levels)
	}
	for _, l := range Levels {
		f.refuse(!told[l] && args.ArchiveDays == 0, "channels", fmt.Sprintf("nobody hears of %s alerts", l), "add a channel with that level, or set archiveDays")
	}
}

// subscribe tells the channels. What a channel does not take ends among the
// dead letters, over which an alarm watches.
func (c *Topics) subscribe(ctx *pulumi.Context, name string, args *TopicsArgs) error {
	redrive := c.DeadLetters.Arn.ApplyT(func(arn string) (string, error) {
		text, err := json.Marshal(map[string]string{"deadLetterTargetArn": arn})
		return string(text), err
	}).(pulumi.StringOutput)
	for _, ch := range args.Channels {
		for _, level := range ch.Levels {
			in := &sns.TopicSubscriptionArgs{Topic: c.arns[level], RedrivePolicy: redrive}
			if ch.Email != "" {
				in.Protocol, in.Endpoint = pulumi.String("email"), pulumi.String(ch.Email)
			} else {
				in.Protocol, in.EndpointAutoConfirms = pulumi.String("https"), pulumi.Bool(true)
				in.DeliveryPolicy = pulumi.String(httpsDelivery)
				in.Endpoint = pulumi.ToSecret(ch.URL).(pulumi.StringOutput)
			}
			if err := c.subscription(ctx, name+"-"+ch.Name+"-"+string(level), in); err != nil {
				return err
			}
		}
	}
	if c.Archive == nil {
		return nil
	}
	for _, level := range Levels {
		err := c.subscription(ctx, name+"-archive-"+string(level), &sns.TopicSubscriptionArgs{
			Topic: c.arns[level], Protocol: pulumi.String("sqs"), Endpoint: c.Archive.Arn, RedrivePolicy: redrive,
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *Topics) subscription(ctx *pulumi.Context, name string, in *sns.TopicSubscriptionArgs) error {
	_, err := sns.NewTopicSubscription(ctx, name, in, pulumi.Parent(c), pulumi.DependsOn(c.Ready))
	return err
}

// slack posts into the Slack channel. Its role and its guardrail read
// CloudWatch for the graphs in the messages and nothing else: people cannot
// run commands from Slack.
func (c *Topics) slack(ctx *pulumi.Context, name string, args *TopicsArgs) error {
	if args.Slack == nil {
		return nil
	}
	readMetrics := "arn:" + args.Scope.Partition + ":iam::aws:policy/CloudWatchReadOnlyAccess"
	role, err := identity.NewRole(ctx, name+"-slack", &identity.RoleArgs{
		RoleName: args.Prefix + "-alerts-slack", Description: "Draws the metrics' graphs in the alerts that Slack shows",
		Trust: identity.ServiceTrust("chatbot.amazonaws.com", args.Scope), ManagedPolicyARNs: []string{readMetrics},
		PermissionsBoundary: args.PermissionsBoundary, Tags: args.Tags,
	}, pulumi.Parent(c))
	if err != nil {
		return err
	}
	var topics pulumi.StringArray
	for _, level := range args.Slack.Levels {
		topics = append(topics, c.arns[level])
	}
	_, err = chatbot.NewSlackChannelConfiguration(ctx, name+"-slack-channel", &chatbot.SlackChannelConfigurationArgs{
		ConfigurationName:         pulumi.String(args.Prefix + "-alerts"),
		SlackTeamId:               pulumi.String(args.Slack.TeamID),
		SlackChannelId:            pulumi.String(args.Slack.ChannelID),
		IamRoleArn:                role.Arn,
		GuardrailPolicyArns:       pulumi.ToStringArray([]string{readMetrics}),
		UserAuthorizationRequired: pulumi.Bool(true),
		LoggingLevel:              pulumi.String("ERROR"),
		SnsTopicArns:              topics,
		Tags:                      tagged(args.Tags, args.Prefix+"-alerts"),
	}, pulumi.Parent(c), pulumi.DependsOn(append(slices.Clone(c.Ready), role.Rights...)))
	return err
}
