package identity_test

import (
	"errors"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/infra/identity"
	"redoubt/infra/singleton"
	"redoubt/internal/graphtest"
)

// show runs a program against mocks and prints what it makes, or what is
// wrong with it.
func show(program pulumi.RunFunc) {
	var refused error
	g, err := graphtest.Build(func(ctx *pulumi.Context) error {
		refused = program(ctx)
		return nil
	})
	if err := errors.Join(refused, err); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(g.Tree())
}

// A role of ECS tasks that may read one secret, and what a right may not be.
func ExampleNewRole() {
	args := &identity.RoleArgs{
		RoleName: "redoubt-dev-orders-task", Description: "What the orders service may do",
		Trust: identity.ServiceTrust("ecs-tasks.amazonaws.com", scope, scope.ARN("ecs", "*")),
		Policies: map[string]identity.Document{"secret": {{
			Effect: identity.Allow, Actions: []string{"secretsmanager:GetSecretValue"},
			Resources: []string{scope.ARN("secretsmanager", "secret:redoubt-dev/orders-*")},
		}}},
	}
	program := func(ctx *pulumi.Context) error {
		_, err := identity.NewRole(ctx, "orders", args)
		return err
	}
	show(program)
	args.Policies["secret"][0].Actions = []string{"*"}
	show(program)
	// Output:
	// redoubt:identity:Role orders
	//   aws:iam/role:Role orders-role
	//   aws:iam/rolePolicy:RolePolicy orders-secret
	// role "orders": policies["secret"]: statement 0: Actions: "*" is every right in the account (list the actions)
	// statement 0: Conditions: iam:PassRole without a receiving service (add StringEquals iam:PassedToService)
}

// A role under the boundary. Its ARN is known before the policy exists.
func ExampleNewBoundary() {
	show(func(ctx *pulumi.Context) error {
		boundary, err := identity.NewBoundary(ctx, "boundary", &identity.BoundaryArgs{Scope: scope, Prefix: "redoubt-dev"})
		if err != nil {
			return err
		}
		fmt.Println(boundary.Arn)
		return nil
	})
	// Output:
	// arn:aws:iam::123456789012:policy/security-redoubt-dev-workload-boundary
	// redoubt:identity:Boundary boundary
	//   aws:iam/policy:Policy boundary-policy
}

// Two administrators may break the glass, each with a second factor.
func ExampleNewAccess() {
	show(func(ctx *pulumi.Context) error {
		_, err := identity.NewAccess(ctx, "access", &identity.AccessArgs{
			Scope: scope, Prefix: "redoubt",
			BreakGlass: []string{scope.GlobalARN("iam", "user/ana"), scope.GlobalARN("iam", "user/ben")},
			Alarm: &identity.BreakGlassAlarm{
				TrailLogGroup: pulumi.String("/redoubt/trail"),
				TopicArn:      pulumi.String(scope.ARN("sns", "redoubt-high")),
			},
		})
		return err
	})
	// Output:
	// redoubt:identity:Access access
	//   aws:cloudwatch/logMetricFilter:LogMetricFilter access-break-glass
	//   aws:cloudwatch/metricAlarm:MetricAlarm access-break-glass
	//   redoubt:identity:Role access-break-glass
	//     aws:iam/role:Role access-break-glass-role
	//     aws:iam/rolePolicy:RolePolicy access-break-glass-repair
	//     aws:iam/rolePolicyAttachment:RolePolicyAttachment access-break-glass-SecurityAudit
}

// The stack that owns the account's password policy; any other says adopt or off.
func ExampleNewPasswordPolicy() {
	show(func(ctx *pulumi.Context) error {
		_, err := identity.NewPasswordPolicy(ctx, "passwords", &identity.PasswordPolicyArgs{
			Policy: singleton.Singleton{Mode: singleton.Manage},
			Tokens: singleton.Singleton{Mode: singleton.Off},
		})
		return err
	})
	// Output:
	// redoubt:identity:PasswordPolicy passwords
	//   aws:iam/accountPasswordPolicy:AccountPasswordPolicy passwords-policy
}

// Every guard but S3's, which the organization has set already.
func ExampleNewAccountGuards() {
	show(func(ctx *pulumi.Context) error {
		_, err := identity.NewAccountGuards(ctx, "guards", &identity.AccountGuardsArgs{
			Mode:  singleton.Singleton{Mode: singleton.Manage},
			Modes: map[identity.Guard]singleton.Singleton{identity.GuardS3PublicAccess: {Mode: singleton.Adopt}},
		})
		return err
	})
	// Output:
	// redoubt:identity:AccountGuards guards
	//   aws:ebs/encryptionByDefault:EncryptionByDefault guards-ebs-encryption
	//   aws:ebs/snapshotBlockPublicAccess:SnapshotBlockPublicAccess guards-snapshots
	//   aws:ec2/imageBlockPublicAccess:ImageBlockPublicAccess guards-images
	//   aws:ec2/instanceMetadataDefaults:InstanceMetadataDefaults guards-instance-metadata
	//   aws:ec2/serialConsoleAccess:SerialConsoleAccess guards-serial-console
}

// The free analyzer is ours; the paid one was made in the console.
func ExampleNewAnalyzers() {
	show(func(ctx *pulumi.Context) error {
		analyzers, err := identity.NewAnalyzers(ctx, "analyzers", &identity.AnalyzersArgs{
			Scope: scope, Prefix: "redoubt",
			External: singleton.Singleton{Mode: singleton.Manage},
			Unused:   singleton.Singleton{Mode: singleton.Adopt, ID: "UnusedAccess-ConsoleAnalyzer"},
		})
		if err != nil {
			return err
		}
		fmt.Println(analyzers.UnusedArn)
		return nil
	})
	// Output:
	// arn:aws:access-analyzer:eu-central-1:123456789012:analyzer/UnusedAccess-ConsoleAnalyzer
	// redoubt:identity:Analyzers analyzers
	//   aws:accessanalyzer/analyzer:Analyzer analyzers-external
}

// Four times a year, without analyzers.
func ExampleNewAccessReview() {
	show(func(ctx *pulumi.Context) error {
		_, err := identity.NewAccessReview(ctx, "review", &identity.AccessReviewArgs{
			Scope: scope, Prefix: "redoubt", EvidenceBucket: "redoubt-audit", TopicName: "redoubt-low",
			LogGroupArn: pulumi.String(scope.ARN("logs", "log-group:/aws/vendedlogs/redoubt/access-review")),
		})
		return err
	})
	// Output:
	// redoubt:identity:AccessReview review
	//   aws:scheduler/schedule:Schedule review-schedule
	//   aws:sfn/stateMachine:StateMachine review-machine
	//   redoubt:identity:Role review-machine
	//     aws:iam/role:Role review-machine-role
	//     aws:iam/rolePolicy:RolePolicy review-machine-review
	//   redoubt:identity:Role review-schedule
	//     aws:iam/role:Role review-schedule-role
	//     aws:iam/rolePolicy:RolePolicy review-schedule-start
}

// One guardrail, tried on one unit first; then outside the management account.
func ExampleNewOrganization() {
	args := &identity.OrganizationArgs{
		Scope: scope, Management: true, OrgID: "o-a1b2c3d4e5", Prefix: "redoubt", Targets: []string{"ou-ab12-sandbox01"},
		Guardrails: []identity.Guardrail{identity.GuardrailDetection},
		RootAccess: singleton.Singleton{Mode: singleton.Off},
	}
	program := func(ctx *pulumi.Context) error {
		_, err := identity.NewOrganization(ctx, "org", args)
		return err
	}
	show(program)
	args.Management = false
	show(program)
	// Output:
	// redoubt:identity:Organization org
	//   aws:organizations/policy:Policy org-detection
	//   aws:organizations/policyAttachment:PolicyAttachment org-detection-ou-ab12-sandbox01
	// organization "org": management: false: only the management account makes the organization's policies (leave the component out elsewhere, or set it there)
}

// Users sign in with a second factor; the web application gets tokens to read orders.
func ExampleNewUserPoolClient() {
	show(func(ctx *pulumi.Context) error {
		users, err := identity.NewUserPool(ctx, "users", &identity.UserPoolArgs{
			Prefix: "redoubt-dev",
			APIs:   map[string]identity.APIScopes{"orders": {"read": "Read orders"}},
			Groups: map[string]identity.UserGroup{"operators": {Description: "Run the service"}},
		})
		if err != nil {
			return err
		}
		_, err = identity.NewUserPoolClient(ctx, "web", &identity.UserPoolClientArgs{
			Pool: users, ClientName: "web", Scopes: []string{"openid", "orders/read"},
			CallbackURLs: []string{"https://app.example.org/callback"},
		})
		return err
	})
	// Output:
	// redoubt:identity:UserPool users
	//   aws:cognito/resourceServer:ResourceServer users-api-orders
	//   aws:cognito/userGroup:UserGroup users-group-operators
	//   aws:cognito/userPool:UserPool users-pool
	// redoubt:identity:UserPoolClient web
	//   aws:cognito/userPoolClient:UserPoolClient web-client
}

// A pipeline's role is for one environment of one repository.
func ExampleNewDeployRole() {
	args := &identity.DeployRoleArgs{
		Scope: scope, Prefix: "redoubt-dev", Forge: identity.GitHub,
		Provider: singleton.Singleton{Mode: singleton.Adopt},
		Subjects: []string{"repo:example/shop:environment:dev"},
		Policies: map[string]identity.Document{"state": {{
			Effect: identity.Allow, Actions: []string{"s3:GetObject", "s3:PutObject"},
			Resources: []string{scope.GlobalARN("s3", "redoubt-dev-state/*")},
		}}},
	}
	program := func(ctx *pulumi.Context) error {
		_, err := identity.NewDeployRole(ctx, "deploy", args)
		return err
	}
	show(program)
	args.Subjects = []string{"repo:example/*"}
	show(program)
	// Output:
	// redoubt:identity:DeployRole deploy
	//   redoubt:identity:Role deploy-role
	//     aws:iam/role:Role deploy-role-role
	//     aws:iam/rolePolicy:RolePolicy deploy-role-state
	// deploy role "deploy": subjects[0]: "repo:example/*" does not fit (repo:<owner>/<name>:environment:<name> or :ref:refs/heads/<branch>)
}

// The key of the next quarter is known to verifiers and does not sign yet.
func ExampleNewTokenSigner() {
	show(func(ctx *pulumi.Context) error {
		signer, err := identity.NewTokenSigner(ctx, "tokens", &identity.TokenSignerArgs{
			Scope: scope, Prefix: "redoubt-dev", Epochs: []string{"2026-q1", "2026-q2"}, Signing: "2026-q1", DeletionWindowInDays: 7,
		})
		if err != nil {
			return err
		}
		fmt.Println(signer.AliasName)
		return nil
	})
	// Output:
	// alias/redoubt-dev-token-signing
	// redoubt:identity:TokenSigner tokens
	//   aws:kms/alias:Alias tokens-2026-q1
	//   aws:kms/alias:Alias tokens-2026-q2
	//   aws:kms/alias:Alias tokens-signing
	//   aws:kms/key:Key tokens-2026-q1
	//   aws:kms/key:Key tokens-2026-q2
}
