package data

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/rds"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// auroraParameters are the cluster's settings that the guide depends on.
// Static ones take effect at the next restart and must say so: RDS refuses
// "immediate" for them.
// https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/AuroraPostgreSQL.Reference.ParameterGroups.html
var auroraParameters = []struct{ name, value, apply string }{
	{"log_connections", "1", "immediate"},
	{"log_disconnections", "1", "immediate"},
	{"log_min_duration_statement", "1000", "immediate"},
	// The audit: every change of structure, right and row; not reads, whose
	// log would be larger than the data.
	{"pgaudit.log", "ddl,role,write", "pending-reboot"},
	{"pgaudit.log_parameter", "0", "pending-reboot"},
	{"rds.force_ssl", "1", "pending-reboot"},
	{"shared_preload_libraries", "pg_stat_statements,pgaudit", "pending-reboot"},
	{"ssl_min_protocol_version", "TLSv1.2", "pending-reboot"},
}

func newAuroraParameters(ctx *pulumi.Context, name string, args *AuroraArgs, opts ...pulumi.ResourceOption) (*rds.ClusterParameterGroup, error) {
	var parameters rds.ClusterParameterGroupParameterArray
	for _, p := range auroraParameters {
		parameters = append(parameters, &rds.ClusterParameterGroupParameterArgs{
			Name: pulumi.String(p.name), Value: pulumi.String(p.value), ApplyMethod: pulumi.String(p.apply),
		})
	}
	family := auroraEngine + args.major()
	return rds.NewClusterParameterGroup(ctx, name+"-parameters", &rds.ClusterParameterGroupArgs{
		// The family is in the name: a major upgrade makes a second group while
		// the cluster still uses the first.
		Name:        pulumi.String(args.Identifier + "-" + family),
		Family:      pulumi.String(family),
		Description: pulumi.String("TLS and audit settings of " + args.Identifier),
		Parameters:  parameters,
		Tags:        tagged(args.Tags, args.Identifier),
	}, opts...)
}
