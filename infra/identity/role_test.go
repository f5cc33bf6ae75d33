package identity_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"redoubt/guide"
	"redoubt/infra/identity"
	"redoubt/internal/graphtest"
)

var scope = identity.Scope{Partition: graphtest.Partition, Region: graphtest.Region, AccountID: graphtest.AccountID}

func roleArgs() *identity.RoleArgs {
	return &identity.RoleArgs{
		RoleName:    "redoubt-dev-flow-logs",
		Description: "VPC flow logs write to their group",
		Trust:       identity.ServiceTrust("vpc-flow-logs.amazonaws.com", scope),
		Policies: map[string]identity.Document{
			"write": {{
				Effect: identity.Allow, Actions: []string{"logs:CreateLogStream", "logs:PutLogEvents"},
				Resources: []string{scope.ARN("logs", "log-group:/redoubt-dev/flow-logs:*")},
			}},
			"find": {{Effect: identity.Allow, Actions: []string{"logs:DescribeLogGroups"}, Resources: []string{"*"}}},
		},
		ManagedPolicyARNs:   []string{"arn:aws:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole"},
		PermissionsBoundary: "arn:aws:iam::123456789012:policy/redoubt-boundary",
		Tags:                map[string]string{"environment": "dev"},
	}
}

func TestRoleKeepsItsRightsApart(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, func(ctx *pulumi.Context) error {
		role, err := identity.NewRole(ctx, "flow", roleArgs())
		if err != nil {
			return err
		}
		if len(role.Rights) != 3 {
			return fmt.Errorf("%d rights, want two policies and an attachment", len(role.Rights))
		}
		return nil
	}, graphtest.Preview())

	component := g.One(identity.RoleComponent.Token, "flow")
	require.Len(t, g.Children(component), 4)

	role := g.Only("aws:iam/role:Role")
	require.Equal(t, "redoubt-dev-flow-logs", role.Input("name"))
	require.EqualValues(t, 3600, role.Input("maxSessionDuration"))
	require.Equal(t, "arn:aws:iam::123456789012:policy/redoubt-boundary", role.Input("permissionsBoundary"))
	require.Equal(t, "redoubt-dev-flow-logs", role.Input("tags.Name"))
	require.Equal(t, "dev", role.Input("tags.environment"))
	require.False(t, role.Has("inlinePolicies"), "inline lists and policy resources undo each other")
	require.False(t, role.Has("managedPolicyArns"), "the list and attachments undo each other")
	var trust identity.Document
	require.NoError(t, json.Unmarshal([]byte(role.Input("assumeRolePolicy").(string)), &trust))
	require.Equal(t, []string{"vpc-flow-logs.amazonaws.com"}, trust[0].Principals.Service)
	require.Equal(t, "aws:SourceAccount", trust[0].Conditions[0].Key)

	for _, name := range []string{"find", "write"} {
		policy := g.One("aws:iam/rolePolicy:RolePolicy", "flow-"+name)
		require.Equal(t, name, policy.Input("name"))
		require.NotEqual(t, graphtest.Unknown, policy.Input("policy"), "decidable at preview")
	}
	attachment := g.One("aws:iam/rolePolicyAttachment:RolePolicyAttachment", "flow-AmazonRDSEnhancedMonitoringRole")
	require.Equal(t, "arn:aws:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole", attachment.Input("policyArn"))
}

func TestRoleRegistersNothingWithFindings(t *testing.T) {
	t.Parallel()
	g, err := graphtest.Build(func(ctx *pulumi.Context) error {
		args := roleArgs()
		args.Description, args.RoleName = "", "a role"
		_, err := identity.NewRole(ctx, "flow", args)
		return err
	})
	require.ErrorContains(t, err, `role "flow": roleName: "a role"`)
	require.ErrorContains(t, err, "description: 0 characters")
	require.Empty(t, g.ByType("aws:iam/role:Role"))
}

func TestComponentsServeTheGuide(t *testing.T) {
	t.Parallel()
	for _, c := range identity.Components {
		require.Regexp(t, `^redoubt:identity:[A-Z]\w+$`, c.Token)
		require.NotEmpty(t, c.Serves)
		for _, id := range c.Serves {
			_, ok := guide.Lookup(id)
			require.True(t, ok, "%s serves %s, which the guide does not have", c.Token, id)
		}
	}
}

// A task may read one prefix of one bucket; the same on every object of S3 is refused.
func ExampleDocument_IdentityPolicy() {
	scope := identity.Scope{Partition: "aws", Region: "eu-central-1", AccountID: "123456789012"}
	read := identity.Statement{Effect: identity.Allow, Actions: []string{"s3:GetObject"}}

	read.Resources = []string{scope.GlobalARN("s3", "redoubt-dev-data/reports/*")}
	text, err := identity.Document{read}.IdentityPolicy()
	fmt.Println(text, err)

	read.Resources = []string{"*"}
	_, err = identity.Document{read}.IdentityPolicy()
	fmt.Println(err)
	// Output:
	// {"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::redoubt-dev-data/reports/*"}]} <nil>
	// statement 0: Resources: "s3:GetObject" on "*", though s3 has resource-level permissions for it (name the resources; if the action has no resource type, add it to the table in unscoped.go with its source)
}
