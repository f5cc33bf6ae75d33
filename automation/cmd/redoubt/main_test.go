package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/blueprint"
	"redoubt/automation/rehearse"
	"redoubt/automation/runner"
	"redoubt/internal/built"
	"redoubt/policy/exempt"
)

// pack is the policy pack.
var pack string

func TestMain(m *testing.M) {
	if os.Getenv(asRedoubt) != "" {
		main() // exits
	}
	if len(os.Args) > 1 && os.Args[1] == runner.ChildCommand {
		// The child of an operation is this executable again.
		os.Exit(run(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
	}
	var err error
	if pack, err = built.Pack(); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

const root = "../../.."

// redoubt runs the command line and returns what it printed.
func redoubt(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	code = run(t.Context(), args, &out, &err)
	return code, out.String(), err.String()
}

// The main job: both stacks, from preview to destroy, each under the pack's profile
// guide and what its environment adds to it, and without an exemption.
func TestRehearse(t *testing.T) {
	t.Parallel()
	// The engine alone takes as long as all else: it is measured once.
	profiles := map[string][]string{"prod": {"--policy-config", filepath.Join(root, "policy", "profiles", "prod.json")}}
	for stack, floor := range map[string]string{"dev": "--floor", "prod": "--no-floor"} {
		t.Run(stack, func(t *testing.T) {
			t.Parallel()
			args := append([]string{"rehearse", "--project", root, "--policy-pack", pack, "--policy-profile", "guide", "--stack", stack, floor, "--json"}, profiles[stack]...)
			code, stdout, stderr := redoubt(t, args...)
			require.Equal(t, exitOK, code, "%s\n%s", stdout, stderr)
			var report rehearse.Report
			require.NoError(t, json.Unmarshal([]byte(stdout), &report))
			require.True(t, report.Rehearsal, "a rehearsal says that it is one")
			require.Len(t, report.Stacks, 1)
			s := report.Stacks[0]
			require.Zero(t, s.Mandatory, "%v", s.Findings)
			for _, f := range s.Findings {
				require.Nil(t, f.Exemption, f.Message)
				require.NotEqual(t, exempt.Policy, f.Policy, f.Message)
			}
			require.Greater(t, s.Resources, 100)
			names := make([]string, 0, len(s.Phases))
			for _, p := range s.Phases {
				require.True(t, p.OK, p.Problem)
				require.Equal(t, floor == "--floor", p.FloorSeconds > 0, p.Name)
				names = append(names, p.Name)
			}
			require.Equal(t, []string{"preview", "up", "preview again", "change", "drift", "repair", "destroy"}, names)
			require.Zero(t, s.Phases[2].Changes)
		})
	}
}

// Each known mistake is refused by its own rule, and nothing else is found: the
// policy pack finds what is planted, and only that. Every family has some.
func TestRehearseBreakAll(t *testing.T) {
	t.Parallel()
	code, stdout, stderr := redoubt(t, "rehearse", "--project", root, "--policy-pack", pack, "--break", "all", "--json")
	require.Equal(t, exitOK, code, "%s\n%s", stdout, stderr)
	var report rehearse.Report
	require.NoError(t, json.Unmarshal([]byte(stdout), &report))
	require.True(t, report.Rehearsal, "a rehearsal says that it is one")
	require.Len(t, report.Breaks, 1)
	b := report.Breaks[0]
	require.Equal(t, "prod", b.Stack)
	require.Empty(t, b.Extra)
	require.Len(t, b.Mistakes, len(blueprint.DefenseInDepth.Mistakes))
	require.GreaterOrEqual(t, len(b.Mistakes), 60)
	for _, m := range b.Mistakes {
		require.True(t, m.Refused, "%s: %s", m.Name, m.Problem)
		require.Equal(t, m.Rule, m.Finding.Policy)
		require.Contains(t, m.Finding.Message, "fix: ", "the finding says how to fix it")
	}
}

// One mistake alone is shown with its finding, and one that cannot be made is said.
func TestRehearseBreak(t *testing.T) {
	t.Parallel()
	t.Run("one", func(t *testing.T) {
		t.Parallel()
		code, stdout, stderr := redoubt(t, "rehearse", "--project", root, "--policy-pack", pack, "--stack", "dev", "--break", "unencrypted-bucket")
		require.Equal(t, exitOK, code, "%s\n%s", stdout, stderr)
		require.Contains(t, stdout, "1 of 1 mistakes refused, each by its own rule, in 2 previews")
		require.Contains(t, stdout, "s3-kms-encryption on s3/bucketV2 redoubt-dev-data-bucket", "the finding names rule and resource")
		require.Contains(t, stdout, "guide: ", "the finding cites the bullet")
		require.Contains(t, stdout, "fix: ", "the finding says how to fix it")
	})
	t.Run("not here", func(t *testing.T) {
		t.Parallel()
		code, _, stderr := redoubt(t, "rehearse", "--project", root, "--policy-pack", pack, "--stack", "dev", "--break", "detector-feature-off")
		require.Equal(t, exitError, code, stderr)
		require.Contains(t, stderr, "mistake detector-feature-off: guardduty-features-enabled refuses the stack without the mistake too")
	})
	t.Run("list", func(t *testing.T) {
		t.Parallel()
		code, stdout, _ := redoubt(t, "rehearse", "--break", "list")
		require.Equal(t, exitOK, code)
		for _, m := range blueprint.DefenseInDepth.Mistakes {
			require.Contains(t, stdout, m.Name)
			require.Contains(t, stdout, m.Deed)
		}
	})
}

// What people get wrong: one clear message each, exit code 2, nothing written.
func TestBadInput(t *testing.T) {
	t.Parallel()
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, busy.Close()) })
	_, port, err := net.SplitHostPort(busy.Addr().String())
	require.NoError(t, err)
	corrupt := filepath.Join(t.TempDir(), "account.json")
	require.NoError(t, os.WriteFile(corrupt, []byte("{not an account"), 0o600))
	salted := project(t, map[string]string{"Pulumi.dev.yaml": "encryptionsalt: v1:abc:v1:def\nconfig:\n  aws:region: eu-central-1\n"})

	rows := map[string]struct {
		args []string
		want []string
	}{
		"unknown command":    {[]string{"rehears"}, []string{"rehears"}},
		"unknown flag":       {[]string{"rehearse", "--stak", "dev"}, []string{"--stak"}},
		"unknown stack":      {[]string{"rehearse", "--project", root, "--policy-pack", pack, "--stack", "qa"}, []string{`stack "qa": there is no`, "Pulumi.qa.yaml", "stacks here: account, dev, prod, staging"}},
		"unknown profile":    {[]string{"rehearse", "--project", root, "--policy-pack", pack, "--policy-profile", "cis"}, []string{`"cis" is no profile: did you mean cis-5?`, "nist-800-53"}},
		"unknown mistake":    {[]string{"rehearse", "--project", root, "--policy-pack", pack, "--break", "nothing"}, []string{`there is no mistake "nothing"`, "did you mean ", "--break list"}},
		"no project":         {[]string{"rehearse", "--project", t.TempDir(), "--policy-pack", pack}, []string{"no Pulumi project in"}},
		"missing passphrase": {[]string{"rehearse", "--project", salted, "--policy-pack", pack}, []string{`stack "dev" has encrypted configuration`, "PULUMI_CONFIG_PASSPHRASE"}},
		"port in use":        {[]string{"rehearse", "--project", root, "--account", filepath.Join(t.TempDir(), "a.json"), "--port", port, "--", "true"}, []string{port, "in use"}},
		"corrupt account":    {[]string{"rehearse", "--project", root, "--account", corrupt, "--", "true"}, []string{corrupt}},
		"no such program":    {[]string{"rehearse", "--project", root, "--account", filepath.Join(t.TempDir(), "a.json"), "--", "no-such-program"}, []string{"no-such-program cannot be started"}},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, stdout, stderr := redoubt(t, row.args...)
			require.Equal(t, exitError, code, "%s\n%s", stdout, stderr)
			for _, want := range row.want {
				require.Contains(t, stderr, want)
			}
			require.Empty(t, stdout)
		})
	}
	text, err := os.ReadFile(corrupt)
	require.NoError(t, err)
	require.Equal(t, "{not an account", string(text), "a corrupt file is left as it is")
}

// A configuration with mistakes ends the rehearsal with all of them, exit code 1.
func TestRehearseShowsEveryConfigurationFinding(t *testing.T) {
	t.Parallel()
	dev, err := os.ReadFile(filepath.Join(root, "Pulumi.dev.yaml"))
	require.NoError(t, err)
	folder := project(t, map[string]string{"Pulumi.dev.yaml": string(dev) + "  redoubt:netwrok: {}\n  redoubt:network:\n    cidr: 10.0.0.0/30\n  redoubt:replicaRegion: eu-central-1\n"})
	code, stdout, stderr := redoubt(t, "rehearse", "--project", folder, "--policy-pack", pack)
	require.Equal(t, exitFailed, code, stderr)
	require.Contains(t, stdout, `redoubt:netwrok: there is no such key (did you mean "network"?)`)
	require.Contains(t, stdout, `redoubt:network.cidr: /30 is out of range (/16 to /22)`)
	require.Contains(t, stdout, `redoubt:replicaRegion: eu-central-1 is aws:region itself`)
}

// A malformed exemption stops the preview and names the field.
func TestRehearseRefusesAMalformedExemption(t *testing.T) {
	t.Parallel()
	config := filepath.Join(t.TempDir(), "policy.json")
	require.NoError(t, os.WriteFile(config, []byte(`{"exemptions":{"entries":[{"rule":"kms-key-rotation-enabled","resource":"*","owner":"me","expires":"soon"}]}}`), 0o600))
	code, stdout, stderr := redoubt(t, "rehearse", "--project", root, "--policy-pack", pack, "--policy-config", config)
	require.NotEqual(t, exitOK, code)
	require.Contains(t, stdout+stderr, "reason")
	require.Contains(t, stdout+stderr, "expires")
}

// Any command, with the account in the environment; the child's exit code is ours.
func TestRehearseRunsACommand(t *testing.T) {
	t.Parallel()
	account := filepath.Join(t.TempDir(), "account.json")
	code, stdout, stderr := redoubt(t, "rehearse", "--project", root, "--account", account, "--", "sh", "-c", "echo $PULUMI_DEBUG_PROVIDERS; exit 7")
	require.Equal(t, 7, code, stderr)
	require.True(t, strings.HasPrefix(stdout, "aws:"), stdout)
}

// Separate commands see the same account, the stack's file stays as it was.
func TestRehearseKeepsTheAccountBetweenCommands(t *testing.T) {
	t.Parallel()
	dev, err := os.ReadFile(filepath.Join(root, "Pulumi.dev.yaml"))
	require.NoError(t, err)
	infra, err := filepath.Abs(filepath.Join(root, "infra"))
	require.NoError(t, err)
	archives, err := filepath.Abs(filepath.Join(root, "dist", "functions"))
	require.NoError(t, err)
	dev = append(dev, "  redoubt:functions:\n    dir: "+archives+"\n"...)
	folder := project(t, map[string]string{"Pulumi.dev.yaml": string(dev)})
	replace(t, filepath.Join(folder, "Pulumi.yaml"), "main: infra", "main: "+infra)
	pulumi := func(args ...string) string {
		t.Helper()
		code, stdout, stderr := redoubt(t, append([]string{"rehearse", "--project", folder, "--", "pulumi", "--cwd", folder, "--non-interactive", "--color", "never"}, args...)...)
		require.Equal(t, exitOK, code, "%s\n%s", stdout, stderr)
		return stdout
	}
	require.Contains(t, pulumi("up", "--stack", "dev", "--yes", "--skip-preview"), "created")
	// A refresh reads every resource from the account, and runs no program.
	require.Contains(t, pulumi("refresh", "--stack", "dev", "--yes", "--skip-preview", "--expect-no-changes"), "unchanged")
	pulumi("destroy", "--stack", "dev", "--yes", "--skip-preview")
	after, err := os.ReadFile(filepath.Join(folder, "Pulumi.dev.yaml"))
	require.NoError(t, err)
	require.Equal(t, string(dev), string(after), "the rehearsal's salt does not stay in the user's file")
}

// project makes a project folder with these files instead of the committed ones.
func project(t *testing.T, files map[string]string) string {
	t.Helper()
	folder := t.TempDir()
	text, err := os.ReadFile(filepath.Join(root, "Pulumi.yaml"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(folder, "Pulumi.yaml"), text, 0o600))
	for name, content := range files {
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600))
	}
	return folder
}

func replace(t *testing.T, file, from, to string) {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Contains(t, string(text), from)
	require.NoError(t, os.WriteFile(file, []byte(strings.ReplaceAll(string(text), from, to)), 0o600))
}

// An order by the blueprint's name: its example, or what a file says.
func TestRehearseAnOrder(t *testing.T) {
	t.Parallel()
	code, stdout, stderr := redoubt(t, "rehearse", "--project", root, "--policy-pack", pack, "--blueprint", "secure-bucket", "--stack", "files", "--json")
	require.Equal(t, exitOK, code, "%s\n%s", stdout, stderr)
	var report rehearse.Report
	require.NoError(t, json.Unmarshal([]byte(stdout), &report))
	require.Len(t, report.Stacks, 1)
	require.Len(t, report.Stacks[0].Phases, 7)

	inputs := filepath.Join(t.TempDir(), "order.json")
	require.NoError(t, os.WriteFile(inputs, []byte(`{"region":"eu-central-1","expire":1}`), 0o600))
	code, _, stderr = redoubt(t, "rehearse", "--project", root, "--policy-pack", pack, "--blueprint", "secure-bucket", "--inputs", inputs)
	require.NotEqual(t, exitOK, code)
	require.Contains(t, stderr, "/expire: there is no such input")
	for _, args := range [][]string{{"--inputs", inputs}, {"--blueprint", "secure-bukkit"}} {
		code, _, stderr = redoubt(t, append([]string{"rehearse", "--project", root, "--policy-pack", pack}, args...)...)
		require.NotEqual(t, exitOK, code)
		require.Contains(t, stderr, "blueprint")
	}
}
