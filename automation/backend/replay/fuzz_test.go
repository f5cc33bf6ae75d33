package replay_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/backend/replay"
)

// FuzzReplay replays lines of anything over anything: it may refuse, and what it
// returns is a state that it can read again.
func FuzzReplay(f *testing.F) {
	for i := range uint64(20) {
		j := generate(1, i)
		var lines bytes.Buffer
		for _, e := range j.Entries {
			raw, err := json.Marshal(e)
			require.NoError(f, err)
			lines.Write(append(raw, '\n'))
		}
		f.Add([]byte(`{"version":3,"deployment":`+string(j.Base)+`}`), lines.Bytes(), i%2 == 0)
	}
	f.Fuzz(func(t *testing.T, base, journal []byte, salvage bool) {
		var entries []json.RawMessage
		for line := range bytes.Lines(journal) {
			entries = append(entries, line)
		}
		result, err := replay.Replay(base, replay.Entries(entries...), replay.Options{Version: "v1", Salvage: salvage})
		if err != nil {
			require.NotEmpty(t, err.Error())
			return
		}
		require.True(t, json.Valid(result.Deployment), "%s", result.Deployment)
		findings, err := replay.VerifyIntegrity(result.Deployment)
		require.NoError(t, err)
		require.Equal(t, result.Findings, findings)
	})
}

// FuzzRename renames anything: what it returns is JSON of about the same size.
func FuzzRename(f *testing.F) {
	for _, c := range renameCases {
		f.Add([]byte(`{"deployment":` + c.before + `}`))
	}
	for i := range uint64(20) {
		f.Add([]byte(`{"version":3,"deployment":` + string(generate(1, i).Base) + `}`))
	}
	f.Fuzz(func(t *testing.T, state []byte) {
		renamed, err := replay.Rename(state, dev, prod)
		if err != nil || len(bytes.TrimSpace(state)) == 0 {
			return
		}
		require.True(t, json.Valid(renamed), "%s", renamed)
	})
}
