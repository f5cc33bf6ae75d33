package replay_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/backend/replay"
)

// large is a state of n resources, and the journal of an update that leaves them
// as they are: two entries each.
func large(n int) (base json.RawMessage, entries []json.RawMessage) {
	var resources []string
	for i := range n {
		urn := fmt.Sprintf("urn:pulumi:dev::shop::aws:s3/bucket:Bucket::bucket-%d", i)
		resource := fmt.Sprintf(`{"urn":"%s","custom":true,"id":"bucket-%d","type":"aws:s3/bucket:Bucket","inputs":{"bucket":"bucket-%d",`+
			`"tags":{"owner":"platform","environment":"dev","note":"%s"}},"outputs":{"arn":"arn:aws:s3:::bucket-%d","region":"eu-central-1",`+
			`"versioning":{"enabled":true,"mfaDelete":false}},"parent":"urn:pulumi:dev::shop::pulumi:pulumi:Stack::shop-dev",`+
			`"dependencies":["urn:pulumi:dev::shop::aws:s3/bucket:Bucket::bucket-%d"],"propertyDependencies":{"bucket":[],"tags":null},`+
			`"provider":"urn:pulumi:dev::shop::pulumi:providers:aws::default::1234"}`,
			urn, i, i, strings.Repeat("x", 200), i, max(0, i-1))
		resources = append(resources, resource)
		entries = append(entries,
			json.RawMessage(fmt.Sprintf(`{"version":1,"kind":0,"sequenceID":%d,"operationID":%d,"removeOld":null,"removeNew":null}`, 2*i+1, i+1)),
			json.RawMessage(fmt.Sprintf(`{"version":1,"kind":1,"sequenceID":%d,"operationID":%d,"removeOld":%d,"removeNew":null,"state":%s}`,
				2*i+2, i+1, i, resource)))
	}
	return json.RawMessage(`{"version":3,"deployment":{"resources":[` + strings.Join(resources, ",") + `]}}`), entries
}

func BenchmarkReplay(b *testing.B) {
	for _, n := range []int{1_000, 10_000} {
		b.Run(fmt.Sprintf("resources=%d", n), func(b *testing.B) {
			base, entries := large(n)
			for b.Loop() {
				result, err := replay.Replay(base, replay.Entries(entries...), replay.Options{Version: "v3.259.0"})
				require.NoError(b, err)
				require.Equal(b, n, result.Resources)
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/float64(n), "µs/resource")
		})
	}
}

func BenchmarkRename(b *testing.B) {
	for _, n := range []int{1_000, 10_000} {
		b.Run(fmt.Sprintf("resources=%d", n), func(b *testing.B) {
			base, _ := large(n)
			for b.Loop() {
				_, err := replay.Rename(base, dev, prod)
				require.NoError(b, err)
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/float64(n), "µs/resource")
		})
	}
}

// Values inside values must not be gone through once for every level.
func BenchmarkRenameOfDeepProperties(b *testing.B) {
	for _, depth := range []int{100, 1_000, 9_000} {
		b.Run(fmt.Sprintf("depth=%d", depth), func(b *testing.B) {
			open, closed := strings.Repeat(`{"dependencies":[`, depth/2), strings.Repeat(`]}`, depth/2)
			property := open + `"` + strings.Repeat("x", 1<<20) + `"` + closed
			state := json.RawMessage(`{"version":3,"deployment":{"resources":[{"inputs":{"a":` + property + `}}]}}`)
			for b.Loop() {
				_, err := replay.Rename(state, dev, prod)
				require.NoError(b, err)
			}
			b.SetBytes(int64(len(state)))
		})
	}
}
