package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSelfServiceIsComparedWithTheBareCLI(t *testing.T) {
	t.Parallel()
	results, cpu, err := parse(strings.NewReader(`cpu: A Processor
BenchmarkMemory-2                                        	       1	        54.29 child-MiB	       138.3 cli-MiB	        21.70 spare-MiB
BenchmarkStart/database=sqlite-2                         	       1	         8.560 p50-ms	        31.11 p99-ms
BenchmarkAPI/endpoint=list-of-a-stack/database=postgres-2  	       1	         8.214 p50-ms	        28.01 p99-ms
BenchmarkService/database=sqlite/resources=100-2  	       1	         1.000 preview-bare-forks	         0.4000 preview-bare-s	        90.00 preview-more-ms	         1.230 preview-ratio	         1.000 preview-service-forks	         0.5000 preview-service-s	         2.000 up-bare-forks	         1.000 up-bare-s	       110.0 up-more-ms	         1.110 up-ratio	         2.000 up-service-forks	         1.100 up-service-s
`))
	require.NoError(t, err)
	text := render(results, cpu)
	require.Contains(t, text, "| preview | 100 | SQLite | 0.40 | 0.50 | 1.23× | 90 | 1 | 1 |")
	require.Contains(t, text, "| update: a preview, and the update | 100 | SQLite | 1.00 | 1.10 | 1.11× | 110 | 2 | 2 |")
	require.Contains(t, text, "| SQLite | 8.6 | 31.1 |")
	require.Contains(t, text, "| operations of a stack, PostgreSQL | 8.2 | 28.0 |")
	require.Contains(t, text, "takes 54 MiB in its own process, which runs the program, and 138 MiB in the CLI")
	require.Contains(t, text, "waits for the next operation has 22 MiB of its own")
	require.NotContains(t, text, "Everything else")
}
