package stack_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"redoubt/guide"
	"redoubt/infra/config"
	"redoubt/infra/stack"
	"redoubt/internal/graphtest"
)

// settings is a stack's committed file as a configuration source.
type settings map[string]string

func (s settings) GetConfig(key string) (string, bool) {
	v, ok := s[key]
	return v, ok
}

func committed(t *testing.T, name string) (values settings, keys []string) {
	t.Helper()
	root := filepath.Join("..", "..")
	project, err := workspace.LoadProject(filepath.Join(root, "Pulumi.yaml"))
	require.NoError(t, err)
	file, err := workspace.LoadProjectStack(nil, project, filepath.Join(root, "Pulumi."+name+".yaml"))
	require.NoError(t, err)
	values = settings{}
	for k, v := range file.Config {
		text, err := v.Value(nil)
		require.NoError(t, err)
		values[k.String()] = text
		keys = append(keys, k.String())
	}
	// Archives of a few bytes, so that the golden files do not change with the
	// toolchain that builds the real ones.
	archives, err := filepath.Abs(filepath.Join("testdata", "functions"))
	require.NoError(t, err)
	values["redoubt:functions"] = `{"dir":"` + filepath.ToSlash(archives) + `"}`
	keys = append(keys, "redoubt:functions")
	return values, keys
}

func graph(t *testing.T, name string) *graphtest.Graph {
	t.Helper()
	values, keys := committed(t, name)
	c, err := stack.Load(values, keys)
	require.NoError(t, err)
	return graphtest.Run(t, func(ctx *pulumi.Context) error {
		_, err := stack.Deploy(ctx, c)
		return err
	})
}

// The whole graph of each committed stack: type, name, parent and inputs.
// After a change: UPDATE_GOLDEN=1 go test ./infra/stack, and read the difference.
func TestGraphIsAsRecorded(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"dev", "prod"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			graph(t, name).Golden(filepath.Join("testdata", name+".json"))
		})
	}
}

// A stack that is told that its account is the organization's management
// account makes the guardrails too.
func TestGraphOfAManagementAccountIsAsRecorded(t *testing.T) {
	t.Parallel()
	values, keys := committed(t, "dev")
	values["redoubt:orgId"] = "o-a1b2c3d4e5"
	values["redoubt:identity"] = `{"organization":{"targets":["ou-ab12-cdef3456"],"allowedRegions":["eu-central-1","us-east-1"],
		"custodians":["arn:aws:iam::*:role/deploy-account"],"perimeter":true,"rootAccess":{"mode":"manage"}}}`
	c, err := stack.Load(values, append(keys, "redoubt:orgId", "redoubt:identity"))
	require.NoError(t, err)
	g := graphtest.Run(t, func(ctx *pulumi.Context) error {
		_, err := stack.Deploy(ctx, c)
		return err
	})
	require.NotEmpty(t, g.ByType("aws:organizations/policyAttachment:PolicyAttachment"))
	g.Golden(filepath.Join("testdata", "management.json"))
}

// A component that a stack uses must be listed, or its bullets are lost.
func TestEveryComponentIsListed(t *testing.T) {
	t.Parallel()
	listed := map[string]bool{}
	for _, c := range stack.Components() {
		require.False(t, listed[c.Token], "%s is listed twice", c.Token)
		listed[c.Token] = true
		for _, id := range c.Serves {
			_, ok := guide.Lookup(id)
			require.True(t, ok, "%s names bullet %s", c.Token, id)
		}
	}
	for _, r := range graph(t, "prod").Resources {
		if strings.HasPrefix(r.Type, "redoubt:") {
			require.True(t, listed[r.Type], "%s is used and not listed", r.Type)
		}
	}
}

// The guide's literals, as they reach AWS.
func TestLiteralsOfTheGuide(t *testing.T) {
	t.Parallel()
	g := graph(t, "prod")
	acl := g.Only("aws:wafv2/webAcl:WebAcl")
	require.Equal(t, "redoubt-prod-waf", acl.Input("name"))
	require.Equal(t, "WAF for application protection", acl.Input("description"))
	require.Equal(t, "REGIONAL", acl.Input("scope"))
	key := g.One("aws:kms/key:Key", "redoubt-prod-app-key")
	require.Equal(t, "Application encryption key", key.Input("description"))
	require.EqualValues(t, 30, key.Input("deletionWindowInDays"))
	require.Equal(t, true, key.Input("enableKeyRotation"))
	require.Equal(t, true, key.Input("multiRegion"))
}

// The address plan's objection comes together with the configuration's own.
func TestLoadReportsThePlanToo(t *testing.T) {
	t.Parallel()
	values, keys := committed(t, "prod")
	values["redoubt:network"] = `{"cidr":"192.0.2.0/22","availabilityZones":["a","b","c","d"]}`
	values["redoubt:logs"] = `{"flowDays":8}`
	_, err := stack.Load(values, append(keys, "redoubt:network", "redoubt:logs"))
	var found config.Findings
	require.ErrorAs(t, err, &found)
	require.Len(t, found, 2, "%v", err)
}
