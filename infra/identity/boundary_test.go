package identity_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"redoubt/infra/identity"
	"redoubt/internal/graphtest"
)

// document reads a policy that must be known at preview.
func document(t *testing.T, r *graphtest.Resource, property string) identity.Document {
	t.Helper()
	text, ok := r.Input(property).(string)
	require.True(t, ok, "%s of %s is text", property, r.Name)
	require.NotEqual(t, graphtest.Unknown, text, "%s of %s is decidable at preview", property, r.Name)
	var doc identity.Document
	require.NoError(t, json.Unmarshal([]byte(text), &doc))
	return doc
}

// statement returns the statement with that id.
func statement(t *testing.T, doc identity.Document, sid string) identity.Statement {
	t.Helper()
	i := slices.IndexFunc(doc, func(s identity.Statement) bool { return s.Sid == sid })
	require.GreaterOrEqual(t, i, 0, "statement %q in %v", sid, doc)
	return doc[i]
}

func TestBoundaryCapsWorkloads(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, func(ctx *pulumi.Context) error {
		b, err := identity.NewBoundary(ctx, "boundary", &identity.BoundaryArgs{Scope: scope, Prefix: "redoubt-dev"})
		if err != nil {
			return err
		}
		require.Equal(t, identity.BoundaryARN(scope, "redoubt-dev"), b.Arn)
		return nil
	}, graphtest.Preview())
	policy := g.Only("aws:iam/policy:Policy")
	require.Equal(t, "security-redoubt-dev-workload-boundary", policy.Input("name"))
	doc := document(t, policy, "policy")

	ceiling := statement(t, doc, "Ceiling")
	require.Equal(t, identity.Allow, ceiling.Effect)
	require.Len(t, ceiling.Actions, len(identity.WorkloadServices))
	require.True(t, slices.IsSorted(ceiling.Actions))
	require.NotContains(t, ceiling.Actions, "iam:*")
	for _, s := range doc[1:] {
		require.Equal(t, identity.Deny, s.Effect, "%s: everything after the ceiling takes away", s.Sid)
	}
	inside := statement(t, doc, "NoRoleWithoutBoundary")
	require.Contains(t, inside.Actions, "iam:CreateRole")
	require.Equal(t, []identity.Condition{{
		Test: "StringNotEquals", Key: "iam:PermissionsBoundary",
		Values: []string{"arn:aws:iam::123456789012:policy/security-redoubt-dev-workload-boundary"},
	}}, inside.Conditions)
	require.Contains(t, statement(t, doc, "KeepBoundary").Actions, "iam:DeleteRolePermissionsBoundary")
	require.Contains(t, statement(t, doc, "NoDisarming").Actions, "cloudtrail:StopLogging")
	require.Contains(t, statement(t, doc, "NoDisarming").Actions, "guardduty:DeleteDetector")
	require.Contains(t, statement(t, doc, "NoSecurityRoles").Resources, "arn:aws:iam::123456789012:role/security-*")
}

func TestBoundaryTakesOtherServicesButNotIAM(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, func(ctx *pulumi.Context) error {
		_, err := identity.NewBoundary(ctx, "boundary", &identity.BoundaryArgs{
			Scope: scope, Prefix: "redoubt-dev", Services: []string{"sqs", "s3"},
		})
		return err
	})
	doc := document(t, g.Only("aws:iam/policy:Policy"), "policy")
	require.Equal(t, []string{"s3:*", "sqs:*"}, statement(t, doc, "Ceiling").Actions)

	g, err := graphtest.Build(func(ctx *pulumi.Context) error {
		_, err := identity.NewBoundary(ctx, "boundary", &identity.BoundaryArgs{Prefix: "x", Services: []string{"iam", "S3"}})
		return err
	})
	require.Empty(t, g.Resources)
	for _, want := range []string{"services[0]: iam lets", `services[1]: "S3"`, "scope.accountId", "scope.region", "scope.partition", "prefix"} {
		require.ErrorContains(t, err, want)
	}
	_, err = graphtest.Build(func(ctx *pulumi.Context) error {
		_, err := identity.NewBoundary(ctx, "boundary", nil)
		return err
	})
	require.ErrorContains(t, err, "args: nil")
}

func TestCappingKindsKeepTheirSizes(t *testing.T) {
	t.Parallel()
	for kind, limit := range map[identity.Kind]string{
		identity.BoundaryPolicy: "holds 6144", identity.ResourceControlPolicy: "holds 5120",
	} {
		s := identity.Statement{Effect: identity.Deny, Resources: []string{"*"}}
		if kind == identity.ResourceControlPolicy {
			s.Principals.Any = true
		}
		for range 700 {
			s.Actions = append(s.Actions, "s3:GetObject")
		}
		_, err := identity.Document{s}.JSON(kind)
		require.ErrorContains(t, err, limit)
	}
}
