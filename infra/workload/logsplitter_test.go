package workload_test

import (
	"encoding/json"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"redoubt/infra/workload"
	"redoubt/infra/workload/functions/search-bootstrap/search"
	"redoubt/internal/graphtest"
)

func splitter(t *testing.T, change func(*workload.LogSplitterArgs)) pulumi.RunFunc {
	t.Helper()
	dir := archives(t)
	return func(ctx *pulumi.Context) error {
		p, err := newPlatform(ctx, dir)
		if err != nil {
			return err
		}
		args := &workload.LogSplitterArgs{Platform: p, StreamName: "redoubt-dev-logs", Concurrency: 10}
		change(args)
		_, err = workload.NewLogSplitter(ctx, "split", args)
		return err
	}
}

func TestLogSplitterReachesItsStreamAlone(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, splitter(t, func(*workload.LogSplitterArgs) {}), graphtest.Preview())
	fn := g.Only(functionType)
	require.Equal(t, "redoubt-dev-split-logs", fn.Input("name"))
	require.Equal(t, map[string]any{"STREAM_NAME": "redoubt-dev-logs"}, fn.Input("environment.variables"))
	require.EqualValues(t, 10, fn.Input("reservedConcurrentExecutions"))
	require.Equal(t, keyARN, fn.Input("kmsKeyArn"))
	require.True(t, fn.Has("codeSigningConfigArn"))
	require.LessOrEqual(t, fn.Input("timeout"), 300.0, "Firehose waits for five minutes")

	split := policy(t, g, "split-split")
	require.Len(t, split, 1)
	require.Equal(t, []string{"firehose:PutRecordBatch"}, split["PutBack"].Actions)
	require.Equal(t, []string{"arn:aws:firehose:eu-central-1:123456789012:deliverystream/redoubt-dev-logs"}, split["PutBack"].Resources)
	require.Empty(t, g.ByType("aws:lambda/permission:Permission"), "the stream's role calls it, nobody else")
}

func TestLogSplitterOptions(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, splitter(t, func(a *workload.LogSplitterArgs) {
		a.StreamName, a.Concurrency = "others", workload.Unreserved
	}))
	require.Equal(t, "others", g.Only(functionType).Input("environment.variables.STREAM_NAME"))
	require.EqualValues(t, -1, g.Only(functionType).Input("reservedConcurrentExecutions"))
	require.Equal(t, []string{scope.ARN("firehose", "deliverystream/others")}, policy(t, g, "split-split")["PutBack"].Resources)
}

func TestLogSplitterFindings(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(*workload.LogSplitterArgs){
		"platform: nil":       func(a *workload.LogSplitterArgs) { a.Platform = nil },
		"streamName: \"a/*\"": func(a *workload.LogSplitterArgs) { a.StreamName = "a/*" },
		"concurrency: 0":      func(a *workload.LogSplitterArgs) { a.Concurrency = 0 },
		"not built":           func(a *workload.LogSplitterArgs) { a.Platform.ArchiveDir = t.TempDir() },
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			g, err := graphtest.Build(splitter(t, change))
			require.ErrorContains(t, err, want)
			require.Empty(t, g.ByType(functionType))
		})
	}
	_, err := graphtest.Build(func(ctx *pulumi.Context) error {
		_, err := workload.NewLogSplitter(ctx, "split", nil)
		return err
	})
	require.ErrorContains(t, err, "args: nil")
}

// The set-up function must understand the template.
func TestLogTemplateIsOne(t *testing.T) {
	t.Parallel()
	body, err := json.Marshal(workload.LogTemplate("logs-*"))
	require.NoError(t, err)
	require.NoError(t, search.Setup{Templates: map[string]json.RawMessage{"logs": body}}.Validate())
	require.JSONEq(t, `{"index_patterns":["logs-*"],"template":{"mappings":{"dynamic":false,"properties":{
		"@timestamp":{"type":"date"},"id":{"type":"keyword"},"owner":{"type":"keyword"},"logGroup":{"type":"keyword"},"logStream":{"type":"keyword"},
		"message":{"type":"text"},"fields":{"type":"flat_object"}}}}}`, string(body))
}
