package stack

import (
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/infra/data"
	"redoubt/infra/workload"
	"redoubt/infra/workload/schemas"
)

// databaseRole owns the application's tables; its two users take turns with a
// rotated password. It is not databaseUser, who has no password at all.
const databaseRole = "application"

// functions are what the stack runs on Lambda.
type functions struct {
	signing *workload.CodeSigning
	dbUser  *workload.DatabaseUserSecret
	// proxyUser is who tasks are to the database proxy; nil without one.
	proxyUser *workload.DatabaseUserSecret
	api       *workload.Api
	// searchSetup maps roles in the search domain: what writes there waits for it.
	searchSetup *workload.SearchBootstrap
	// splitter is nil where no logs are sent to the domain.
	splitter *workload.LogSplitter
}

// deployFunctions makes the functions that look after the stores: signed, in
// the VPC, and each with rights of its own.
func (s *Stack) deployFunctions(ctx *pulumi.Context) (err error) {
	c, p := s.config, s.place
	s.signing, err = workload.NewCodeSigning(ctx, c.Prefix()+"-signing", &workload.CodeSigningArgs{
		Prefix: c.Prefix(), Policy: workload.SigningPolicy(c.Functions.Signing), Tags: c.Tags,
	}, p.here())
	if err != nil {
		return err
	}
	platform := &workload.FunctionPlatform{
		Scope: p.scope, Prefix: c.Prefix(), ArchiveDir: c.Functions.Dir, Signing: s.signing, Artifacts: s.buckets.artifacts,
		SubnetIDs: s.vpc.AppSubnetIDs, SecurityGroupIDs: pulumi.StringArray{s.groups.Lambda},
		KmsKeyArn: s.keys.app.Arn, KeyAlias: s.keys.app.AliasName, LogKmsKeyArn: s.keys.logs.Arn, LogRetentionInDays: c.Logs.ApplicationDays,
		MaskLogs: c.Logs.Mask, PermissionsBoundary: s.boundary.Arn, After: slices.Concat(s.endpoints.All, s.vpc.Egress, []pulumi.Resource{s.boundary.Policy}), Tags: c.Tags,
	}
	if err := s.newDatabaseUser(ctx, platform); err != nil {
		return err
	}
	if err := s.newDatabaseProxy(ctx, platform); err != nil {
		return err
	}
	if err := s.setUpSearch(ctx, platform); err != nil {
		return err
	}
	return s.newSplitter(ctx, platform)
}

// concurrency is how many concurrent runs are kept for a function.
func (s *Stack) concurrency(function string) int {
	if n, ok := s.config.Functions.Reserved[function]; ok {
		return n
	}
	return workload.Unreserved
}

func (s *Stack) databaseTarget() workload.DatabaseUserTarget {
	instances := make([]pulumi.Resource, 0, len(s.database.Instances))
	for _, i := range s.database.Instances {
		instances = append(instances, i)
	}
	return workload.DatabaseUserTarget{
		ClusterIdentifier: s.database.Identifier, Host: s.database.Endpoint, Name: databaseName, AdminSecretArn: s.database.SecretArn, Ready: instances,
	}
}

func (s *Stack) newDatabaseUser(ctx *pulumi.Context, platform *workload.FunctionPlatform) (err error) {
	c := s.config
	s.dbUser, err = workload.NewDatabaseUserSecret(ctx, c.Prefix()+"-db-user", &workload.DatabaseUserSecretArgs{
		Platform: platform, SecretName: "db-user", Role: databaseRole, Database: s.databaseTarget(),
		ReaderRoleNames: []string{workload.TaskRoleName(c.Prefix(), serviceName)}, Concurrency: s.concurrency("rotate-db-user"),
		Replicas: s.secretReplicas(), RotationDays: c.Secrets.RotationDays, RecoveryWindowDays: c.Secrets.RecoveryDays, OrgID: c.OrgID, Protect: c.Keys.Protect,
	}, s.place.here())
	return err
}

// secretReplicas are where the secret is copied to: beside the data's replica.
func (s *Stack) secretReplicas() []data.SecretReplica {
	if s.place.replica == nil || !s.config.Keys.MultiRegion {
		return nil
	}
	return []data.SecretReplica{{Region: s.config.ReplicaRegion, KmsKeyArn: s.keys.app.ReplicaArn}}
}

// setUpSearch gives the domain's own access control what IAM alone cannot: the
// administrators and the application.
func (s *Stack) setUpSearch(ctx *pulumi.Context, platform *workload.FunctionPlatform) error {
	c, p := s.config, s.place
	setup, err := workload.NewSearchBootstrap(ctx, c.Prefix()+"-search-setup", &workload.SearchBootstrapArgs{
		Platform: platform, DomainName: c.Prefix() + "-search", Endpoint: s.search.Endpoint, Concurrency: s.concurrency("search-bootstrap"),
		After: []pulumi.Resource{s.search.Domain},
		Setup: workload.SearchSetup{
			Roles: map[string]any{"application": map[string]any{
				"cluster_permissions": []any{"cluster_composite_ops"},
				"index_permissions":   []any{map[string]any{"index_patterns": []any{"app-*"}, "allowed_actions": []any{"crud", "create_index"}}},
			}, "log-delivery": map[string]any{
				"cluster_permissions": []any{"cluster_composite_ops", "cluster_monitor"},
				"index_permissions":   []any{map[string]any{"index_patterns": []any{"logs*"}, "allowed_actions": []any{"crud", "create_index", "manage"}}},
			}},
			RoleMappings: map[string]any{
				"all_access": map[string]any{"backend_roles": []any{
					p.scope.RoleARN(searchAdmin(c)), p.scope.RoleARN(workload.SearchBootstrapRoleName(c.Prefix())),
				}},
				"application":  map[string]any{"backend_roles": []any{p.scope.RoleARN(workload.TaskRoleName(c.Prefix(), serviceName))}},
				"log-delivery": map[string]any{"backend_roles": []any{p.scope.RoleARN(logDelivery(c))}},
			},
			Templates: map[string]any{logIndex: workload.LogTemplate(logIndex + "-*")},
		},
	}, p.here())
	if err != nil {
		return err
	}
	s.searchSetup = setup
	return nil
}

// deployAPI makes the REST API in front of the application, where the
// configuration names routes.
func (s *Stack) deployAPI(ctx *pulumi.Context) (err error) {
	c, p := s.config, s.place
	if len(c.API.Routes) == 0 {
		return nil
	}
	account, err := s.newAPIAccount(ctx)
	if err != nil {
		return err
	}
	args := &workload.ApiArgs{
		Scope: p.scope, Prefix: c.Prefix(), StageName: string(c.Environment), Schemas: schemas.Files,
		Backend: workload.ApiBackend{URL: "https://" + c.Domain.Name}, UserPoolArn: s.pool.Arn, WebAcl: s.acl, Account: account,
		RatePerSecond: float64(c.API.RatePerSecond), Burst: c.API.Burst,
		LogKmsKeyArn: s.keys.logs.Arn, LogRetentionInDays: c.Logs.ApplicationDays, Tags: c.Tags,
	}
	for _, r := range c.API.Routes {
		args.Routes = append(args.Routes, workload.Route{Method: r.Method, Path: r.Path, Schema: r.Schema, Scopes: r.Scopes, Public: r.Public})
	}
	s.api, err = workload.NewApi(ctx, c.Prefix()+"-api", args, p.here())
	return err
}

// newAPIAccount lets API Gateway write the region's logs.
func (s *Stack) newAPIAccount(ctx *pulumi.Context) (*workload.ApiAccount, error) {
	c := s.config
	return workload.NewApiAccount(ctx, c.Prefix()+"-api-account", &workload.ApiAccountArgs{
		Scope: s.place.scope, Account: c.API.Account, RoleName: c.Prefix() + "-api-logs", Protect: c.Keys.Protect, Tags: c.Tags,
	}, s.place.here())
}
