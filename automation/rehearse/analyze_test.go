package rehearse

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"redoubt/automation/backend"
	"redoubt/automation/blueprint"
	"redoubt/automation/engine"
	"redoubt/internal/built"
	"redoubt/internal/rehearsal"
	"redoubt/policy/rule"
	"redoubt/policy/rules"
)

// What `pulumi policy analyze` says of an exported state is what the update that
// wrote it said: of the committed program, which it lets pass, and of one with
// mistakes, which it does not. The secrets of the state cannot be decrypted there.
func TestAStateIsJudgedAsItsUpdateWas(t *testing.T) {
	t.Parallel()
	pack, err := built.Pack()
	require.NoError(t, err)
	s := newStates(t, "dev", pack, nil)
	unbroken := s.up(t)
	_, err = s.analyze(t, "")
	require.NoError(t, err, "the committed program has no mandatory finding")
	found, err := s.analyze(t, s.advisory)
	require.NoError(t, err)
	require.ElementsMatch(t, keys(unbroken), keys(found))

	now := blueprint.NewPlanting(slices.DeleteFunc(apart(blueprint.DefenseInDepth.Mistakes)[0], func(m blueprint.Mistake) bool {
		return !slices.Contains(possible, m.Name)
	}))
	s = newStates(t, "dev", pack, now)
	broken := newOnes(unbroken, s.up(t))
	found, err = s.analyze(t, s.advisory)
	require.NoError(t, err)
	require.ElementsMatch(t, keys(broken), keys(newOnes(unbroken, found)))
	report := BreakReport{OK: true}
	report.judge(now.Mistakes, now.Planted, unbroken, found)
	require.Empty(t, report.Extra)
	for _, m := range report.Mistakes {
		require.True(t, m.Finding != nil || m.Absent, "%s: %s", m.Name, m.Problem)
	}
	require.Len(t, report.Mistakes, len(possible))
	require.Greater(t, len(broken), len(possible)/2, "dev has less to break")
	_, err = s.analyze(t, "")
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit)
}

// possible are mistakes that AWS lets one make: the others an update does not get
// as far as a state with.
var possible = []string{
	"flow-log-without-rejects", "world-open-database", "tls12-listener", "invalid-headers-pass", "waf-without-common-rules",
	"kms-without-rotation", "unencrypted-bucket", "database-kept-a-day", "every-resource-allowed",
	"trail-without-proof", "logs-unencrypted", "cluster-unseen",
}

// states is a stack that is updated with the policy pack advising, and whose
// state is judged.
type states struct {
	pack, name string
	// advisory is the pack's configuration in which nothing is mandatory.
	advisory string
	service  *service
	scratch  *engine.Scratch
}

func newStates(t *testing.T, stack, pack string, mistakes *blueprint.Planting) *states {
	t.Helper()
	b := blueprint.DefenseInDepth
	opts := Options{Project: "../..", Blueprint: b}
	account, err := openAccount(opts, stack)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, account.Close()) })
	server, err := rehearsal.Serve(t.Context(), account, "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close()) })
	s := &states{pack: pack, name: stack, advisory: advisory(t)}
	s.service, err = startService(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.service.close()) })
	kept, err := s.service.backend(t.Context(), stack)
	require.NoError(t, err)
	s.scratch, err = engine.NewScratch(t.Context(), engine.ScratchOptions{
		Project: opts.Project, Stack: stack, Folders: b.Folders, Env: environment(server.Port()), Backend: kept,
		Program: func(keys []string) pulumi.RunFunc {
			if mistakes == nil {
				return b.Program(keys)
			}
			return mistakes.Run(b.Program(keys))
		},
		Policy: pack, PolicyConfig: written(t, "advisory.json", s.advisory),
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.scratch.Close()) })
	return s
}

// advisory takes their force from the rules that have it.
func advisory(t *testing.T) string {
	t.Helper()
	levels := map[string]string{}
	for _, r := range rules.All() {
		if r.Level == rule.Mandatory {
			levels[r.Name] = string(rule.Advisory)
		}
	}
	text, err := json.Marshal(levels)
	require.NoError(t, err)
	return string(text)
}

// up updates the stack and returns what the policy pack found.
func (s *states) up(t *testing.T) []engine.Finding {
	t.Helper()
	out, err := s.scratch.Up(t.Context(), &engine.Recorder{})
	require.NoError(t, err)
	found, _ := deferred(out.Findings)
	return found
}

// analyze judges the exported state with the stock CLI.
func (s *states) analyze(t *testing.T, config string) ([]engine.Finding, error) {
	t.Helper()
	state, err := s.service.server.Service().Export(t.Context(), s.service.admin, backend.StackName{Org: organization, Project: "redoubt", Stack: s.name}, 0)
	require.NoError(t, err)
	cli, err := engine.FindCLI()
	require.NoError(t, err)
	args := []string{"policy", "analyze", "--json", "--policy-pack", s.pack, "--file", written(t, "state.json", string(state))}
	if config != "" {
		args = append(args, "--policy-pack-config", written(t, "policy.json", config))
	}
	cmd := exec.CommandContext(t.Context(), cli.Executable, args...)
	cmd.Env = append(os.Environ(), "PULUMI_HOME="+t.TempDir(), "PULUMI_SKIP_UPDATE_CHECK=true")
	text, err := cmd.Output()
	var found []engine.Finding
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, len(text)+1)
	for lines.Scan() {
		var event apitype.EngineEvent
		require.NoError(t, json.Unmarshal(lines.Bytes(), &event), lines.Text())
		if event.PolicyEvent != nil {
			found = append(found, engine.FindingsOf(*event.PolicyEvent)...)
		}
	}
	require.NotEmpty(t, found, "some advice there always is: %s %v", text, err)
	found, _ = deferred(found)
	return found, err
}

func written(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// keys are what findings are about, without their words: an update knows values
// that a state has as secrets.
func keys(found []engine.Finding) []string {
	out := make([]string, len(found))
	for i, f := range found {
		out[i] = f.Policy + " " + f.URN
	}
	return out
}
