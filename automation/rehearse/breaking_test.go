package rehearse

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/blueprint"
	"redoubt/automation/engine"
)

func TestMistakesThatCannotBeToldApartAreApart(t *testing.T) {
	t.Parallel()
	all := blueprint.DefenseInDepth.Mistakes
	seen := 0
	for _, batch := range apart(all) {
		for i, m := range batch {
			seen++
			for _, other := range batch[i+1:] {
				require.False(t, m.Disturbs(other), "%s and %s", m.Name, other.Name)
			}
		}
	}
	require.Equal(t, len(all), seen)
	require.Less(t, len(apart(all)), 6, "each preview takes seconds")
}

func TestTheNearestMistakeIsNamed(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"unencrypted-buket": "unencrypted-bucket", "without-rotation": "kms-without-rotation", "s3-kms-encryption": "unencrypted-bucket",
	} {
		_, err := Mistakes(blueprint.DefenseInDepth, given)
		require.ErrorContains(t, err, "did you mean "+want+"?")
	}
	_, err := Mistakes(blueprint.SecureBucket, "unencrypted-bucket")
	require.ErrorContains(t, err, "no mistakes of blueprint secure-bucket are known")
}

// The rules of the mistakes are mandatory, and keep what else was said of them.
func TestEnforcing(t *testing.T) {
	t.Parallel()
	config := filepath.Join(t.TempDir(), "policy.json")
	require.NoError(t, os.WriteFile(config, []byte(`{"all": "advisory", "a": "disabled", "b": {"enforcementLevel": "advisory", "minDays": 7}}`), 0o600))
	path, err := enforcing(t.TempDir(), config, []blueprint.Mistake{{Rule: "a"}, {Rule: "b"}, {Rule: "c"}})
	require.NoError(t, err)
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.JSONEq(t, `{"all": "advisory", "a": "mandatory", "b": {"enforcementLevel": "mandatory", "minDays": 7}, "c": "mandatory"}`, string(text))

	require.NoError(t, os.WriteFile(config, []byte(`{`), 0o600))
	_, err = enforcing(t.TempDir(), config, nil)
	require.ErrorContains(t, err, config)
}

// A finding that was there before, one that no mistake explains, and a mistake
// that nobody found are each told apart.
func TestJudge(t *testing.T) {
	t.Parallel()
	key := blueprint.Mistake{Name: "key", Rule: "rotates", Change: blueprint.Change{On: blueprint.Target{Type: "kms/key", Name: "app"}}}
	urn := func(name string) string { return "urn:pulumi:dev::shop::aws:kms/key:Key::shop-" + name }
	finding := func(rule, name, level string) engine.Finding {
		return engine.Finding{Policy: rule, URN: urn(name), Level: level}
	}
	rows := map[string]struct {
		before, found []engine.Finding
		refused       bool
		problem       string
		extra         int
	}{
		"refused":                {nil, []engine.Finding{finding("rotates", "app", "mandatory")}, true, "", 0},
		"found and let pass":     {nil, []engine.Finding{finding("rotates", "app", "advisory")}, false, "rotates found it and did not refuse it", 0},
		"of another resource":    {nil, []engine.Finding{finding("rotates", "logs", "mandatory")}, false, "rotates said nothing about kms/key app", 1},
		"more than its own":      {nil, []engine.Finding{finding("rotates", "app", "mandatory"), finding("named", "app", "advisory")}, true, "", 1},
		"what was there before":  {[]engine.Finding{finding("named", "app", "advisory")}, []engine.Finding{finding("named", "app", "advisory"), finding("rotates", "app", "mandatory")}, true, "", 0},
		"refused without it too": {[]engine.Finding{finding("rotates", "old", "mandatory")}, []engine.Finding{finding("rotates", "old", "mandatory"), finding("rotates", "app", "mandatory")}, false, "refuses the stack without the mistake too", 0},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			report := BreakReport{OK: true}
			report.judge([]blueprint.Mistake{key}, func(blueprint.Mistake) error { return nil }, row.before, row.found)
			require.Equal(t, row.refused, report.Mistakes[0].Refused)
			require.Contains(t, report.Mistakes[0].Problem, row.problem)
			require.Len(t, report.Extra, row.extra)
			require.Equal(t, (row.refused || report.Mistakes[0].Absent) && row.extra == 0, report.OK)
			_, err := json.Marshal(report)
			require.NoError(t, err)
		})
	}
}
