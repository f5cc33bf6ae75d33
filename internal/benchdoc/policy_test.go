package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPolicyPacksAreComparedWithTheFloorAndWithRedoubt(t *testing.T) {
	t.Parallel()
	results, cpu, err := parse(strings.NewReader(`cpu: A Processor
BenchmarkPackStart/pack=redoubt-2      	       1	       336.0 policies	        27.40 start-ms
BenchmarkPackCalls/pack=empty/resources=1000-2         	       1	        40.00 cpu-µs/resource	        50.00 stack-ms	       200.0 µs/resource
BenchmarkPackCalls/pack=redoubt/resources=1000-2       	       1	        90.00 cpu-µs/resource	        75.00 stack-ms	       250.0 µs/resource
BenchmarkPackCalls/pack=awsguard/resources=1000-2      	       1	      1240.0 cpu-µs/resource	        95.00 stack-ms	      1000.0 µs/resource
BenchmarkPackPreview/resources=1000-2  	       1	         1.000 alone-s	         1.500 empty-cpu-s	         1.200 empty-s	         1.320 redoubt-s	         1.100 redoubt/empty	         1.080 redoubt/empty-cpu
`))
	require.NoError(t, err)
	text := render(results, cpu)
	require.Contains(t, text, "| Redoubt | 336 | 27 |")
	require.Contains(t, text, "| 1000 | no rule, on Redoubt's server (the floor) | 200 | 1.00× | 50.0 | 40 | – |")
	require.Contains(t, text, "| 1000 | Redoubt | 250 | 1.25× | 75.0 | 90 | 1.0× |")
	require.Contains(t, text, "| 1000 | AWSGuard, on Node | 1000 | 5.00× | 95.0 | 1240 | 24.0× |")
	require.Contains(t, text, "| 1000 | 1.00 | 1.20 | 1.32 | 1.10× | 1.08× |")
	require.NotContains(t, text, "Everything else")
}
