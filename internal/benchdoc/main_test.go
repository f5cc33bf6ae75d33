package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFiguresBecomeRatiosToTheFloorOfTheirSize(t *testing.T) {
	t.Parallel()
	results, cpu, err := parse(strings.NewReader(`goos: linux
cpu: A Processor
BenchmarkUpdate/keeper=unsafe/resources=1000-2         	       1	         1.5 destroy-s/op	         2.0 up-s/op
BenchmarkUpdate/keeper=sqlite/resources=1000-2         	       1	         3.0 destroy-s/op	         2.4 up-s/op
BenchmarkJournal/keeper=postgres-2       	       1	         4.231 p50-ms	        13.21 p99-ms
BenchmarkChecks-2	 100	 1234 ns/op
PASS
`))
	require.NoError(t, err)
	require.Equal(t, "A Processor", cpu)
	text := render(results, cpu)
	require.Contains(t, text, "| 1000 | Redoubt on SQLite | 2.4 | 1.20× | 3.0 | 2.00× |")
	require.Contains(t, text, "| Redoubt on PostgreSQL | 4.2 | 13.2 |")
	require.Contains(t, text, "| `Checks` | 1234 ns/op |")
}

func TestBrokenOutputIsRefused(t *testing.T) {
	t.Parallel()
	_, _, err := parse(strings.NewReader("BenchmarkX-2 1 many ns/op"))
	require.ErrorContains(t, err, `"many" is no number`)
}
