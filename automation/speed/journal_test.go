package speed

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/stretchr/testify/require"

	"redoubt/internal/postgrestest"
)

// The load of fifty updates at once, as AWS lets them be: a resource takes a
// second or so, and an update works on ten or so at a time. Each batch has the
// end of one step and the beginning of another.
const (
	updates         = 50
	batchesPerSec   = 10
	batches         = 100
	entriesPerBatch = 2
)

// BenchmarkJournal is how long a step waits for its entry to be durable, while
// fifty updates run.
func BenchmarkJournal(b *testing.B) {
	for _, k := range []struct {
		name     string
		database func(b *testing.B) string
	}{
		{"sqlite", func(*testing.B) string { return "" }},
		{"postgres", func(b *testing.B) string { return postgrestest.Start(b).URL(b, "postgres") }},
	} {
		b.Run("keeper="+k.name, func(b *testing.B) {
			url, token := serve(b, k.database(b))
			var mu sync.Mutex
			var waits []time.Duration
			for n := range b.N {
				var all sync.WaitGroup
				for i := range updates {
					u := begin(b, url, token, fmt.Sprintf("stack-%d-%d", n, i))
					all.Go(func() {
						own := u.append(b)
						mu.Lock()
						defer mu.Unlock()
						waits = append(waits, own...)
					})
				}
				all.Wait()
			}
			slices.Sort(waits)
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(millis(waits[len(waits)/2]), "p50-ms")
			b.ReportMetric(millis(waits[len(waits)*99/100]), "p99-ms")
		})
	}
}

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// updating is an update that runs, seen from its client.
type updating struct {
	path, lease string
	client      *http.Client
}

func begin(b *testing.B, url, token, name string) updating {
	b.Helper()
	u := updating{client: &http.Client{Transport: &http.Transport{}}}
	ask := func(path string, in, out any) {
		require.NoError(b, u.send(http.MethodPost, url+path, "token "+token, in, out))
	}
	ask("/api/stacks/main/speed", apitype.CreateStackRequest{StackName: name}, nil)
	var made apitype.UpdateProgramResponse
	ask("/api/stacks/main/speed/"+name+"/update", apitype.UpdateProgramRequest{}, &made)
	u.path = url + "/api/stacks/main/speed/" + name + "/update/" + made.UpdateID
	var started apitype.StartUpdateResponse
	require.NoError(b, u.send(http.MethodPost, u.path, "token "+token, apitype.StartUpdateRequest{JournalVersion: 1}, &started))
	u.lease = "update-token " + started.Token
	return u
}

func (u updating) send(method, url, credential string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	request, err := http.NewRequest(method, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", credential)
	response, err := u.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close() //nolint:errcheck // it was read
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode/100 != 2 {
		return fmt.Errorf("%s %s: %s", method, response.Status, text)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(text, out)
}

// append sends the batches, at their pace, and returns how long each took.
func (u updating) append(b *testing.B) []time.Duration {
	pace := time.NewTicker(time.Second / batchesPerSec)
	defer pace.Stop()
	sequence, waits := int64(0), make([]time.Duration, 0, batches)
	for range batches {
		<-pace.C
		var entries apitype.JournalEntries
		for range entriesPerBatch {
			sequence++
			entries.Entries = append(entries.Entries, apitype.JournalEntry{
				Version: 1, Kind: apitype.JournalEntryKindSuccess, SequenceID: sequence, OperationID: sequence,
				State: &apitype.ResourceV3{Type: "test:index:Thing", Inputs: map[string]any{"value": strings.Repeat("x", 1000)}, Outputs: map[string]any{"value": strings.Repeat("x", 1000)}},
			})
		}
		start := time.Now()
		if err := u.send(http.MethodPatch, u.path+"/journalentries", u.lease, entries, nil); err != nil {
			b.Error(err)
			return waits
		}
		waits = append(waits, time.Since(start))
	}
	return waits
}
