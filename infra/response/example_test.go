package response_test

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/infra/response"
	"redoubt/infra/singleton"
	"redoubt/internal/graphtest"
)

// A response that only analyses and tells: what it makes.
func ExampleNewResponder() {
	graph, err := graphtest.Build(func(ctx *pulumi.Context) error {
		_, err := response.NewResponder(ctx, "ir", &response.ResponderArgs{
			Scope: scope, Prefix: "redoubt-dev", Environment: "dev", Mode: response.Notify,
			SubscriberEmails: []string{"security@corp.test"}, LogGroupNames: []string{"/redoubt-dev/app"},
			EvidenceBucket: args().EvidenceBucket, ClusterName: "redoubt-dev", ServiceName: "app",
			DetectorID: pulumi.String("12abc34d567e8fa901bc2d34e56789f0"),
			KmsKeyArn:  pulumi.String(key), KeyAlias: "alias/redoubt-dev-messaging", LogKmsKeyArn: pulumi.String(key), LogRetentionInDays: 30,
		})
		return err
	})
	fmt.Print(graph.Tree())
	fmt.Println(err)
	// Output:
	// redoubt:response:Responder ir
	//   aws:cloudwatch/eventRule:EventRule ir-findings
	//   aws:cloudwatch/eventTarget:EventTarget ir-findings
	//   aws:cloudwatch/metricAlarm:MetricAlarm ir-failed
	//   aws:cloudwatch/metricAlarm:MetricAlarm ir-timed-out
	//   aws:cloudwatch/metricAlarm:MetricAlarm ir-undelivered
	//   aws:cloudwatch/queryDefinition:QueryDefinition ir-query-errors-and-denials
	//   aws:cloudwatch/queryDefinition:QueryDefinition ir-query-large-outbound-flows
	//   aws:cloudwatch/queryDefinition:QueryDefinition ir-query-rejected-flows
	//   aws:cloudwatch/queryDefinition:QueryDefinition ir-query-requests-by-address
	//   aws:dynamodb/table:Table ir-incidents
	//   aws:iam/policy:Policy ir-fences
	//   aws:iam/policy:Policy ir-operation
	//   aws:iam/policy:Policy ir-quarantine
	//   aws:iam/rolePolicyAttachment:RolePolicyAttachment ir-fences
	//   aws:iam/rolePolicyAttachment:RolePolicyAttachment ir-operation
	//   aws:sfn/stateMachine:StateMachine ir-machine
	//   aws:sns/topic:Topic ir-notices
	//   aws:sns/topicPolicy:TopicPolicy ir-notices
	//   aws:sns/topicSubscription:TopicSubscription ir-subscriber-0
	//   aws:sqs/queue:Queue ir-dead-letters
	//   aws:sqs/queuePolicy:QueuePolicy ir-dead-letters
	//   aws:ssm/parameter:Parameter ir-targets
	//   redoubt:identity:Role ir-machine
	//     aws:iam/role:Role ir-machine-role
	//     aws:iam/rolePolicy:RolePolicy ir-machine-respond
	//   redoubt:identity:Role ir-trigger
	//     aws:iam/role:Role ir-trigger-role
	//     aws:iam/rolePolicy:RolePolicy ir-trigger-start
	//   redoubt:monitoring:LogGroup ir-log
	//     aws:cloudwatch/logGroup:LogGroup ir-log
	// <nil>
}

// The runbooks as documents.
func ExampleNewRunbooks() {
	graph, err := graphtest.Build(func(ctx *pulumi.Context) error {
		_, err := response.NewRunbooks(ctx, "runbooks", &response.RunbooksArgs{Prefix: "redoubt-dev"})
		return err
	})
	fmt.Print(graph.Tree())
	fmt.Println(err)
	// Output:
	// redoubt:response:Runbooks runbooks
	//   aws:ssm/document:Document runbooks-aws-support
	//   aws:ssm/document:Document runbooks-forensics-team
	//   aws:ssm/document:Document runbooks-identify-scope
	//   aws:ssm/document:Document runbooks-improve-detection
	//   aws:ssm/document:Document runbooks-isolate-resources
	//   aws:ssm/document:Document runbooks-legal-team
	//   aws:ssm/document:Document runbooks-monitor-alerts
	//   aws:ssm/document:Document runbooks-restore-services
	//   aws:ssm/document:Document runbooks-review-response
	//   aws:ssm/document:Document runbooks-security-team
	//   aws:ssm/document:Document runbooks-soc-and-mssp
	//   aws:ssm/document:Document runbooks-train-team
	//   aws:ssm/document:Document runbooks-update-configurations
	//   aws:ssm/document:Document runbooks-update-procedures
	// <nil>
}

// A security contact for the account, and a provider that watches with us.
func ExampleNewContacts() {
	team := response.Person{Name: "Security", Title: "On-call", Email: "security@corp.test", Phone: "+49 30 901820"}
	graph, err := graphtest.Build(func(ctx *pulumi.Context) error {
		_, err := response.NewContacts(ctx, "contacts", &response.ContactsArgs{
			Scope: scope, Prefix: "redoubt-dev", Alternate: singleton.Singleton{Mode: singleton.Manage},
			Security: team, Operations: team, Billing: team,
			Readers: []response.Partner{{Name: "soc", AccountID: "210987654321", ExternalID: "agreed-with-soc-2026"}},
		})
		return err
	})
	fmt.Print(graph.Tree())
	fmt.Println(err)
	// Output:
	// redoubt:response:Contacts contacts
	//   aws:account/alternativeContact:AlternativeContact contacts-billing
	//   aws:account/alternativeContact:AlternativeContact contacts-operations
	//   aws:account/alternativeContact:AlternativeContact contacts-security
	//   redoubt:identity:Role contacts-soc
	//     aws:iam/role:Role contacts-soc-role
	//     aws:iam/rolePolicyAttachment:RolePolicyAttachment contacts-soc-SecurityAudit
	// <nil>
}

// The state machine is known, and can be run locally, before anything is deployed.
func ExampleDefinition() {
	m, err := response.Definition(args())
	if err != nil {
		fmt.Println(err)
		return
	}
	text, err := m.JSON()
	fmt.Println(m.StartAt, len(m.States) > 100, len(text) < 1<<20, err)
	// Output:
	// Normalise true true <nil>
}
