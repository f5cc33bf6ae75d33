package report_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/policy/report"
	"redoubt/policy/rule"
)

// Each run is added to the folder, and knows those before it about the same stack.
func TestRemember(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "reports", "history")
	ours := schema(t, report.Schema)
	for day := range 3 {
		r := sample()
		r.Time = at.AddDate(0, 0, day)
		r, err := r.Remember(folder)
		require.NoError(t, err)
		require.Len(t, r.History, day)

		other := sample()
		other.Subject.Stack, other.Time = "acme/shop/dev", r.Time
		other, err = other.Remember(folder)
		require.NoError(t, err)
		require.Len(t, other.History, day, "another stack's runs are not its own")
	}
	entries, err := os.ReadDir(folder)
	require.NoError(t, err)
	require.Len(t, entries, 6)
	for _, e := range entries {
		text, err := os.ReadFile(filepath.Join(folder, e.Name()))
		require.NoError(t, err)
		require.NoError(t, valid(t, ours, string(text)), "what a history keeps is a report without its lists")
	}

	// A whole report that somebody put there counts too, and a run again does not.
	whole := sample()
	whole.Time = at.AddDate(0, 0, -1)
	require.NoError(t, whole.WriteFile(filepath.Join(folder, "before.json"), report.JSON))
	r := sample()
	r.Time = at.AddDate(0, 0, 2)
	r, err = r.Remember(folder)
	require.NoError(t, err)
	require.Len(t, r.History, 3)
	require.Equal(t, whole.Time, r.History[0].Time)
	require.Equal(t, 1, r.History[0].Summary.Severities[rule.High])
}

func TestRememberNamesEveryFileThatIsNoReport(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	for name, text := range map[string]string{
		"broken.json": "{", "other.json": `{"name": "x"}`, "newer.json": `{"version": 2, "time": "2026-07-01T00:00:00Z"}`,
		"notes.txt": "no JSON is asked of it", ".hidden.json": "{",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600))
	}
	_, err := sample().Remember(folder)
	require.ErrorContains(t, err, "broken.json is no report in JSON: move it elsewhere")
	require.ErrorContains(t, err, "other.json is no report in JSON")
	require.ErrorContains(t, err, "newer.json has version 2")
	require.NotContains(t, err.Error(), "notes.txt")
	require.NotContains(t, err.Error(), "hidden")

	file := filepath.Join(folder, "notes.txt")
	_, err = sample().Remember(file)
	require.ErrorContains(t, err, file)
}

// The drawing has the worst number at its top and the newest run at its right.
func TestTrendIsDrawn(t *testing.T) {
	t.Parallel()
	r := sample()
	before := r.Run
	before.Time = at.Add(-time.Hour)
	before.Summary.Severities = map[rule.Severity]int{rule.High: 4}
	r.History = []report.Run{before}
	text := written(t, r, report.HTML)
	require.Contains(t, text, `<title>high</title><polyline points="12,12 628,114"/>`, "from 4 to 1")
	require.Contains(t, text, "2026-07-01 11:30 UTC to 2026-07-01 12:30 UTC")
	require.Less(t, strings.Index(text, "2026-07-01 12:30:00</th>"), strings.Index(text, "2026-07-01 11:30:00</th>"), "the newest first")

	r.History = nil
	require.NotContains(t, written(t, r, report.HTML), "<svg", "one run is no line")
}
