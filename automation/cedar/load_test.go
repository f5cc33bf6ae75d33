package cedar

import (
	"strings"
	"testing"
	"time"

	"github.com/cedar-policy/cedar-go"
	"github.com/cedar-policy/cedar-go/x/exp/schema/validate"
	"github.com/stretchr/testify/require"

	"redoubt/automation/provision"
)

// TestSchema holds the schema and the default policies to the domain: all of its
// actions and roles are there, and no others.
func TestSchema(t *testing.T) {
	t.Parallel()
	shape, err := readSchema()
	require.NoError(t, err)
	require.Len(t, shape.Actions, len(provision.Actions))
	policies, err := load("")
	require.NoError(t, err)
	text := string(policies.MarshalCedar())
	for _, a := range provision.Actions {
		require.Contains(t, shape.Actions, cedar.NewEntityUID("Action", cedar.String(a)))
		require.Contains(t, text, `Action::"`+string(a)+`"`)
	}
	var named []string
	for _, uid := range shape.Enums["Role"].Values {
		named = append(named, string(uid.ID))
	}
	require.ElementsMatch(t, provision.Roles, asRoles(named))
	for _, r := range provision.Roles {
		require.Contains(t, text, `principal in Role::"`+string(r)+`"`)
	}
	require.NotNil(t, policies.Get(secondFactor))
}

func asRoles(names []string) (roles []provision.Role) {
	for _, n := range names {
		roles = append(roles, provision.Role(n))
	}
	return roles
}

// TestRequestsFitTheSchema: what is asked has the shapes that policies were
// checked against.
func TestRequestsFitTheSchema(t *testing.T) {
	t.Parallel()
	shape, err := readSchema()
	require.NoError(t, err)
	valid := validate.New(shape)
	for kind := range kinds {
		for _, on := range []provision.Resource{
			{}, {Org: "acme"}, {Org: "acme", Project: "shop"}, {Org: "acme", Project: "shop", Stack: "web", Tags: map[string]string{"a": "b"}, TTL: true},
		} {
			for _, action := range provision.Actions {
				names, err := parts(on)
				require.NoError(t, err)
				p := provision.Principal{Kind: kind, Name: "x", Groups: []string{"g"}}
				entities, req, err := request(p, []provision.Role{provision.Viewer}, action, on, names, time.Now())
				require.NoError(t, err)
				require.NoError(t, valid.Request(req), "%s %s", kind, action)
				for _, e := range entities {
					require.NoError(t, valid.Entity(e), "%s", e.UID)
				}
			}
		}
	}
}

func TestStatements(t *testing.T) {
	t.Parallel()
	text := "// a; b\n\npermit (x) // ; not here\nwhen { \"; \\\" ;\" };forbid;\n\n  half \"open ;\nrest"
	found := statements(text)
	require.Equal(t, []int{3, 4, 6}, []int{found[0].line, found[1].line, found[2].line})
	require.Len(t, found, 3)
	require.Equal(t, "forbid;", found[1].text)
	require.True(t, strings.HasPrefix(found[0].text, "permit (x) \nwhen"))
	require.Empty(t, statements("\n// nothing\n"))
	require.Empty(t, statements(""))
}
