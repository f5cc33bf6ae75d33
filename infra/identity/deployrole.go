package identity

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/guide"
	"redoubt/infra/singleton"
)

// DeployRoleComponent lets a pipeline in without keys.
var DeployRoleComponent = guide.Component{
	Token: "redoubt:identity:DeployRole",
	Serves: []guide.ID{
		guide.PracticesIAMConditionConstraints,
		guide.PracticesAuthenticationTokenAuth,
		guide.PracticesAuthenticationSessionManagement,
	},
}

// Forge is a host of repositories whose jobs carry OpenID Connect tokens.
type Forge string

// The forges.
const (
	GitHub Forge = "github"
	GitLab Forge = "gitlab"
)

// forge is a row: who issues the tokens, for whom, and which subjects name one
// repository and one branch, tag or environment of it.
type forge struct {
	issuer, audience string
	subject          *regexp.Regexp
	example          string
}

// Subject claims: https://docs.github.com/en/actions/reference/security/oidc
// and https://docs.gitlab.com/ci/secrets/id_token_authentication/
var forges = map[Forge]forge{
	GitHub: {
		issuer: "token.actions.githubusercontent.com", audience: "sts.amazonaws.com",
		subject: regexp.MustCompile(`^repo:[\w.-]+/[\w.-]+:(environment:[^*?:]+|ref:refs/(heads|tags)/[^*?:]+)$`),
		example: "repo:<owner>/<name>:environment:<name> or :ref:refs/heads/<branch>",
	},
	GitLab: {
		issuer: "gitlab.com", audience: "https://gitlab.com",
		subject: regexp.MustCompile(`^project_path:[\w./-]+/[\w.-]+:ref_type:(branch|tag):ref:[^*?:]+$`),
		example: "project_path:<group>/<name>:ref_type:branch:ref:main",
	},
}

// DeployRoleArgs describes a pipeline's role.
type DeployRoleArgs struct {
	Scope Scope
	// Prefix starts the role's name.
	Prefix string
	Forge  Forge
	// Provider is the account's identity provider for the forge. An account has
	// one per issuer.
	Provider singleton.Singleton
	// Subjects are the token subjects that may assume the role, in full. Pull
	// requests are none of them: anybody can open one.
	Subjects []string
	// Policies are what the pipeline may do.
	Policies map[string]Document
	// PermissionsBoundary caps the role; empty for none.
	PermissionsBoundary string
	// Protect keeps the provider when the stack is destroyed.
	Protect bool
	Tags    map[string]string
}

// DeployRole is a role for named branches or environments of named
// repositories: an hour's credentials for each job, and no key to leak.
type DeployRole struct {
	pulumi.ResourceState

	Role *Role
	// Provider is nil unless managed.
	Provider *iam.OpenIdConnectProvider
}

// NewDeployRole makes the role, and the provider where it is managed.
func NewDeployRole(ctx *pulumi.Context, name string, args *DeployRoleArgs, opts ...pulumi.ResourceOption) (*DeployRole, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("deploy role %q: %w", name, err)
	}
	c := &DeployRole{}
	if err := ctx.RegisterComponentResource(DeployRoleComponent.Token, name, c, opts...); err != nil {
		return nil, fmt.Errorf("deploy role %q: register: %w", name, err)
	}
	host := forges[args.Forge]
	var err error
	if args.Provider.Managed() {
		// No thumbprints: IAM trusts both hosts' certificates by their authority.
		c.Provider, err = iam.NewOpenIdConnectProvider(ctx, name+"-provider", &iam.OpenIdConnectProviderArgs{
			Url:           pulumi.String("https://" + host.issuer),
			ClientIdLists: pulumi.ToStringArray([]string{host.audience}),
			Tags:          tagged(args.Tags, host.issuer),
		}, managed(c, args.Protect)...)
		if err != nil {
			return nil, fmt.Errorf("deploy role %q: %w", name, err)
		}
	}
	c.Role, err = NewRole(ctx, name+"-role", &RoleArgs{
		RoleName:            args.Prefix + "-deploy-" + string(args.Forge),
		Description:         "Pipelines deploy from " + strings.Join(repositories(args.Subjects), ", "),
		Trust:               args.trust(),
		Policies:            args.Policies,
		PermissionsBoundary: args.PermissionsBoundary,
		Tags:                args.Tags,
	}, pulumi.Parent(c))
	if err != nil {
		return nil, fmt.Errorf("deploy role %q: %w", name, err)
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{"arn": c.Role.Arn})
}

// trust pins the audience and the whole subject: one without the other lets
// in every repository of the forge, or every use of this one's tokens.
func (args *DeployRoleArgs) trust() Document {
	host := forges[args.Forge]
	return Document{{
		Sid: "AssumeFromPipeline", Effect: Allow,
		Principals: Principals{Federated: []string{args.Scope.GlobalARN("iam", "oidc-provider/"+host.issuer)}},
		Actions:    []string{"sts:AssumeRoleWithWebIdentity"},
		Conditions: []Condition{
			{"StringEquals", host.issuer + ":aud", []string{host.audience}},
			{"StringEquals", host.issuer + ":sub", args.Subjects},
		},
	}}
}

// repositories are the subjects' repositories, each once, sorted.
func repositories(subjects []string) []string {
	var names []string
	for _, subject := range subjects {
		if parts := strings.SplitN(subject, ":", 3); len(parts) == 3 {
			names = append(names, parts[1])
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func (args *DeployRoleArgs) validate() error {
	if args == nil {
		return errors.New("args: nil (pass &identity.DeployRoleArgs{…})")
	}
	f := &findings{}
	f.scope(args.Scope)
	f.prefix(args.Prefix)
	f.wrap("provider", args.Provider.Validate())
	if args.Provider.Mode == singleton.Off {
		f.add("provider", "off, but the role trusts it", "manage it, or adopt the account's")
	}
	host, known := forges[args.Forge]
	if !known {
		f.add("forge", fmt.Sprintf("%q is not a choice", args.Forge), "github or gitlab")
		return f.err()
	}
	if len(args.Subjects) == 0 {
		f.add("subjects", "empty", host.example)
	}
	f.each("subjects", args.Subjects, host.subject, host.example)
	if len(args.Policies) == 0 {
		f.add("policies", "empty: the pipeline could do nothing", "say what it deploys")
	}
	return f.err()
}
