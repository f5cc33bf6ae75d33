package data

import (
	"errors"
	"fmt"
	"regexp"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/rds"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/guide"
	"redoubt/infra/identity"
	"redoubt/infra/monitoring"
)

// ProxyComponent pools connections to an Aurora cluster.
var ProxyComponent = guide.Component{
	Token: "redoubt:data:Proxy",
	Serves: []guide.ID{
		guide.OverviewDataTLS,
		guide.OverviewDataSecrets,
		guide.ArchitectureInTransitDatabase,
	},
}

// How the pool behaves; shares are of the cluster's max_connections.
const (
	proxyConnectionsPercent = 90 // the rest is the administrators'
	proxyIdlePercent        = 25 // idle connections keep capacity units busy
	proxyBorrowSeconds      = 30 // a client waits so long for a connection
	proxyIdleClientSeconds  = 1800
)

// ProxyArgs describes an RDS proxy. Clients log in with an IAM token over TLS;
// the proxy logs in to the database with the password of the same user.
type ProxyArgs struct {
	Scope identity.Scope
	// ProxyName is the physical name.
	ProxyName string
	// Cluster is what the proxy stands before.
	Cluster *Aurora
	// Secrets are one for each database user that logs in through the proxy,
	// each with the fields username and password. A user that was granted
	// rds_iam cannot log in with a password: give the proxy users of its own,
	// and not the master. Two users that take turns do not work either,
	// because a client names the user in its token.
	Secrets []*Secret
	// RoleName is the physical name of the role that reads the secrets; it is
	// one of each secret's ReaderRoles.
	RoleName string
	// SubnetIDs are in two zones or more.
	SubnetIDs pulumi.StringArrayInput
	// SecurityGroupIDs admit the clients and may reach the cluster on its port.
	SecurityGroupIDs pulumi.StringArrayInput
	// LogKmsKeyArn encrypts the log group; LogRetentionInDays is one of
	// monitoring.RetentionDays.
	LogKmsKeyArn       pulumi.StringInput
	LogRetentionInDays int
	// PermissionsBoundary caps the role; empty for none.
	PermissionsBoundary string
	Tags                map[string]string
}

// Proxy is an RDS proxy that takes TLS and IAM tokens only.
type Proxy struct {
	pulumi.ResourceState

	Proxy    *rds.Proxy
	LogGroup *monitoring.LogGroup
	Arn      pulumi.StringOutput
	// Endpoint is the host name for reads and writes.
	Endpoint pulumi.StringOutput
	// Ready is the cluster registered with the proxy: clients wait for it.
	Ready []pulumi.Resource
	scope identity.Scope
}

// NewProxy makes the proxy. The error joins every finding in args.
func NewProxy(ctx *pulumi.Context, name string, args *ProxyArgs, opts ...pulumi.ResourceOption) (*Proxy, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("proxy %q: %w", name, err)
	}
	c := &Proxy{scope: args.Scope}
	if err := ctx.RegisterComponentResource(ProxyComponent.Token, name, c, opts...); err != nil {
		return nil, fmt.Errorf("proxy %q: register: %w", name, err)
	}
	for _, build := range []func(*pulumi.Context, string, *ProxyArgs) error{c.buildProxy, c.buildTarget} {
		if err := build(ctx, name, args); err != nil {
			return nil, fmt.Errorf("proxy %q: %w", name, err)
		}
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{"arn": c.Arn, "endpoint": c.Endpoint})
}

// Connect is the right to log in through the proxy as a database user, for a
// client's role. The proxy's own id is not known at preview, so the statement
// is for the user on every proxy of the account's region.
func (c *Proxy) Connect(user string) identity.Statement {
	return identity.Statement{
		Sid: "ConnectThroughProxy", Effect: identity.Allow, Actions: []string{"rds-db:connect"},
		Resources: []string{c.scope.ARN("rds-db", "dbuser:prx-*/"+user)},
	}
}

func (c *Proxy) buildProxy(ctx *pulumi.Context, name string, args *ProxyArgs) error {
	role, err := identity.NewRole(ctx, name, &identity.RoleArgs{
		RoleName:            args.RoleName,
		Description:         "RDS proxy " + args.ProxyName + " reads its users' secrets",
		Trust:               identity.ServiceTrust("rds.amazonaws.com", args.Scope),
		Policies:            args.policies(),
		PermissionsBoundary: args.PermissionsBoundary,
		Tags:                args.Tags,
	}, pulumi.Parent(c))
	if err != nil {
		return err
	}
	// RDS would make the group itself: unencrypted, and kept for ever.
	c.LogGroup, err = monitoring.NewLogGroup(ctx, name+"-logs", &monitoring.LogGroupArgs{
		Name:            "/aws/rds/proxy/" + args.ProxyName,
		KmsKeyArn:       args.LogKmsKeyArn,
		RetentionInDays: args.LogRetentionInDays,
		Tags:            args.Tags,
	}, pulumi.Parent(c))
	if err != nil {
		return err
	}
	needs := append([]pulumi.Resource{c.LogGroup.Group}, role.Rights...)
	var auths rds.ProxyAuthArray
	for _, s := range args.Secrets {
		needs = append(needs, s.Ready...)
		auths = append(auths, &rds.ProxyAuthArgs{
			AuthScheme: pulumi.String("SECRETS"), IamAuth: pulumi.String("REQUIRED"),
			SecretArn: s.Arn, Description: pulumi.String(s.PhysicalName),
		})
	}
	c.Proxy, err = rds.NewProxy(ctx, name+"-proxy", &rds.ProxyArgs{
		Name:                pulumi.String(args.ProxyName),
		EngineFamily:        pulumi.String("POSTGRESQL"),
		RequireTls:          pulumi.Bool(true),
		Auths:               auths,
		RoleArn:             role.Arn,
		VpcSubnetIds:        args.SubnetIDs,
		VpcSecurityGroupIds: args.SecurityGroupIDs,
		IdleClientTimeout:   pulumi.Int(proxyIdleClientSeconds),
		// The debug log holds the text of every statement.
		DebugLogging: pulumi.Bool(false),
		Tags:         tagged(args.Tags, args.ProxyName),
	}, pulumi.Parent(c), pulumi.DependsOn(needs))
	if err != nil {
		return err
	}
	c.Arn, c.Endpoint = c.Proxy.Arn, c.Proxy.Endpoint
	return nil
}

// policies are one for each secret, because statement ids are unique in a
// policy.
func (args *ProxyArgs) policies() map[string]identity.Document {
	out := map[string]identity.Document{}
	for i, s := range args.Secrets {
		out[fmt.Sprintf("secret-%d", i+1)] = s.Read()
	}
	return out
}

// buildTarget registers the cluster once it has instances: without one RDS
// refuses it.
func (c *Proxy) buildTarget(ctx *pulumi.Context, name string, args *ProxyArgs) error {
	group, err := rds.NewProxyDefaultTargetGroup(ctx, name+"-pool", &rds.ProxyDefaultTargetGroupArgs{
		DbProxyName: c.Proxy.Name,
		ConnectionPoolConfig: &rds.ProxyDefaultTargetGroupConnectionPoolConfigArgs{
			MaxConnectionsPercent:     pulumi.Int(proxyConnectionsPercent),
			MaxIdleConnectionsPercent: pulumi.Int(proxyIdlePercent),
			ConnectionBorrowTimeout:   pulumi.Int(proxyBorrowSeconds),
		},
	}, pulumi.Parent(c))
	if err != nil {
		return err
	}
	var needs []pulumi.Resource
	for _, instance := range args.Cluster.Instances {
		needs = append(needs, instance)
	}
	target, err := rds.NewProxyTarget(ctx, name+"-target", &rds.ProxyTargetArgs{
		DbProxyName:         c.Proxy.Name,
		TargetGroupName:     group.Name,
		DbClusterIdentifier: args.Cluster.Cluster.ClusterIdentifier,
	}, pulumi.Parent(c), pulumi.DependsOn(needs))
	c.Ready = append(c.Ready, target)
	return err
}

var proxyName = regexp.MustCompile(`^[a-zA-Z](?:-?[a-zA-Z0-9])*$`)

func (args *ProxyArgs) validate() error {
	if args == nil {
		return errors.New("args: nil (pass &data.ProxyArgs{…})")
	}
	findings := checkScope(args.Scope)
	refuse := func(wrong bool, format string, a ...any) {
		if wrong {
			findings = append(findings, fmt.Errorf(format, a...))
		}
	}
	refuse(!proxyName.MatchString(args.ProxyName) || len(args.ProxyName) > 60,
		"proxyName: %q (1 to 60 letters, digits and single hyphens, a letter first)", args.ProxyName)
	refuse(args.Cluster == nil, "cluster: nil (the Aurora cluster that the proxy stands before)")
	refuse(args.RoleName == "", "roleName: empty (for example redoubt-prod-db-proxy)")
	refuse(args.SubnetIDs == nil, "subnetIds: nil (in two zones or more)")
	refuse(args.SecurityGroupIDs == nil, "securityGroupIds: nil (a group that admits the clients and may reach the cluster)")
	refuse(args.LogKmsKeyArn == nil, "logKmsKeyArn: nil (the key with the CloudWatch Logs statement)")
	refuse(!slices.Contains(monitoring.RetentionDays, args.LogRetentionInDays),
		"logRetentionInDays: %d (one of %v)", args.LogRetentionInDays, monitoring.RetentionDays)
	refuse(len(args.Secrets) == 0, "secrets: empty (one for each database user that logs in through the proxy)")
	for i, s := range args.Secrets {
		if s == nil {
			findings = append(findings, fmt.Errorf("secrets[%d]: nil (pass a data.Secret)", i))
			continue
		}
		refuse(!slices.Contains(s.Readers, args.RoleName),
			"secrets[%d]: %s is not for %q to read (add the role's name to the secret's readerRoles)", i, s.PhysicalName, args.RoleName)
	}
	return errors.Join(findings...)
}
