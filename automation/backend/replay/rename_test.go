package replay_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/backend/replay"
)

var (
	dev  = replay.StackIdentity{Project: "shop", Stack: "dev", Org: "acme"}
	prod = replay.StackIdentity{Project: "store", Stack: "prod", Org: "acme"}
)

// renameCases are deployments as they are and as they are to be.
var renameCases = []struct{ name, before, after string }{
	{
		"the root resource's name is the project and the stack",
		`{"resources":[{"urn":"urn:pulumi:dev::shop::pulumi:pulumi:Stack::shop-dev","type":"pulumi:pulumi:Stack"}]}`,
		`{"resources":[{"urn":"urn:pulumi:prod::store::pulumi:pulumi:Stack::store-prod","type":"pulumi:pulumi:Stack"}]}`,
	},
	{
		"all references of a resource",
		`{"resources":[{"urn":"urn:pulumi:dev::shop::a:b:C::n","parent":"urn:pulumi:dev::shop::pulumi:pulumi:Stack::shop-dev",
		 "provider":"urn:pulumi:dev::shop::pulumi:providers:a::p::id-1","dependencies":["urn:pulumi:dev::shop::a:b:C::m"],
		 "propertyDependencies":{"x":["urn:pulumi:dev::shop::a:b:C::m"]},"deletedWith":"urn:pulumi:dev::shop::a:b:C::m",
		 "replaceWith":["urn:pulumi:dev::shop::a:b:C::m"],"aliases":["urn:pulumi:dev::shop::a:b:C::o"],
		 "viewOf":"urn:pulumi:dev::shop::a:b:C::m"}]}`,
		`{"resources":[{"urn":"urn:pulumi:prod::store::a:b:C::n","parent":"urn:pulumi:prod::store::pulumi:pulumi:Stack::store-prod",
		 "provider":"urn:pulumi:prod::store::pulumi:providers:a::p::id-1","dependencies":["urn:pulumi:prod::store::a:b:C::m"],
		 "propertyDependencies":{"x":["urn:pulumi:prod::store::a:b:C::m"]},"deletedWith":"urn:pulumi:prod::store::a:b:C::m",
		 "replaceWith":["urn:pulumi:prod::store::a:b:C::m"],"aliases":["urn:pulumi:prod::store::a:b:C::o"],
		 "viewOf":"urn:pulumi:prod::store::a:b:C::m"}]}`,
	},
	{
		"other stacks and projects stay",
		`{"resources":[{"urn":"urn:pulumi:dev::shop::a:b:C::n","aliases":["urn:pulumi:dev::old::a:b:C::n","urn:pulumi:dev2::shop::a:b:C::n"]}]}`,
		`{"resources":[{"urn":"urn:pulumi:prod::store::a:b:C::n","aliases":["urn:pulumi:dev::old::a:b:C::n","urn:pulumi:dev2::shop::a:b:C::n"]}]}`,
	},
	{
		"references to resources in properties, but no text that looks like a URN",
		`{"resources":[{"inputs":{"text":"urn:pulumi:dev::shop::a:b:C::n","n":12345678901234567890,
		 "ref":{"urn":"urn:pulumi:dev::shop::a:b:C::n","4dabf18193072939515e22adb298388d":"5cf8f73096256a8f31e491e813e4eb8e"}}}]}`,
		`{"resources":[{"inputs":{"text":"urn:pulumi:dev::shop::a:b:C::n","n":12345678901234567890,
		 "ref":{"urn":"urn:pulumi:prod::store::a:b:C::n","4dabf18193072939515e22adb298388d":"5cf8f73096256a8f31e491e813e4eb8e"}}}]}`,
	},
	{
		"pending operations and snippets",
		`{"pending_operations":[{"type":"creating","resource":{"urn":"urn:pulumi:dev::shop::a:b:C::n"}}],
		 "snippets":[{"uuid":"u","references":{"x":"urn:pulumi:dev::shop::a:b:C::n"}}]}`,
		`{"pending_operations":[{"type":"creating","resource":{"urn":"urn:pulumi:prod::store::a:b:C::n"}}],
		 "snippets":[{"uuid":"u","references":{"x":"urn:pulumi:prod::store::a:b:C::n"}}]}`,
	},
	{
		"the service's secrets manager",
		`{"secrets_providers":{"type":"service","state":{"url":"https://r.example","owner":"acme","project":"shop","stack":"dev"}}}`,
		`{"secrets_providers":{"type":"service","state":{"url":"https://r.example","owner":"acme","project":"store","stack":"prod"}}}`,
	},
	{
		"another stack's secrets manager stays, and so does another kind's",
		`{"secrets_providers":{"type":"service","state":{"project":"shop","stack":"dev2"}}}`,
		`{"secrets_providers":{"type":"service","state":{"project":"shop","stack":"dev2"}}}`,
	},
	{
		"escapes",
		`{"resources":[{"\u0075rn":"urn:pulumi:\u0064ev::shop::a:b:C::\u00e9\n"}]}`,
		`{"resources":[{"\u0075rn":"urn:pulumi:prod::store::a:b:C::é\n"}]}`,
	},
	{
		"what is no URN stays",
		`{"resources":[{"urn":"urn:pulumi:dev::shop::x","provider":"urn:pulumi:dev::shop","parent":null,"dependencies":null}]}`,
		`{"resources":[{"urn":"urn:pulumi:dev::shop::x","provider":"urn:pulumi:dev::shop","parent":null,"dependencies":null}]}`,
	},
}

func TestRename(t *testing.T) {
	t.Parallel()
	wrap := func(d string) json.RawMessage { return json.RawMessage(`{"version":3,"deployment":` + d + `}`) }
	for _, c := range renameCases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := replay.Rename(wrap(c.before), dev, prod)
			require.NoError(t, err)
			require.Equal(t, string(wrap(c.after)), string(got))
		})
	}
}

func TestRenameOfNothing(t *testing.T) {
	t.Parallel()
	for _, empty := range []string{"", "null", "{}", `{"version":3}`, `{"version":3,"deployment":{}}`} {
		got, err := replay.Rename(json.RawMessage(empty), dev, prod)
		require.NoError(t, err)
		require.Equal(t, empty, string(got))
	}
}

func TestRenameRefuses(t *testing.T) {
	t.Parallel()
	_, err := replay.Rename(nil, dev, replay.StackIdentity{Project: "a::b", Stack: "c"})
	require.EqualError(t, err, `"a::b" cannot be the name of a project or a stack in a URN`)
	_, err = replay.Rename(json.RawMessage(`{"version":2,"deployment":{}}`), dev, prod)
	require.ErrorContains(t, err, "version 2 of the format")
	_, err = replay.Rename(json.RawMessage(`{"deployment":[]}`), dev, prod)
	require.EqualError(t, err, "the state cannot be read: expected an object, found a list")
}

func TestRenameChangesTheOwnerOnlyWhereAsked(t *testing.T) {
	t.Parallel()
	state := json.RawMessage(
		`{"deployment":{"secrets_providers":{"type":"service","state":{"owner":"acme","project":"shop","stack":"dev"}}}}`)
	to := dev
	to.Org = "other"
	got, err := replay.Rename(state, dev, to)
	require.NoError(t, err)
	require.Equal(t, strings.ReplaceAll(string(state), "acme", "other"), string(got))
	to.Org = ""
	got, err = replay.Rename(state, dev, to)
	require.NoError(t, err)
	require.Equal(t, string(state), string(got))
}

// TestRenameEqualsReference renames random states with Pulumi's own function too,
// and back again.
func TestRenameEqualsReference(t *testing.T) {
	t.Parallel()
	ref := startReference(t)
	seed, count := number(t, "REPLAY_SEED", 1), number(t, "REPLAY_JOURNALS", 4000)/4
	for i := range count {
		base := generate(seed, i).Base
		state := json.RawMessage(`{"version":3,"deployment":` + string(base) + `}`)
		renamed, err := replay.Rename(state, dev, prod)
		require.NoError(t, err)
		theirs := ref.ask(t, map[string]any{"base": base, "rename": map[string]string{
			"oldProject": dev.Project, "oldStack": dev.Stack, "newProject": prod.Project, "newStack": prod.Stack,
		}})
		require.Empty(t, theirs.Error)
		our, their := withoutOurs(t, renamed), withoutOurs(t, theirs.Deployment)
		require.True(t, our == their, "REPLAY_SEED=%d, journal %d\n%s", seed, i, firstDifference(our, their))
		back, err := replay.Rename(renamed, prod, dev)
		require.NoError(t, err)
		require.Equal(t, string(state), string(back), "REPLAY_SEED=%d, journal %d", seed, i)
	}
}

// withoutOurs is a state without what only we rename.
func withoutOurs(t *testing.T, untyped json.RawMessage) string {
	t.Helper()
	var d map[string]any
	require.NoError(t, json.Unmarshal(untyped, &d))
	inner := d["deployment"].(map[string]any)
	delete(inner, "secrets_providers")
	delete(inner, "snippets")
	raw, err := json.Marshal(d)
	require.NoError(t, err)
	return comparable(t, raw)
}
