package stack_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"redoubt/guide"
	"redoubt/infra/stack"
	"redoubt/internal/graphtest"
)

// published is what a committed stack exports, resolved, and which of it is
// secret.
func published(t *testing.T, name string, change settings) (values map[string]any, secret map[string]bool, g *graphtest.Graph) {
	t.Helper()
	config, keys := committed(t, name)
	for k, v := range change {
		config[k] = v
		keys = append(keys, k)
	}
	// A run waits for what hangs on its resources, and not for plain texts.
	var resolved sync.WaitGroup
	var mu sync.Mutex
	values, secret = map[string]any{}, map[string]bool{}
	g = graphtest.Run(t, func(ctx *pulumi.Context) error {
		if err := stack.Program(keys)(ctx); err != nil {
			return err
		}
		for name, value := range ctx.GetCurrentExportMap() {
			out := pulumi.ToOutput(value)
			secret[name] = pulumi.IsSecret(out)
			resolved.Add(1)
			out.ApplyT(func(v any) any {
				defer resolved.Done()
				mu.Lock()
				defer mu.Unlock()
				values[name] = v
				return nil
			})
		}
		return nil
	}, graphtest.Config(config))
	resolved.Wait()
	return values, secret, g
}

// The names are a contract with other stacks: one that goes or is renamed
// breaks their references. After an addition: UPDATE_GOLDEN=1 go test ./infra/stack.
func TestOutputNamesAreAsRecorded(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"dev", "prod"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			values, _, _ := published(t, name, nil)
			got := strings.Join(paths(values), "\n") + "\n"
			path := filepath.Join("testdata", "outputs-"+name+".txt")
			if os.Getenv("UPDATE_GOLDEN") != "" {
				require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
			}
			want, err := os.ReadFile(path)
			require.NoError(t, err, "UPDATE_GOLDEN=1 go test writes it")
			require.Equal(t, string(want), got)
		})
	}
}

// paths are the names and the keys of maps below them; those of the report are
// the guide's.
func paths(values map[string]any) []string {
	var out []string
	var walk func(prefix string, v any)
	walk = func(prefix string, v any) {
		m, ok := v.(map[string]any)
		if !ok || prefix == "complianceReport" {
			out = append(out, prefix)
			return
		}
		for k, inner := range m {
			walk(prefix+"."+k, inner)
		}
	}
	for name, v := range values {
		walk(name, v)
	}
	slices.Sort(out)
	return out
}

// Nothing that is there is empty: an empty ARN in another stack's policy would
// pass for one.
func TestOutputsHaveValues(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"dev", "prod"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			values, _, _ := published(t, name, nil)
			var check func(at string, v any)
			check = func(at string, v any) {
				switch v := v.(type) {
				case map[string]any:
					for k, inner := range v {
						check(at+"."+k, inner)
					}
				default:
					require.NotContains(t, []string{"", "<nil>"}, fmt.Sprint(v), "%s is empty", at)
				}
			}
			for name, v := range values {
				check(name, v)
			}
			require.EqualValues(t, 5432, values["dbPort"])
			require.Contains(t, values["oauthDomain"], ".auth.eu-central-1.amazoncognito.com")
			require.Regexp(t, "^https://vpc-.*/_dashboards$", values["openSearchDashboardUrl"])
		})
	}
}

func TestEveryOutputIsDescribedOnce(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, o := range stack.Outputs {
		require.False(t, seen[o.Name], "%s stands twice", o.Name)
		seen[o.Name] = true
		require.Regexp(t, `^[A-Z].*\.$`, o.Meaning, "%s needs a sentence", o.Name)
	}
	for _, name := range []string{"dev", "prod"} {
		values, secret, _ := published(t, name, nil)
		for _, o := range stack.Outputs {
			if o.When == "" { // both run a workload
				require.Contains(t, values, o.Name, "%s is there always, says the table", o.Name)
			}
			if _, ok := values[o.Name]; ok {
				require.Equal(t, o.Secret, secret[o.Name], "%s", o.Name)
			}
		}
		require.LessOrEqual(t, len(values), len(stack.Outputs), "only rows of the table are exported")
	}
}

// A part that is off leaves no output behind.
func TestOutputsOfWhatIsOffAreAbsent(t *testing.T) {
	t.Parallel()
	values, _, _ := published(t, "dev", settings{
		"redoubt:audit":     `{"trail":{"mode":"off"}}`,
		"redoubt:alerting":  `{"accountEvents":false,"archiveDays":4}`,
		"redoubt:detection": `{"guardDuty":{"mode":"off"}}`,
		"redoubt:response":  `{"mode":"off"}`,
		"redoubt:identity":  `{}`,
		"redoubt:api":       `{}`,
	})
	for _, o := range stack.Outputs {
		if o.When != "" {
			require.NotContains(t, values, o.Name)
		}
	}
}

// A stack without a workload says nothing of one, and what it says is there.
func TestOutputsOfAnAccount(t *testing.T) {
	t.Parallel()
	values, _, _ := published(t, "account", nil)
	for _, o := range stack.Outputs {
		switch {
		case !o.InAccount:
			require.NotContains(t, values, o.Name)
		case o.When == "":
			require.Contains(t, values, o.Name)
		}
	}
	require.Subset(t, paths(values), []string{"trailArn", "detectorId", "breakGlassRoleArn", "buckets.audit.arn"})
	require.NotContains(t, paths(values), "kmsKeys.app.arn")
	require.NotContains(t, paths(values), "buckets.data.arn")
}

// What a stack has only if asked for.
func TestOutputsOfOptions(t *testing.T) {
	t.Parallel()
	values, _, _ := published(t, "dev", settings{
		"redoubt:database": `{"proxy":true}`,
		"redoubt:identity": `{"deployRole":{"forge":"github","provider":{"mode":"manage"},"subjects":["repo:acme/shop:environment:dev"]}}`,
		"redoubt:edge":     `{"shieldProtect":true,"shield":{"subscription":{"mode":"adopt"}}}`,
	})
	for _, name := range []string{"dbProxyEndpoint", "deployRoleArn", "shieldProtectionId"} {
		require.NotEmpty(t, values[name], name)
	}
	require.Contains(t, values["secretArns"], "dbProxyUser")
}

// The report names what was made, in order, and nothing that is switched off.
func TestComplianceReportIsWhatWasMade(t *testing.T) {
	t.Parallel()
	values, _, g := published(t, "prod", nil)
	report, ok := values["complianceReport"].(map[string]any)
	require.True(t, ok)
	serves := map[string]guide.Component{}
	for _, c := range stack.Components() {
		serves[c.Token] = c
	}
	reported := map[string]bool{}
	for id, list := range report {
		_, ok := guide.Lookup(guide.ID(id))
		require.True(t, ok, "%s is no bullet", id)
		urns, ok := list.([]string)
		require.True(t, ok, "%T", list)
		require.True(t, slices.IsSorted(urns))
		for _, urn := range urns {
			r := g.ByURN(urn)
			require.NotNil(t, r, "%s was not registered", urn)
			require.Contains(t, serves[r.Type].Serves, guide.ID(id))
			require.NotEmpty(t, g.Children(r), "%s made nothing", urn)
			reported[urn] = true
		}
	}
	for _, r := range g.Resources {
		if len(serves[r.Type].Serves) > 0 && len(g.Children(r)) > 0 {
			require.True(t, reported[r.URN], "%s is missing", r.URN)
		}
	}
}

func TestComplianceReportLeavesOutWhatIsOff(t *testing.T) {
	t.Parallel()
	values, _, _ := published(t, "dev", nil)
	report := values["complianceReport"].(map[string]any)
	require.Contains(t, report, string(guide.ArchitectureVPCFlowLogs))
	for id, list := range report {
		require.NotContains(t, fmt.Sprint(list), "redoubt-dev-hub", "%s: dev has no Security Hub", id)
	}
}
