package operate

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/automation/engine"
	"redoubt/automation/provision"
	"redoubt/automation/runner"
)

func TestWaiversAreTheExemptionsOfThePack(t *testing.T) {
	t.Parallel()
	files := &scratch{}
	t.Cleanup(func() { require.NoError(t, files.remove()) })
	folder := t.TempDir()
	path, err := withExemptions("", nil, files)
	require.NoError(t, err)
	require.Empty(t, path, "without waivers the configuration is as it is")
	require.Nil(t, files.claim, "and no folder is made")

	own := filepath.Join(folder, "own.json")
	require.NoError(t, os.WriteFile(own, []byte(`{"all":"mandatory","exemptions":{"entries":[{"rule":"r1","resource":"*::a","reason":"old","owner":"o","expires":"2027-01-01"},
		{"rule":"r3","resource":"*::a","reason":"long","owner":"o","expires":"2028-01-01"}]}}`), 0o600))
	at := time.Date(2027, 3, 31, 22, 0, 0, 0, time.FixedZone("", -4*3600))
	path, err = withExemptions(own, []provision.Waiver{
		{ID: "wvr_1", Policy: "r1", Resource: "*::a", Reason: "again", Owner: "o", ExpiresAt: at},
		{Policy: "r3", Resource: "*::a", Reason: "ends sooner", Owner: "o", ExpiresAt: at},
		{ID: "wvr_2", Policy: "r2", Reason: "why", Owner: "bob", ExpiresAt: at},
		{Policy: "r2", Reason: "twice", Owner: "bob", ExpiresAt: at},
	}, files)
	require.NoError(t, err)
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.JSONEq(t, `{"all":"mandatory","exemptions":{"entries":[
		{"id":"wvr_1","rule":"r1","resource":"*::a","reason":"again","owner":"o","expires":"2027-04-01"},
		{"rule":"r3","resource":"*::a","reason":"long","owner":"o","expires":"2028-01-01"},
		{"id":"wvr_2","rule":"r2","resource":"urn:pulumi:*","reason":"why","owner":"bob","expires":"2027-04-01"}]}}`, string(text))
	about, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), about.Mode().Perm())

	require.NoError(t, os.WriteFile(own, []byte("{"), 0o600))
	_, err = withExemptions(own, []provision.Waiver{{Policy: "r"}}, files)
	require.ErrorContains(t, err, own)
}

func TestADigestIsThatOfTheFileAsItIs(t *testing.T) {
	t.Parallel()
	pack := filepath.Join(t.TempDir(), "pack")
	var p packs
	require.NoError(t, os.WriteFile(pack, []byte("one"), 0o600))
	first, err := p.of(pack, "")
	require.NoError(t, err)
	require.Equal(t, "pack", first[0].Name)
	require.Equal(t, "sha256:7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed", first[0].Digest)
	require.NoError(t, os.WriteFile(pack, []byte("another"), 0o600))
	second, err := p.of(pack, pack)
	require.NoError(t, err)
	require.NotEqual(t, first[0].Digest, second[0].Digest)
	require.Len(t, second, 2)
	for _, missing := range []string{"", filepath.Dir(pack), pack + "s"} {
		_, err := p.of(missing, "")
		require.Equal(t, provision.CodeEngineUnavailable, provision.CodeOf(err), missing)
	}
	none, err := p.of(NoPolicy, "")
	require.NoError(t, err)
	require.Empty(t, none)
}

func TestErrors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		code  runner.Code
		phase provision.Phase
		want  provision.Code
	}{
		{runner.CodePolicy, provision.PhasePreview, provision.CodePolicyBlocked},
		{runner.CodeBusy, provision.PhaseUp, provision.CodeStackBusy},
		{runner.CodeFailed, provision.PhaseUp, provision.CodeConflict},
		{runner.CodeCanceled, provision.PhaseUp, provision.CodeConflict},
		{runner.CodePanic, provision.PhasePreview, provision.CodeConflict},
		{runner.CodePanic, provision.PhaseUp, provision.CodeNeedsRecovery},
		{runner.CodeKilled, provision.PhaseDestroy, provision.CodeNeedsRecovery},
		{runner.CodeLost, provision.PhaseRefresh, provision.CodeNeedsRecovery},
		{runner.CodeLost, provision.PhasePreview, provision.CodeEngineUnavailable},
		{runner.CodeInvalid, provision.PhaseUp, provision.CodeEngineUnavailable},
		{runner.CodeUnauthorized, provision.PhaseUp, provision.CodeEngineUnavailable},
	} {
		require.Equal(t, c.want, provision.CodeOf(translated(&runner.Error{Code: c.code, Message: "m"}, c.phase)), c)
	}
	require.NoError(t, translated(nil, provision.PhaseUp))
	require.Equal(t, provision.CodeEngineUnavailable, provision.CodeOf(translated(errors.New("x"), provision.PhaseUp)))
}

func TestEventsSayTheirPhase(t *testing.T) {
	t.Parallel()
	at, none := time.Now(), waivers{}
	e, ok := none.event(runner.Event{Time: at, Type: runner.TypeResource, Resource: &runner.Resource{Change: engine.Change{URN: "u", Op: "create", Type: "t"}, Status: runner.Done}}, provision.PhaseUp)
	require.True(t, ok)
	require.Equal(t, provision.EventResource, e.Type)
	require.Equal(t, at, e.At)
	require.JSONEq(t, `{"phase":"up","urn":"u","type":"t","op":"create","status":"done"}`, string(e.Data))
	e, ok = none.event(runner.Event{Type: runner.TypeProgress, Progress: &runner.Progress{Done: 3}}, provision.PhasePreview)
	require.True(t, ok)
	require.JSONEq(t, `{"phase":"preview","done":3}`, string(e.Data))
	_, ok = none.event(runner.Event{}, provision.PhaseUp)
	require.False(t, ok)
}

func TestFindingsHaveTheirWaiver(t *testing.T) {
	t.Parallel()
	ends := time.Date(2027, 3, 31, 15, 4, 5, 0, time.UTC)
	day := ends.Truncate(24 * time.Hour)
	w := waiversOf(provision.Run{Exemptions: []provision.Waiver{{ID: "wvr_1", ExpiresAt: ends}}})
	passed := engine.Finding{
		Pack: "guide", Policy: "p", Level: "mandatory", Severity: "high", URN: "u", Message: "m",
		Exemption: &engine.Exemption{ID: "wvr_1", Until: day, Owner: "paul", Reason: "why"},
	}
	own := passed
	own.Exemption = &engine.Exemption{Until: day, Owner: "ops", Reason: "always"}
	result := w.result(runner.Result{Outcome: engine.Outcome{Findings: []engine.Finding{passed, own, {Policy: "p", Level: "mandatory", Message: "m"}}}})
	require.Equal(t, []provision.Finding{
		{Pack: "guide", Policy: "p", Level: "mandatory", Severity: "high", URN: "u", Message: "m", Waiver: "wvr_1", Exemption: &provision.Exemption{Until: ends, Owner: "paul", Reason: "why"}},
		{Pack: "guide", Policy: "p", Level: "mandatory", Severity: "high", URN: "u", Message: "m", Exemption: &provision.Exemption{Until: day, Owner: "ops", Reason: "always"}},
		{Policy: "p", Level: "mandatory", Message: "m"},
	}, result.Findings)
	e, ok := w.event(runner.Event{Type: runner.TypePolicy, Policy: &passed}, provision.PhasePreview)
	require.True(t, ok)
	require.JSONEq(t, `{"phase":"preview","pack":"guide","policy":"p","level":"mandatory","severity":"high","urn":"u","message":"m","waiver":"wvr_1",
		"exemption":{"until":"2027-03-31T15:04:05Z","owner":"paul","reason":"why"}}`, string(e.Data))
}

func TestSecretsAreInNoFileOfTheProject(t *testing.T) {
	t.Parallel()
	r := provision.Run{Inputs: json.RawMessage(`{"a":"b"}`)}
	r.Stack.Project, r.Stack.Stack = "shop", "dev"
	p, err := projectOf(r)
	require.NoError(t, err)
	require.Len(t, p.Settings.Config, 1)
	r.Secrets = []string{"b"}
	p, err = projectOf(r)
	require.NoError(t, err)
	require.Empty(t, p.Settings.Config)
}
