package data_test

import (
	"testing"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lambda"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"redoubt/infra/data"
	"redoubt/infra/identity"
	"redoubt/infra/monitoring"
	"redoubt/internal/graphtest"
)

const (
	streamType       = "aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream"
	subscriptionType = "aws:cloudwatch/logSubscriptionFilter:LogSubscriptionFilter"
	deliveryRole     = "redoubt-prod-log-delivery"
)

// ingestion delivers the application's and the firewall's logs to a domain.
func ingestion(change func(*data.LogIngestionArgs)) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		search := openSearchArgs()
		search.AccessRoleNames = append(search.AccessRoleNames, deliveryRole)
		domain, err := data.NewOpenSearch(ctx, "search", search)
		if err != nil {
			return err
		}
		audit, err := changedBucket(ctx, func(args *data.BucketArgs) error {
			args.Kind, args.BucketName = data.Audit, "redoubt-prod-audit"
			return nil
		})
		if err != nil {
			return err
		}
		group, err := monitoring.NewLogGroup(ctx, "app", &monitoring.LogGroupArgs{
			Name: "/redoubt-prod/app", KmsKeyArn: pulumi.String(keyARN), RetentionInDays: 30,
		})
		if err != nil {
			return err
		}
		mapping, err := lambda.NewInvocation(ctx, "mapping", &lambda.InvocationArgs{
			FunctionName: pulumi.String("redoubt-prod-bootstrap"), Input: pulumi.String("{}"),
		})
		if err != nil {
			return err
		}
		args := &data.LogIngestionArgs{
			Scope: scope, StreamName: "redoubt-prod-logs", Domain: domain, Mapped: []pulumi.Resource{mapping}, IndexName: "logs",
			Sources: []data.LogSource{
				{LogGroup: "/redoubt-prod/app", Group: group},
				{LogGroup: "aws-waf-logs-redoubt-prod", Pattern: `{ $.action = "BLOCK" }`},
			},
			SubnetIDs:        pulumi.ToStringArray([]string{"subnet-a", "subnet-b"}),
			SecurityGroupIDs: pulumi.ToStringArray([]string{"sg-delivery"}),
			KmsKeyArn:        pulumi.String(keyARN),
			Backup:           audit, BackupKmsKeyArn: pulumi.String(keyARN), BackupKeyAlias: "alias/redoubt-prod-logs",
			RoleName: deliveryRole, SubscriptionRoleName: "redoubt-prod-log-subscription",
			LogKmsKeyArn: pulumi.String(keyARN), LogRetentionInDays: 30,
		}
		change(args)
		_, err = data.NewLogIngestion(ctx, "logs-in", args)
		return err
	}
}

func asGiven(*data.LogIngestionArgs) {}

func TestLogsAreDeliveredToTheDomain(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, ingestion(asGiven))
	stream := g.Only(streamType)
	for field, want := range map[string]any{
		"name": "redoubt-prod-logs", "destination": "opensearch",
		"serverSideEncryption.keyType":                          "CUSTOMER_MANAGED_CMK",
		"serverSideEncryption.keyArn":                           keyARN,
		"opensearchConfiguration.indexName":                     "logs",
		"opensearchConfiguration.indexRotationPeriod":           "OneDay",
		"opensearchConfiguration.s3BackupMode":                  "FailedDocumentsOnly",
		"opensearchConfiguration.s3Configuration.kmsKeyArn":     keyARN,
		"opensearchConfiguration.vpcConfig.subnetIds[1]":        "subnet-b",
		"opensearchConfiguration.vpcConfig.securityGroupIds[0]": "sg-delivery",
	} {
		require.Equal(t, want, stream.Input(field), field)
	}
	require.Equal(t, g.Only(domainType), g.Refers(stream.Input("opensearchConfiguration.domainArn")))
	require.Equal(t, g.One("aws:s3/bucketV2:BucketV2", "data-bucket"), g.Refers(stream.Input("opensearchConfiguration.s3Configuration.bucketArn")))
	require.True(t, g.Depends(stream, g.One("aws:iam/rolePolicy:RolePolicy", "logs-in-delivery")), "Firehose checks the domain when it is made")

	all := graphtest.Run(t, ingestion(func(args *data.LogIngestionArgs) { args.AllDocuments, args.IndexRotation = true, "OneWeek" })).Only(streamType)
	require.Equal(t, "AllDocuments", all.Input("opensearchConfiguration.s3BackupMode"))
	require.Equal(t, "OneWeek", all.Input("opensearchConfiguration.indexRotationPeriod"))
}

func TestStreamLogsItsErrors(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, ingestion(asGiven))
	group, stream := g.One("aws:cloudwatch/logGroup:LogGroup", "logs-in-errors"), g.Only(streamType)
	require.Equal(t, "/aws/kinesisfirehose/redoubt-prod-logs", group.Input("name"))
	for path, name := range map[string]string{
		"opensearchConfiguration.cloudwatchLoggingOptions":                 "DestinationDelivery",
		"opensearchConfiguration.s3Configuration.cloudwatchLoggingOptions": "BackupDelivery",
	} {
		require.Equal(t, true, stream.Input(path+".enabled"), path)
		require.Equal(t, name, stream.Input(path+".logStreamName"), path)
		require.True(t, g.Depends(stream, g.One("aws:cloudwatch/logStream:LogStream", "logs-in-errors-"+name)))
	}
}

func TestBatchesAreUnpackedOrSplit(t *testing.T) {
	t.Parallel()
	const processors = "opensearchConfiguration.processingConfiguration.processors"
	plain := graphtest.Run(t, ingestion(asGiven)).Only(streamType)
	require.Len(t, plain.Input(processors), 1)
	require.Equal(t, "Decompression", plain.Input(processors+"[0].type"))

	const function = "arn:aws:lambda:eu-central-1:123456789012:function:redoubt-prod-split:1"
	g := graphtest.Run(t, ingestion(func(args *data.LogIngestionArgs) {
		args.Splitter = &data.LogSplitter{FunctionArn: pulumi.String(function), FunctionName: "redoubt-prod-split"}
	}))
	require.Len(t, g.Only(streamType).Input(processors), 1, "a stream that unpacks refuses what the function puts back")
	require.Equal(t, "Lambda", g.Only(streamType).Input(processors+"[0].type"))
	require.Equal(t, function, g.Only(streamType).Input(processors+"[0].parameters[0].parameterValue"))
	require.Equal(t, []string{"arn:aws:lambda:eu-central-1:123456789012:function:redoubt-prod-split:*"},
		statement(t, g.One("aws:iam/rolePolicy:RolePolicy", "logs-in-delivery"), "policy", "SplitBatches").Resources)
}

func TestSubscriptionsWaitForGroupAndRights(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, ingestion(asGiven))
	app, waf := g.One(subscriptionType, "logs-in-redoubt-prod-app"), g.One(subscriptionType, "logs-in-aws-waf-logs-redoubt-prod")
	require.Equal(t, "/redoubt-prod/app", app.Input("logGroup"))
	require.Equal(t, "", app.Input("filterPattern"))
	require.Equal(t, `{ $.action = "BLOCK" }`, waf.Input("filterPattern"))
	require.Equal(t, g.Only(streamType), g.Refers(app.Input("destinationArn")))
	require.True(t, g.Depends(app, g.One("aws:cloudwatch/logGroup:LogGroup", "app")))
	require.True(t, g.Depends(app, g.Only("aws:lambda/invocation:Invocation")), "before the role is mapped the domain refuses its documents")
	rights := g.One("aws:iam/rolePolicy:RolePolicy", "logs-in-subscription-put")
	require.True(t, g.Depends(app, rights), "CloudWatch Logs sends a test message first")
	require.Equal(t, []string{"arn:aws:firehose:eu-central-1:123456789012:deliverystream/redoubt-prod-logs"},
		statement(t, rights, "policy", "PutRecords").Resources)
	require.Contains(t, statement(t, g.One("aws:iam/role:Role", "logs-in-subscription-role"), "assumeRolePolicy", "AssumeRole").Conditions,
		identity.Condition{Test: "StringEquals", Key: "aws:SourceAccount", Values: []string{"123456789012"}})

	twice := graphtest.Run(t, ingestion(func(args *data.LogIngestionArgs) {
		args.Sources = []data.LogSource{{LogGroup: "/a", Pattern: "ERROR"}, {LogGroup: "/a", Pattern: "WARN"}}
	}))
	require.Equal(t, "redoubt-prod-logs-2", twice.One(subscriptionType, "logs-in-a-2").Input("name"))
}

func TestDeliveryRoleReachesItsOwnDomainAndBucket(t *testing.T) {
	t.Parallel()
	policy := graphtest.Run(t, ingestion(asGiven), graphtest.Preview()).One("aws:iam/rolePolicy:RolePolicy", "logs-in-delivery")
	write := statement(t, policy, "policy", "WriteDocuments")
	require.Equal(t, []string{"arn:aws:es:eu-central-1:123456789012:domain/redoubt-prod", "arn:aws:es:eu-central-1:123456789012:domain/redoubt-prod/*"}, write.Resources)
	require.NotContains(t, write.Actions, "es:ESHttpDelete")
	require.Equal(t, []string{"arn:aws:s3:::redoubt-prod-audit/redoubt-prod-logs/*", "arn:aws:s3:::redoubt-prod-audit/redoubt-prod-logs-errors/*"},
		statement(t, policy, "policy", "WriteBackup").Resources)
	require.Contains(t, statement(t, policy, "policy", "EncryptBackup").Conditions, identity.Condition{
		Test: "StringLike", Key: "kms:EncryptionContext:aws:s3:arn", Values: []string{"arn:aws:s3:::redoubt-prod-audit", "arn:aws:s3:::redoubt-prod-audit/*"},
	})
	require.Contains(t, statement(t, policy, "policy", "EncryptBackup").Conditions,
		identity.Condition{Test: "ForAnyValue:StringEquals", Key: "kms:ResourceAliases", Values: []string{"alias/redoubt-prod-logs"}})
	require.Equal(t, []identity.Condition{{Test: "StringEquals", Key: "aws:ResourceAccount", Values: []string{"123456789012"}}},
		statement(t, policy, "policy", "ManageInterfaces").Conditions)
}

func TestLogIngestionArgsFindings(t *testing.T) {
	t.Parallel()
	sources := func(groups ...string) func(*data.LogIngestionArgs) {
		return func(a *data.LogIngestionArgs) {
			a.Sources, a.NeverSubscribe = nil, []string{"/aws/lambda/redoubt-prod-bootstrap"}
			a.Splitter = &data.LogSplitter{FunctionArn: pulumi.String("arn"), FunctionName: "redoubt-prod-split"}
			for i, group := range groups {
				a.Sources = append(a.Sources, data.LogSource{LogGroup: group, Pattern: string(rune('a' + i))})
			}
		}
	}
	for want, change := range map[string]func(*data.LogIngestionArgs){
		"streamName: \"a b\"":                          func(a *data.LogIngestionArgs) { a.StreamName = "a b" },
		"indexName: \"Logs\"":                          func(a *data.LogIngestionArgs) { a.IndexName = "Logs" },
		"indexRotation: \"Daily\"":                     func(a *data.LogIngestionArgs) { a.IndexRotation = "Daily" },
		"subnetIds: nil":                               func(a *data.LogIngestionArgs) { a.SubnetIDs = nil },
		"securityGroupIds: nil":                        func(a *data.LogIngestionArgs) { a.SecurityGroupIDs = nil },
		"kmsKeyArn: nil":                               func(a *data.LogIngestionArgs) { a.KmsKeyArn = nil },
		"backupKmsKeyArn: nil":                         func(a *data.LogIngestionArgs) { a.BackupKmsKeyArn = nil },
		"backupKeyAlias: \"logs\"":                     func(a *data.LogIngestionArgs) { a.BackupKeyAlias = "logs" },
		"logKmsKeyArn: nil":                            func(a *data.LogIngestionArgs) { a.LogKmsKeyArn = nil },
		"logRetentionInDays: 31":                       func(a *data.LogIngestionArgs) { a.LogRetentionInDays = 31 },
		"roleName: empty":                              func(a *data.LogIngestionArgs) { a.RoleName = "" },
		"subscriptionRoleName: empty":                  func(a *data.LogIngestionArgs) { a.SubscriptionRoleName = "" },
		"splitter: without function":                   func(a *data.LogIngestionArgs) { a.Splitter = &data.LogSplitter{} },
		"domain: nil":                                  func(a *data.LogIngestionArgs) { a.Domain = nil },
		"does not admit \"another\"":                   func(a *data.LogIngestionArgs) { a.RoleName = "another" },
		"backup: nil":                                  func(a *data.LogIngestionArgs) { a.Backup = nil },
		"backup: a bucket of kind data":                func(a *data.LogIngestionArgs) { a.Backup = &data.Bucket{Kind: data.Data} },
		"sources: empty":                               sources(),
		"sources[0].logGroup: empty":                   sources(""),
		"streams log their errors":                     sources("/aws/kinesisfirehose/redoubt-prod-logs"),
		"slow and failed requests":                     sources("/aws/opensearch/redoubt-prod/search-slow"),
		"the splitter logs there":                      sources("/aws/lambda/redoubt-prod-split"),
		"neverSubscribe names it":                      sources("/aws/lambda/redoubt-prod-bootstrap"),
		"sources[2]: /a has more than 2 subscriptions": sources("/a", "/a", "/a"),
		"sources[1]: /a twice with the same pattern": func(a *data.LogIngestionArgs) {
			a.Sources = []data.LogSource{{LogGroup: "/a"}, {LogGroup: "/a"}}
		},
		"scope.accountId": func(a *data.LogIngestionArgs) { a.Scope.AccountID = "1" },
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			g, err := graphtest.Build(ingestion(change))
			require.ErrorContains(t, err, want)
			require.Empty(t, g.ByType(streamType))
		})
	}
}
