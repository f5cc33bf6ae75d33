package stack_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/internal/graphtest"
)

const subscription = "aws:cloudwatch/logSubscriptionFilter:LogSubscriptionFilter"

// delivered are the subscribed groups with their patterns.
func delivered(g *graphtest.Graph) map[string]any {
	out := map[string]any{}
	for _, s := range g.ByType(subscription) {
		out[s.Input("logGroup").(string)] = s.Input("filterPattern")
	}
	return out
}

func TestLogsAreSplitOnTheirWayToSearch(t *testing.T) {
	t.Parallel()
	g := graph(t, "prod")
	const withoutDelivery = `{ (($.userIdentity.invokedBy NOT EXISTS) || ($.userIdentity.invokedBy != "firehose.amazonaws.com"))` +
		` && (($.eventName != "Invoke") || ($.requestParameters.functionName NOT EXISTS) || ($.requestParameters.functionName != "*redoubt-prod-split-logs*")) }`
	require.Equal(t, map[string]any{
		"/app/prod/app": "", "aws-waf-logs-redoubt-prod": "",
		// Each call of the splitter is in the trail: it must not cause another.
		"/redoubt-prod/trail": withoutDelivery,
	}, delivered(g))
	require.LessOrEqual(t, len(withoutDelivery), 1024, "CloudWatch Logs' limit of a pattern")
	require.Len(t, g.ByType(subscription), 3, "one of the two that a group may have")

	stream, fn := g.Only("aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream"), g.One("aws:lambda/function:Function", "redoubt-prod-split-logs-function")
	require.True(t, g.Depends(stream, fn))
	require.Equal(t, stream.Input("name"), fn.Input("environment.variables.STREAM_NAME"))
	for _, group := range g.ByType("aws:cloudwatch/logGroup:LogGroup") {
		if group.Input("name") == "/redoubt-prod/trail" {
			require.True(t, g.Depends(g.One(subscription, "redoubt-prod-ingest-redoubt-prod-trail"), group))
		}
	}
}

func TestLogsOfAnAdoptedTrailAreNotOursToSubscribe(t *testing.T) {
	t.Parallel()
	g := changed(t, "prod", settings{"redoubt:audit": `{"trail":{"mode":"adopt","id":"organization"},"trailLogGroup":"/organization/trail","dataEvents":false,"functions":false,"insights":false}`})
	require.NotContains(t, delivered(g), "/organization/trail")
	require.Len(t, g.ByType(subscription), 2)
}

func TestNoSplitterWithoutIngestion(t *testing.T) {
	t.Parallel()
	g := changed(t, "dev", settings{"redoubt:search": `{"ingest":false}`})
	require.Empty(t, g.ByType(subscription))
	require.Empty(t, g.ByType("redoubt:workload:LogSplitter"))
}

func TestReservedSplitterTakesSeveralBuffers(t *testing.T) {
	t.Parallel()
	g := graph(t, "prod")
	require.EqualValues(t, 10, g.One("aws:lambda/function:Function", "redoubt-prod-split-logs-function").Input("reservedConcurrentExecutions"))
}
