package audit_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optpreview"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optup"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"redoubt/automation/engine"
	"redoubt/internal/built"
	"redoubt/internal/rehearsal"
	"redoubt/policy/analyzer"
	"redoubt/policy/audit"
	"redoubt/policy/report"
)

const canary = "CANARY-3b1d77"

// shop is a program with mistakes, right things, a join and a secret.
func shop(ctx *pulumi.Context) error {
	var errs []error
	made := func(token, name string, in pulumi.Map) pulumi.StringOutput {
		var r struct{ pulumi.CustomResourceState }
		errs = append(errs, ctx.RegisterResource(token, name, in, &r))
		return r.ID().ToStringOutput()
	}
	made("aws:kms/key:Key", "good", pulumi.Map{"enableKeyRotation": pulumi.Bool(true)})
	made("aws:kms/key:Key", "bad", pulumi.Map{"enableKeyRotation": pulumi.Bool(false)})
	vpc := made("aws:ec2/vpc:Vpc", "main", pulumi.Map{"cidrBlock": pulumi.String("10.0.0.0/16")})
	made("aws:ec2/securityGroup:SecurityGroup", "open", pulumi.Map{
		"vpcId": vpc, "ingress": pulumi.Array{pulumi.Map{
			"protocol": pulumi.String("tcp"), "fromPort": pulumi.Int(22), "toPort": pulumi.Int(22), "cidrBlocks": pulumi.StringArray{pulumi.String("0.0.0.0/0")},
		}},
	})
	made("aws:s3/bucketV2:BucketV2", "data", pulumi.Map{})
	secret := made("aws:secretsmanager/secret:Secret", "token", pulumi.Map{})
	made("aws:secretsmanager/secretVersion:SecretVersion", "token", pulumi.Map{
		"secretId": secret, "secretString": pulumi.ToSecret(pulumi.String(canary)),
	})
	return errors.Join(errs...)
}

// world is a stack of shop in a simulated account, and the CLI that runs it.
type world struct {
	stack auto.Stack
	cli   string
	env   map[string]string
	// report is the folder for what the pack writes.
	reports string
}

func newWorld(t *testing.T) world {
	t.Helper()
	account, err := rehearsal.Open("")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, account.Close()) })
	server, err := rehearsal.Serve(t.Context(), account, "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close()) })
	found, err := engine.FindCLI()
	require.NoError(t, err)
	w := world{cli: found.Executable, reports: t.TempDir()}
	root := t.TempDir()
	require.NoError(t, os.Symlink(filepath.Dir(found.Executable), filepath.Join(root, "bin")))
	command, err := auto.NewPulumiCommand(&auto.PulumiCommandOptions{Root: root})
	require.NoError(t, err)
	w.env = map[string]string{
		"PULUMI_BACKEND_URL": "file://" + t.TempDir(), "PULUMI_HOME": t.TempDir(), "PULUMI_CONFIG_PASSPHRASE": "audit", "PULUMI_SKIP_UPDATE_CHECK": "true",
		"PULUMI_DEBUG_PROVIDERS": strings.TrimPrefix(server.Env(), "PULUMI_DEBUG_PROVIDERS="),
		"REDOUBT_POLICY_REPORT":  filepath.Join(w.reports, "report.json") + "," + filepath.Join(w.reports, "{pack}.sarif"),
		"REDOUBT_POLICY_HISTORY": filepath.Join(w.reports, "history"),
	}
	w.stack, err = auto.UpsertStackInlineSource(t.Context(), "organization/shop/dev", "shop", shop, auto.Pulumi(command), auto.EnvVars(w.env))
	require.NoError(t, err)
	require.NoError(t, w.stack.SetConfig(t.Context(), "aws:region", auto.ConfigValue{Value: "eu-west-1"}))
	return w
}

// written is the report that the pack wrote.
func (w world) written(t *testing.T) report.Report {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(w.reports, "report.json"))
	require.NoError(t, err)
	require.NotContains(t, string(text), "CANARY")
	var r report.Report
	require.NoError(t, json.Unmarshal(text, &r))
	return r
}

// found are the findings as policy and resource.
func found(r report.Report) []string {
	var out []string
	for _, f := range r.Findings {
		out = append(out, f.Policy+" "+f.URN)
	}
	return out
}

const badKey = "kms-key-rotation-enabled urn:pulumi:dev::shop::aws:kms/key:Key::bad"

// The stock CLI's preview and update write reports; the state that is deployed is
// judged here as the CLI judges it.
func TestAuditAgreesWithTheEngine(t *testing.T) {
	t.Parallel()
	pack, err := built.Pack()
	require.NoError(t, err)
	w := newWorld(t)

	// A preview is refused by mandatory findings, and there is a report all the same.
	_, err = w.stack.Preview(t.Context(), optpreview.PolicyPacks(pack))
	require.Error(t, err)
	r := w.written(t)
	require.Equal(t, report.PhasePreview, r.Subject.Phase)
	require.Equal(t, "organization/shop/dev", r.Subject.Stack)
	require.False(t, r.Incomplete)
	require.Contains(t, found(r), badKey)
	require.FileExists(t, filepath.Join(w.reports, "redoubt.sarif"))

	// An update without a preview ends at the first: what is known is written.
	_, err = w.stack.Up(t.Context(), optup.PolicyPacks(pack))
	require.Error(t, err)
	r = w.written(t)
	require.Equal(t, report.PhaseUpdate, r.Subject.Phase)
	require.True(t, r.Incomplete)
	require.Positive(t, r.Summary.Mandatory)

	// With advice only it comes to its end.
	config := filepath.Join(t.TempDir(), "policy.json")
	require.NoError(t, os.WriteFile(config, []byte(`{"all": "advisory"}`), 0o600))
	_, err = w.stack.Up(t.Context(), optup.PolicyPacks(pack), optup.PolicyPackConfigs(config))
	require.NoError(t, err)
	updated := w.written(t)
	require.Equal(t, report.PhaseUpdate, updated.Subject.Phase)
	require.False(t, updated.Incomplete)
	require.Zero(t, updated.Summary.Mandatory)
	history, err := os.ReadDir(filepath.Join(w.reports, "history"))
	require.NoError(t, err)
	require.NotEmpty(t, history)

	exported, err := w.stack.Export(t.Context())
	require.NoError(t, err)
	text, err := json.Marshal(exported)
	require.NoError(t, err)
	require.True(t, bytes.Contains(text, []byte(canary)), "the Automation API exports secrets in plain text")
	settings, err := analyzer.ParseConfig([]byte(`{"all": "advisory"}`))
	require.NoError(t, err)
	audited := judge(t, text, audit.Options{Config: settings})
	require.Equal(t, found(updated), found(audited), "an update and an audit of what it made see the same")
	for _, format := range report.Formats() {
		var out bytes.Buffer
		require.NoError(t, audited.Write(&out, report.Format(format)))
		require.NotContains(t, out.String(), "CANARY", format)
	}
	require.Equal(t, w.analyzed(t, pack, exported), found(audited), "pulumi policy analyze sees the same")
}

// analyzed are the findings of `pulumi policy analyze` on a state.
func (w world) analyzed(t *testing.T, pack string, exported apitype.UntypedDeployment) []string {
	t.Helper()
	text, err := json.Marshal(exported)
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "state.json")
	require.NoError(t, os.WriteFile(file, text, 0o600))
	cmd := exec.CommandContext(t.Context(), w.cli, "policy", "analyze", "--file", file, "--policy-pack", pack, "--json", "--non-interactive")
	cmd.Env, cmd.Dir = os.Environ(), t.TempDir()
	for name, value := range w.env {
		if !strings.HasPrefix(name, "REDOUBT_") {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
	}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	require.Error(t, cmd.Run(), "mandatory findings: %s", stderr.String())
	var out []string
	for lines := bufio.NewScanner(&stdout); lines.Scan(); {
		var e apitype.EngineEvent
		require.NoError(t, json.Unmarshal(lines.Bytes(), &e))
		if p := e.PolicyEvent; p != nil && p.PolicyName != "unknowns" {
			out = append(out, p.PolicyName+" "+p.ResourceURN)
		}
	}
	slices.Sort(out)
	return out
}
