package workload_test

import (
	"fmt"
	"os"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/infra/data"
	"redoubt/infra/workload"
	"redoubt/infra/workload/functions/archive"
	"redoubt/internal/graphtest"
)

// Logs that reach the search domain as a document an event: the function, and
// the stream that calls it.
func ExampleNewLogSplitter() {
	// go run ./infra/workload/functions/pack writes the archive of the real one.
	dir, err := os.MkdirTemp("", "functions-")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { fmt.Println(os.RemoveAll(dir)) }()
	if _, err := archive.Write(dir, "split-logs", []byte("a ZIP archive")); err != nil {
		fmt.Println(err)
		return
	}
	graph, err := graphtest.Build(func(ctx *pulumi.Context) error {
		platform, err := newPlatform(ctx, dir)
		if err != nil {
			return err
		}
		split, err := workload.NewLogSplitter(ctx, "split", &workload.LogSplitterArgs{
			Platform: platform, StreamName: "redoubt-dev-logs", Concurrency: workload.Unreserved,
		})
		if err != nil {
			return err
		}
		key := pulumi.String(keyARN)
		_, err = data.NewLogIngestion(ctx, "logs", &data.LogIngestionArgs{
			Scope: scope, StreamName: "redoubt-dev-logs", IndexName: "logs", Splitter: split.Splitter(),
			Sources: []data.LogSource{{LogGroup: "/app/dev/web"}},
			// In a stack, what NewOpenSearch and NewBucket return.
			Domain:          &data.OpenSearch{DomainName: "redoubt-dev-search", DomainArn: scope.ARN("es", "domain/redoubt-dev-search"), AccessRoles: []string{"redoubt-dev-log-delivery"}},
			Backup:          &data.Bucket{Kind: data.Audit, PhysicalName: "redoubt-dev-audit", Scope: scope},
			BackupKmsKeyArn: key, BackupKeyAlias: "alias/redoubt-dev-audit",
			SubnetIDs: platform.SubnetIDs, SecurityGroupIDs: platform.SecurityGroupIDs,
			KmsKeyArn: key, LogKmsKeyArn: key, LogRetentionInDays: 30,
			RoleName: "redoubt-dev-log-delivery", SubscriptionRoleName: "redoubt-dev-log-subscription",
		})
		return err
	})
	stream := graph.Only("aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream")
	processor := "opensearchConfiguration.processingConfiguration.processors[0]"
	fmt.Println(stream.Input(processor+".type"), stream.Input(processor+".parameters[0].parameterValue"))
	fmt.Println(graph.Only(functionType).Input("environment.variables.STREAM_NAME"))
	fmt.Println(err)
	// Output:
	// Lambda arn:aws:lambda:eu-central-1:123456789012:function:redoubt-dev-split-logs:$LATEST
	// redoubt-dev-logs
	// <nil>
	// <nil>
}
