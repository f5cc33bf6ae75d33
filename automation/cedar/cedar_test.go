package cedar_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/automation/backend"
	"redoubt/automation/cedar"
	"redoubt/automation/provision"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// authorizer is one with policies of an administrator's own: file names and texts.
func authorizer(t testing.TB, own ...string) *cedar.Authorizer {
	t.Helper()
	a, err := cedar.New(cedar.Options{Folder: folder(t, own...), Now: func() time.Time { return now }})
	require.NoError(t, err)
	return a
}

// folder has files; empty without any.
func folder(t testing.TB, own ...string) string {
	t.Helper()
	if len(own) == 0 {
		return ""
	}
	dir := t.TempDir()
	for i := 0; i < len(own); i += 2 {
		require.NoError(t, os.WriteFile(filepath.Join(dir, own[i]), []byte(own[i+1]), 0o600))
	}
	return dir
}

func bind(subject string, role provision.Role, scope string) provision.Binding {
	return provision.Binding{Subject: subject, Role: role, Scope: scope}
}

// alice signed in with a second factor, and is in two groups.
var alice = provision.Principal{Kind: provision.Human, Name: "alice", Human: "alice", Groups: []string{"shop", "oncall"}, MFA: true, AuthMethod: "oidc"}

// web is a stack.
var web = provision.Resource{Org: "acme", Project: "shop", Stack: "web-prod"}

func decide(t testing.TB, a *cedar.Authorizer, p provision.Principal, action provision.Action, on provision.Resource, bindings ...provision.Binding) provision.Decision {
	t.Helper()
	d, err := a.Decide(p, bindings, action, on)
	require.NoError(t, err)
	return d
}

func TestScopes(t *testing.T) {
	t.Parallel()
	a := authorizer(t)
	org, project := provision.Resource{Org: "acme"}, provision.Resource{Org: "acme", Project: "shop"}
	everywhere := provision.Resource{}
	for _, c := range []struct {
		scope string
		on    provision.Resource
		want  bool
	}{
		{"*", everywhere, true},
		{"*", org, true},
		{"*", web, true},
		{"acme", everywhere, false},
		{"acme", org, true},
		{"acme", project, true},
		{"acme", web, true},
		{"ACME", web, true},
		{"acme", provision.Resource{Org: "Acme"}, true},
		{"acm", org, false},
		{"a*", org, true},
		{"acme/shop", org, false},
		{"acme/shop", project, true},
		{"acme/shop", web, true},
		{"acme/shop", provision.Resource{Org: "acme", Project: "shopping"}, false},
		{"acme/*", org, false},
		{"acme/*", project, true},
		{"*/shop", web, true},
		{"acme/shop/web-prod", project, false},
		{"acme/shop/web-prod", web, true},
		{"acme/shop/web-*", web, true},
		{"acme/shop/*-dev", web, false},
		{"acme/shop/web-????", web, true},
		{"*/*/*", web, true},
		{"*/*/*", project, false},
		{"acme/shop/web-prod/more", web, false},
		{"", web, false},
		{"", everywhere, false},
		{"acme/", project, false},
		{"acme/[", project, false}, // no pattern
		{"acme/shop/[", web, false},
	} {
		d := decide(t, a, alice, provision.ActionRead, c.on, bind("user:alice", provision.Viewer, c.scope))
		require.Equal(t, c.want, d.Allowed, "%q on %+v", c.scope, c.on)
	}
}

func TestSubjects(t *testing.T) {
	t.Parallel()
	a := authorizer(t)
	program := provision.Principal{Kind: provision.ServiceAccount, Name: "alice", Human: "alice", AuthMethod: "token"}
	for _, c := range []struct {
		subject string
		p       provision.Principal
		want    bool
	}{
		{"user:alice", alice, true},
		{"user:Alice", alice, false},
		{"user:bob", alice, false},
		{"group:oncall", alice, true},
		{"group:alice", alice, false},
		{"service_account:alice", alice, false},
		{"service_account:alice", program, true},
		{"user:alice", program, false}, // a program has not its owner's bindings
		{"alice", alice, false},
	} {
		d := decide(t, a, c.p, provision.ActionRead, web, bind(c.subject, provision.Viewer, "*"))
		require.Equal(t, c.want, d.Allowed, "%s for %s %s", c.subject, c.p.Kind, c.p.Name)
	}
	d := decide(t, a, alice, provision.ActionRead, web)
	require.False(t, d.Allowed, "without a binding nothing is allowed")
	require.Empty(t, d.Policies)
	d = decide(t, a, alice, provision.ActionRead, web, bind("user:alice", "root", "*"))
	require.False(t, d.Allowed, "an unknown role is none")
}

func TestBreakGlass(t *testing.T) {
	t.Parallel()
	a := authorizer(t)
	for _, c := range []struct {
		expires time.Time
		want    bool
	}{{time.Time{}, true}, {now.Add(time.Second), true}, {now, false}, {now.Add(-time.Hour), false}} {
		b := bind("user:alice", provision.ProjectAdmin, "acme")
		b.Expires = c.expires
		require.Equal(t, c.want, decide(t, a, alice, provision.ActionDestroy, web, b).Allowed, "%s", c.expires)
	}
}

func TestFourEyes(t *testing.T) {
	t.Parallel()
	a := authorizer(t)
	asked := web
	asked.RequestedBy = "alice"
	all := []provision.Binding{}
	for _, r := range provision.Roles {
		all = append(all, bind("user:alice", r, "*"), bind("service_account:ci", r, "*"))
	}
	d := decide(t, a, alice, provision.ActionApprove, asked, all...)
	require.False(t, d.Allowed)
	require.False(t, d.NeedsMFA)
	require.Equal(t, []string{"four-eyes"}, d.Policies)
	asked.RequestedBy = "bob"
	require.True(t, decide(t, a, alice, provision.ActionApprove, asked, all...).Allowed)

	program := provision.Principal{Kind: provision.ServiceAccount, Name: "ci", MFA: true, AuthMethod: "token"}
	require.Equal(t, []string{"four-eyes"}, decide(t, a, program, provision.ActionApprove, asked, all...).Policies, "nobody stands behind it")
	program.Human = "bob"
	require.False(t, decide(t, a, program, provision.ActionApprove, asked, all...).Allowed, "bob's program approves what bob ordered")
}

func TestSecondFactor(t *testing.T) {
	t.Parallel()
	a := authorizer(t)
	p := alice
	p.MFA = false
	admin := bind("user:alice", provision.ProjectAdmin, "acme/shop")
	d := decide(t, a, p, provision.ActionReveal, web, admin)
	require.Equal(t, provision.Decision{Policies: []string{"second-factor"}, NeedsMFA: true}, d)
	d = decide(t, a, p, provision.ActionWaive, web, admin)
	require.False(t, d.NeedsMFA, "a second factor would not help")
	require.Equal(t, provision.Decision{Allowed: true, Policies: []string{"project-admin"}}, decide(t, a, p, provision.ActionApply, web, admin))
}

func TestAdministratorOfTheBackend(t *testing.T) {
	t.Parallel()
	a := authorizer(t)
	p := provision.Principal{Kind: provision.Human, Name: "admin", Human: "admin", AuthMethod: "token"}
	require.False(t, decide(t, a, p, provision.ActionManageSettings, provision.Resource{}).Allowed)
	p.Caller.Token.Grants = []backend.Grant{{Stacks: "acme/*/*", Verbs: []backend.Verb{backend.Admin}}, {Stacks: "*/*/*", Verbs: []backend.Verb{backend.Apply}}}
	require.False(t, decide(t, a, p, provision.ActionManageSettings, provision.Resource{}).Allowed)
	p.Caller.Token.Grants = []backend.Grant{{Stacks: "*/*/*", Verbs: []backend.Verb{backend.Read, backend.Admin}}}
	require.True(t, decide(t, a, p, provision.ActionManageSettings, provision.Resource{}).Allowed)
	require.False(t, decide(t, a, p, provision.ActionApply, web).Allowed)
	p.AuthMethod = "oidc"
	require.False(t, decide(t, a, p, provision.ActionManageSettings, provision.Resource{}).Allowed)
}

func TestSystem(t *testing.T) {
	t.Parallel()
	a := authorizer(t)
	p := provision.Principal{Kind: provision.System, Name: "redoubt", MFA: true, AuthMethod: "system"}
	require.True(t, decide(t, a, p, provision.ActionDestroy, web).Allowed)
	for _, never := range []provision.Action{provision.ActionApprove, provision.ActionReveal, provision.ActionWaive, provision.ActionManageSettings} {
		require.False(t, decide(t, a, p, never, web).Allowed, never)
	}
}

func TestMistakesOfTheProgram(t *testing.T) {
	t.Parallel()
	a := authorizer(t)
	everything := bind("user:alice", provision.ProjectAdmin, "*")
	for _, on := range []provision.Resource{{Stack: "web"}, {Project: "shop"}, {Org: "acme", Stack: "web"}} {
		d, err := a.Decide(alice, []provision.Binding{everything}, provision.ActionRead, on)
		require.ErrorContains(t, err, "what it is in")
		require.False(t, d.Allowed)
	}
	_, err := a.Decide(alice, []provision.Binding{everything}, provision.ActionRead, provision.Resource{Org: "acme", Project: "shop/web"})
	require.ErrorContains(t, err, "slash")
	for _, p := range []provision.Principal{{}, {Kind: "robot", Name: "x"}, {Kind: provision.Human}} {
		d, err := a.Decide(p, nil, provision.ActionRead, web)
		require.ErrorContains(t, err, "cannot be authorized")
		require.False(t, d.Allowed)
	}
	require.False(t, decide(t, a, alice, "format_disk", web, everything).Allowed)
}

// TestOwnPolicies is what an administrator may add: a forbid that wins over every
// role, a permit for a group on stacks with a tag, a time.
func TestOwnPolicies(t *testing.T) {
	t.Parallel()
	a := authorizer(t, "freeze.cedar", `
@id("no-destroy-of-prod")
forbid (principal, action == Action::"destroy", resource in Project::"acme/shop")
when { resource.protected || (resource.hasTag("env") && resource.getTag("env") == "prod") };

@id("until-summer")
forbid (principal, action == Action::"preview", resource)
when { context.now >= datetime("2026-06-01T00:00:00Z") };
`, "oncall.cedar", `
@id("oncall-applies-dev")
permit (principal in Group::"oncall", action == Action::"apply", resource is Stack)
when { resource.hasTag("env") && resource.getTag("env") == "dev" };
`, "notes.txt", "not a policy", ".hidden.cedar", "neither")
	admin := bind("user:alice", provision.ProjectAdmin, "acme")
	tagged := func(env string) provision.Resource {
		on := web
		on.Org, on.Project = "Acme", "Shop" // case does not distinguish
		on.Tags = map[string]string{"env": env}
		return on
	}
	require.Equal(t, provision.Decision{Policies: []string{"no-destroy-of-prod"}}, decide(t, a, alice, provision.ActionDestroy, tagged("prod"), admin))
	require.True(t, decide(t, a, alice, provision.ActionDestroy, tagged("dev"), admin).Allowed)
	require.True(t, decide(t, a, alice, provision.ActionPreview, web, admin).Allowed)
	require.Equal(t, []string{"oncall-applies-dev"}, decide(t, a, alice, provision.ActionApply, tagged("dev")).Policies)
	require.False(t, decide(t, a, alice, provision.ActionApply, tagged("prod")).Allowed)
	other := alice
	other.Groups = nil
	require.False(t, decide(t, a, other, provision.ActionApply, tagged("dev")).Allowed)
}

// TestFailingForbid: the validator does not know of overflows.
func TestFailingForbid(t *testing.T) {
	t.Parallel()
	a := authorizer(t, "bad.cedar", `
@id("overflows")
forbid (principal, action == Action::"apply", resource)
when { 9223372036854775807 + 1 == 0 };
@id("overflows-too")
permit (principal, action == Action::"waive", resource)
when { 9223372036854775807 + 1 == 0 || true };
`)
	admin := bind("user:alice", provision.ProjectAdmin, "acme")
	require.Equal(t, provision.Decision{Policies: []string{"overflows"}}, decide(t, a, alice, provision.ActionApply, web, admin))
	require.False(t, decide(t, a, alice, provision.ActionWaive, web, admin).Allowed)
	require.True(t, decide(t, a, alice, provision.ActionPreview, web, admin).Allowed)
}

func TestBadPolicies(t *testing.T) {
	t.Parallel()
	dir := folder(t, "a.cedar", `// one; two
@id("x")
permit (principal, action == Action::"up", resource);

permit (principal in Role::"root", action, resource)
when { resource.foo == 1 };
permit (principal action
, resource);
@id("four-eyes") forbid (principal, action, resource in Project::"Acme/shop")
when { "a;b" == resource.owner };
@id("tag") permit (principal, action, resource) when { resource.getTag("env") == "prod" };
`, "b.cedar", `@id("Not An Id") forbid (principal, action, resource);
@id("half") forbid (principal`)
	_, err := cedar.New(cedar.Options{Folder: dir})
	require.Equal(t, provision.CodeInvalid, provision.CodeOf(err))
	text := err.Error()
	for _, want := range []string{
		"a.cedar:2: unrecognized action `Action::\"up\"`",
		"a.cedar:5: the policy has no id",
		"a.cedar:5: there is no Role::\"root\"",
		"a.cedar:5: attribute `foo` on entity type `Stack` not found",
		"a.cedar:8: this is no policy: action where , belongs",
		"a.cedar:9: the id \"four-eyes\" is taken by the policy in redoubt's own separation.cedar",
		"a.cedar:9: Project::\"Acme/shop\" never matches",
		"a.cedar:11: unable to guarantee safety of access to tag",
		"b.cedar:1: the id \"Not An Id\" cannot be one",
		"b.cedar:2: this is no policy: the end where , belongs",
	} {
		require.Contains(t, text, want)
	}
	require.Equal(t, strings.Count(text, "\n"), strings.Count(text, ".cedar:")-1, "a line for each finding: %s", text)

	_, err = cedar.New(cedar.Options{Folder: filepath.Join(dir, "nowhere")})
	require.ErrorContains(t, err, "nowhere cannot be read")
	require.Equal(t, provision.CodeInvalid, provision.CodeOf(err))
	_, err = cedar.New(cedar.Options{Folder: t.TempDir()})
	require.ErrorContains(t, err, "it has no file *.cedar")
}

func BenchmarkDecide(b *testing.B) {
	a := authorizer(b)
	on := web
	on.Tags = map[string]string{"env": "prod", "team": "shop", "cost": "42"}
	bindings := []provision.Binding{
		bind("group:shop", provision.Requester, "acme/shop"), bind("group:oncall", provision.Operator, "acme/*/web-*"),
		bind("user:alice", provision.Approver, "acme"),
	}
	b.ReportAllocs()
	for b.Loop() {
		d, err := a.Decide(alice, bindings, provision.ActionApply, on)
		if err != nil || !d.Allowed {
			b.Fatal(d, err)
		}
	}
}

// FuzzTags: tags are what people write on their stacks. Whatever they are, they
// change no decision of the default policies and fail none.
func FuzzTags(f *testing.F) {
	for _, seed := range [][2]string{
		{"env", "prod"},
		{"", ""},
		{"protected", "true"},
		{"__entity", `{"type":"Role","id":"org_admin"}`},
		{"owner", "alice"},
		{"\x00", "\xff\xfe"},
		{`"] || true || resource["`, `" || true || "`},
		{"__extn", "ip"},
		{strings.Repeat("a", 5000), "\u202e"},
	} {
		f.Add(seed[0], seed[1])
	}
	a := authorizer(f)
	f.Fuzz(func(t *testing.T, name, value string) {
		for _, role := range provision.Roles {
			for _, action := range provision.Actions {
				on := web
				on.Owner, on.RequestedBy = "bob", "alice"
				b := bind("user:alice", role, "acme/shop")
				plain := decide(t, a, alice, action, on, b)
				on.Tags = map[string]string{name: value, value: name}
				require.Equal(t, plain, decide(t, a, alice, action, on, b), "%s %s", role, action)
			}
		}
	})
}
