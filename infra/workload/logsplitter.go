package workload

import (
	"errors"
	"fmt"
	"regexp"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/guide"
	"redoubt/infra/data"
	"redoubt/infra/identity"
)

// LogSplitterComponent is what makes a document of each log event.
var LogSplitterComponent = guide.Component{
	Token: "redoubt:workload:LogSplitter",
	Serves: []guide.ID{
		guide.OverviewMonitoringOpenSearch,
		guide.ResponseDetectionReviewLogs,
		guide.ResponseAnalysisReviewAuditLogs,
	},
}

// LogSplitterArgs describes the function between a delivery stream and its
// search domain. Every field is required.
type LogSplitterArgs struct {
	Platform *FunctionPlatform
	// StreamName is the delivery stream's physical name: the function puts
	// events back into it, and may reach no other.
	StreamName string
	// Concurrency is the function's, as in FunctionArgs. Firehose calls it for
	// several buffers at a time, and after three calls that Lambda refuses it
	// sends the records to the backup: reserve 10 or more, or none.
	Concurrency int
}

// LogSplitter is a function that Firehose calls with batches of log events. It
// answers a batch of one with a document, and puts the events of a larger
// batch back into the stream, each as a batch of one. The documents have the
// fields @timestamp, id, owner, logGroup and logStream, and message, or fields
// if the line is a JSON object; see LogTemplate.
//
// Nothing but the role of the stream may call it: data.LogIngestion allows
// that role to, and in one account no permission on the function is needed
// beside it. A permission for firehose.amazonaws.com would open nothing:
// Firehose calls with the role and not as itself.
// https://docs.aws.amazon.com/firehose/latest/dev/controlling-access.html
type LogSplitter struct {
	pulumi.ResourceState

	Function *Function
}

const splitFunction = "split-logs"

// NewLogSplitter makes the function. The error joins every finding in args.
func NewLogSplitter(ctx *pulumi.Context, name string, args *LogSplitterArgs, opts ...pulumi.ResourceOption) (*LogSplitter, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("log splitter %q: %w", name, err)
	}
	c := &LogSplitter{}
	err := ctx.RegisterComponentResource(LogSplitterComponent.Token, name, c, opts...)
	if err != nil {
		return nil, fmt.Errorf("log splitter %q: register: %w", name, err)
	}
	if c.Function, err = NewFunction(ctx, name, args.function(), pulumi.Parent(c)); err != nil {
		return nil, fmt.Errorf("log splitter %q: %w", name, err)
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{"arn": c.Function.Arn})
}

// Splitter is the function as a delivery stream takes it. The ARN names
// $LATEST, because Firehose adds that to a bare one and Pulumi would see drift.
func (c *LogSplitter) Splitter() *data.LogSplitter {
	return &data.LogSplitter{FunctionArn: pulumi.Sprintf("%s:$LATEST", c.Function.Arn), FunctionName: c.Function.Name}
}

// LogTemplate is the template of the indices that the documents go into, those
// whose names match pattern. A field of each key that any program logs would
// soon be more than an index may have (1,000), and the first program's number
// would keep out another's text; a flat_object finds every key and is one field.
func LogTemplate(pattern string) map[string]any {
	of := func(kind string) map[string]any { return map[string]any{"type": kind} }
	return map[string]any{
		"index_patterns": []any{pattern},
		"template": map[string]any{"mappings": map[string]any{
			"dynamic": false,
			"properties": map[string]any{
				"@timestamp": of("date"), "id": of("keyword"), "owner": of("keyword"), "logGroup": of("keyword"), "logStream": of("keyword"),
				"message": of("text"), "fields": of("flat_object"),
			},
		}},
	}
}

func (args *LogSplitterArgs) function() *FunctionArgs {
	return &FunctionArgs{
		Platform: args.Platform, FunctionName: splitFunction, Program: splitFunction,
		Description: "Makes a document of each log event in " + args.StreamName,
		// A buffer of 1 MB unpacks to many times that, and Firehose waits for
		// five minutes at most.
		MemoryMiB: 512, TimeoutSeconds: 120, Concurrency: args.Concurrency,
		Variables: map[string]string{"STREAM_NAME": args.StreamName},
		Policies: map[string]identity.Document{"split": {{
			Sid: "PutBack", Effect: identity.Allow, Actions: []string{"firehose:PutRecordBatch"},
			Resources: []string{args.Platform.Scope.ARN("firehose", "deliverystream/"+args.StreamName)},
		}}},
	}
}

var deliveryStreamForm = regexp.MustCompile(`^[a-zA-Z0-9_.-]{1,64}$`)

func (args *LogSplitterArgs) validate() error {
	if args == nil {
		return errors.New("args: nil (pass &workload.LogSplitterArgs{…})")
	}
	var f findings
	if err := args.Platform.validate(); err != nil {
		f = append(f, err)
	}
	f.refuse(!deliveryStreamForm.MatchString(args.StreamName), "streamName: %q (1 to 64 letters, digits and _.-)", args.StreamName)
	f.concurrency(args.Concurrency)
	return f.err()
}
