package speed

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/policy/fixture"
)

// BenchmarkPackStart starts each pack until it has described itself.
func BenchmarkPackStart(b *testing.B) {
	for _, p := range packs {
		b.Run("pack="+p.name, func(b *testing.B) {
			var took []time.Duration
			rules := 0
			for range b.N * p.rounds {
				s := p.serve(b)
				took, rules = append(took, s.start), len(s.info.Policies)
				s.stop()
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(milliseconds(median(took)), "start-ms")
			b.ReportMetric(float64(rules), "policies")
		})
	}
}

// BenchmarkPackCalls sends the calls of a preview to each pack: two for each
// resource, and one for the stack.
func BenchmarkPackCalls(b *testing.B) {
	for _, size := range []int{100, 1000, 5000} {
		stack, inputs, err := stackOf(b, size).Stack(fixture.Updated)
		require.NoError(b, err)
		calls := record(b, stack, inputs)
		for _, p := range packs {
			if slices.Contains(p.sizes, size) {
				b.Run(fmt.Sprintf("pack=%s/resources=%d", p.name, size), func(b *testing.B) { measure(b, p, calls) })
			}
		}
	}
}

func measure(b *testing.B, p pack, calls preview) {
	s := p.serve(b)
	s.configure(b)
	s.preview(b, calls) // Node compiles what it has seen often
	var analyze, stack []time.Duration
	before := spentBy(s.pid)
	for range b.N * p.rounds {
		got := s.preview(b, calls)
		analyze, stack = append(analyze, got.analyze), append(stack, got.stack)
	}
	if cpu := spentBy(s.pid) - before; cpu > 0 {
		b.ReportMetric(float64(cpu.Microseconds())/float64(len(calls.resources)*len(stack)), "cpu-µs/resource")
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(median(analyze).Microseconds())/float64(len(calls.resources)), "µs/resource")
	b.ReportMetric(milliseconds(median(stack)), "stack-ms")
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func median[T time.Duration | float64](all []T) T {
	all = slices.Sorted(slices.Values(all))
	return (all[(len(all)-1)/2] + all[len(all)/2]) / 2
}
