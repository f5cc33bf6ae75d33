package cedar_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/cedar"
	"redoubt/automation/provision"
)

// may is what each role may do in its scope with a second factor, without regard
// to whose the stack and the operation are: the table of docs/identity.md.
var may = map[provision.Role]string{
	provision.Viewer:       "read",
	provision.Requester:    "read preview apply create_token",
	provision.Operator:     "read preview apply destroy reveal cancel manage_stack create_token",
	provision.Approver:     "read preview approve read_audit",
	provision.PolicyOwner:  "read preview waive read_audit",
	provision.ProjectAdmin: "read preview apply destroy reveal cancel manage_stack manage_project read_audit export_state create_token",
	provision.OrgAdmin:     "read cancel force_cancel manage_stack manage_project create_project manage_settings read_audit create_token",
	provision.Auditor:      "read read_audit",
}

// secondFactor are the actions that take one.
var secondFactor = []provision.Action{provision.ActionApprove, provision.ActionWaive, provision.ActionReveal}

// cell is one question of the matrix.
type cell struct {
	role    provision.Role
	action  provision.Action
	project string // the role is one in shop
	tag     string
	own     bool // the stack and the operation are the asker's
	ttl     bool
	mfa     bool
	service bool // asked by a program of the same person
}

func (c cell) String() string {
	return fmt.Sprintf("%s %s %s %s own=%t ttl=%t mfa=%t service=%t", c.role, c.action, c.project, c.tag, c.own, c.ttl, c.mfa, c.service)
}

// expected is the answer without the question of a second factor.
func (c cell) expected() bool {
	if c.project != "shop" {
		return false
	}
	if c.action == provision.ActionApprove && c.own {
		return false
	}
	if c.role == provision.Requester && c.own {
		switch c.action {
		case provision.ActionReveal, provision.ActionCancel:
			return true
		case provision.ActionDestroy:
			return c.ttl
		}
	}
	return slices.Contains(strings.Fields(may[c.role]), string(c.action))
}

// cells are every combination.
func cells(yield func(cell) bool) {
	both := []bool{false, true}
	for _, role := range provision.Roles {
		for _, action := range provision.Actions {
			for _, project := range []string{"shop", "other"} {
				for _, tag := range []string{"dev", "prod"} {
					for _, own := range both {
						for _, ttl := range both {
							for _, mfa := range both {
								for _, service := range both {
									if !yield(cell{role, action, project, tag, own, ttl, mfa, service}) {
										return
									}
								}
							}
						}
					}
				}
			}
		}
	}
}

func (c cell) ask(t testing.TB, a *cedar.Authorizer) provision.Decision {
	t.Helper()
	p := provision.Principal{Kind: provision.Human, Name: "alice", Human: "alice", MFA: c.mfa, AuthMethod: "oidc"}
	if c.service {
		p.Kind, p.Name, p.AuthMethod = provision.ServiceAccount, "ci", "token"
	}
	on := provision.Resource{
		Org: "acme", Project: c.project, Stack: "web-" + c.tag, Tags: map[string]string{"env": c.tag}, Protected: c.tag == "prod",
		Owner: "bob", RequestedBy: "bob", TTL: c.ttl, State: provision.AwaitingApproval,
	}
	if c.own {
		on.Owner, on.RequestedBy = "alice", "alice"
	}
	d, err := a.Decide(p, []provision.Binding{bind(cedar.Subjects(p)[0], c.role, "acme/shop")}, c.action, on)
	require.NoError(t, err)
	return d
}

func TestMatrix(t *testing.T) {
	t.Parallel()
	a := authorizer(t)
	n := 0
	for c := range cells {
		n++
		want := c.expected()
		needs := slices.Contains(secondFactor, c.action) && !c.mfa
		d := c.ask(t, a)
		require.Equal(t, want && !needs, d.Allowed, "%s: %v", c, d.Policies)
		require.Equal(t, want && needs, d.NeedsMFA, "%s: %v", c, d.Policies)
		if d.Allowed {
			require.NotEmpty(t, d.Policies, "%s", c)
		}
	}
	require.Equal(t, 8*16*2*2*2*2*2*2, n)
}

func TestMatrixWithoutSecondFactor(t *testing.T) {
	t.Parallel()
	a, err := cedar.New(cedar.Options{WithoutSecondFactor: true})
	require.NoError(t, err)
	for c := range cells {
		d := c.ask(t, a)
		require.Equal(t, c.expected(), d.Allowed, "%s: %v", c, d.Policies)
		require.False(t, d.NeedsMFA, "%s", c)
	}
}
