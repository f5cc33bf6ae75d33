package data_test

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"redoubt/infra/data"
	"redoubt/infra/identity"
	"redoubt/internal/graphtest"
)

const domainType = "aws:opensearch/domain:Domain"

func openSearchArgs() *data.OpenSearchArgs {
	return &data.OpenSearchArgs{
		Scope: scope, DomainName: "redoubt-prod", EngineVersion: "OpenSearch_2.19",
		InstanceType: "r7g.large.search", InstanceCount: 3, MasterType: "m7g.large.search", MasterCount: 3,
		Standby: true, VolumeGiB: 100,
		SubnetIDs:        []pulumi.StringInput{pulumi.String("subnet-a"), pulumi.String("subnet-b"), pulumi.String("subnet-c")},
		SecurityGroupIDs: pulumi.ToStringArray([]string{"sg-search"}),
		KmsKeyArn:        pulumi.String(keyARN), LogKmsKeyArn: pulumi.String(keyARN), LogRetentionInDays: 30,
		MasterRoleName: "redoubt-prod-search-admin", AccessRoleNames: []string{"redoubt-prod-api-task"},
		CreateServiceLinkedRole: true, CreateLogResourcePolicy: true, Protect: true,
	}
}

func openSearch(change func(*data.OpenSearchArgs)) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		args := openSearchArgs()
		change(args)
		_, err := data.NewOpenSearch(ctx, "search", args)
		return err
	}
}

func TestOpenSearchDomain(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, openSearch(func(*data.OpenSearchArgs) {}))
	domain := g.Only(domainType)
	for field, want := range map[string]any{
		"domainName":                                              "redoubt-prod",
		"encryptAtRest.enabled":                                   true,
		"encryptAtRest.kmsKeyId":                                  keyARN,
		"nodeToNodeEncryption.enabled":                            true,
		"domainEndpointOptions.enforceHttps":                      true,
		"domainEndpointOptions.tlsSecurityPolicy":                 "Policy-Min-TLS-1-2-PFS-2023-10",
		"advancedSecurityOptions.enabled":                         true,
		"advancedSecurityOptions.internalUserDatabaseEnabled":     false,
		"advancedSecurityOptions.masterUserOptions.masterUserArn": "arn:aws:iam::123456789012:role/redoubt-prod-search-admin",
		"clusterConfig.multiAzWithStandbyEnabled":                 true,
		"clusterConfig.zoneAwarenessConfig.availabilityZoneCount": 3.0,
		"clusterConfig.dedicatedMasterCount":                      3.0,
		"autoTuneOptions.desiredState":                            "ENABLED",
		"softwareUpdateOptions.autoSoftwareUpdateEnabled":         true,
		"offPeakWindowOptions.enabled":                            true,
		"vpcOptions.subnetIds[2]":                                 "subnet-c",
		"ebsOptions.volumeType":                                   "gp3",
	} {
		require.Equal(t, want, domain.Input(field), field)
	}
	require.True(t, domain.Protect)
	require.True(t, g.Depends(domain, g.Only("aws:cloudwatch/logResourcePolicy:LogResourcePolicy")))

	linked := g.Only("aws:iam/serviceLinkedRole:ServiceLinkedRole")
	require.Equal(t, "opensearchservice.amazonaws.com", linked.Input("awsServiceName"))
	require.True(t, linked.RetainOnDelete, "other domains of the account use it")
	require.True(t, g.Depends(domain, linked))
}

func TestOpenSearchLogs(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, openSearch(func(*data.OpenSearchArgs) {}))
	domain := g.Only(domainType)
	for i, want := range []struct{ typ, group string }{
		{"AUDIT_LOGS", "audit"},
		{"ES_APPLICATION_LOGS", "application"},
		{"INDEX_SLOW_LOGS", "index-slow"},
		{"SEARCH_SLOW_LOGS", "search-slow"},
	} {
		option := domain.Input("logPublishingOptions").([]any)[i].(map[string]any)
		require.Equal(t, want.typ, option["logType"])
		require.Equal(t, "/aws/opensearch/redoubt-prod/"+want.group, g.Refers(option["cloudwatchLogGroupArn"]).Input("name"))
	}
	policy := statement(t, g.Only("aws:cloudwatch/logResourcePolicy:LogResourcePolicy"), "policyDocument", "AllowOpenSearchLogs")
	require.Equal(t, []string{"es.amazonaws.com"}, policy.Principals.Service)
	require.Contains(t, policy.Resources, "arn:aws:logs:eu-central-1:123456789012:log-group:/aws/opensearch/redoubt-prod/*", "the domain's own groups: a policy for all would go with the first stack that goes")
	require.Contains(t, policy.Conditions, identity.Condition{Test: "StringEquals", Key: "aws:SourceAccount", Values: []string{"123456789012"}})
}

func TestOpenSearchAdmitsNamedRolesOnly(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, openSearch(func(*data.OpenSearchArgs) {}), graphtest.Preview())
	s := statement(t, g.Only(domainType), "accessPolicies", "AllowNamedRoles")
	require.Equal(t, []string{"arn:aws:iam::123456789012:root"}, s.Principals.AWS)
	require.Equal(t, []string{"arn:aws:es:eu-central-1:123456789012:domain/redoubt-prod/*"}, s.Resources)
	require.Equal(t, []identity.Condition{{Test: "ArnEquals", Key: "aws:PrincipalArn", Values: []string{
		"arn:aws:iam::123456789012:role/redoubt-prod-search-admin", "arn:aws:iam::123456789012:role/redoubt-prod-api-task",
	}}}, s.Conditions)
	require.NotContains(t, s.Actions, "es:*")
}

func TestOpenSearchForDevelopment(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, openSearch(func(a *data.OpenSearchArgs) {
		a.InstanceType, a.InstanceCount, a.MasterCount, a.Standby = "t3.small.search", 1, 0, false
		a.SubnetIDs, a.Protect = a.SubnetIDs[:1], false
		a.CreateServiceLinkedRole, a.CreateLogResourcePolicy = false, false
	}))
	domain := g.Only(domainType)
	require.Equal(t, "DISABLED", domain.Input("autoTuneOptions.desiredState"), "burstable instances cannot tune themselves")
	require.Equal(t, false, domain.Input("clusterConfig.dedicatedMasterEnabled"))
	require.Equal(t, false, domain.Input("clusterConfig.zoneAwarenessEnabled"))
	require.False(t, domain.Has("clusterConfig.zoneAwarenessConfig"))
	require.Equal(t, true, domain.Input("encryptAtRest.enabled"), "encryption does not weaken in development")
	require.Empty(t, g.ByType("aws:iam/serviceLinkedRole:ServiceLinkedRole"))
	require.Empty(t, g.ByType("aws:cloudwatch/logResourcePolicy:LogResourcePolicy"))
}

func TestOpenSearchArgsFindings(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(*data.OpenSearchArgs){
		"domainName: ":               func(a *data.OpenSearchArgs) { a.DomainName = "redoubt-production-search-a-b" },
		"engineVersion: ":            func(a *data.OpenSearchArgs) { a.EngineVersion = "Elasticsearch_7.10" },
		"instanceType: \"r7g\"":      func(a *data.OpenSearchArgs) { a.InstanceType = "r7g" },
		"no encryption at rest":      func(a *data.OpenSearchArgs) { a.InstanceType = "t2.small.search" },
		"volumeGiB: 1 ":              func(a *data.OpenSearchArgs) { a.VolumeGiB = 1 },
		"kmsKeyArn: nil":             func(a *data.OpenSearchArgs) { a.KmsKeyArn = nil },
		"logKmsKeyArn: nil":          func(a *data.OpenSearchArgs) { a.LogKmsKeyArn = nil },
		"securityGroupIds: nil":      func(a *data.OpenSearchArgs) { a.SecurityGroupIDs = nil },
		"masterRoleName: empty":      func(a *data.OpenSearchArgs) { a.MasterRoleName = "" },
		"logRetentionInDays: 13":     func(a *data.OpenSearchArgs) { a.LogRetentionInDays = 13 },
		"subnetIds: 0":               func(a *data.OpenSearchArgs) { a.SubnetIDs = nil },
		"instanceCount: 4 over 3":    func(a *data.OpenSearchArgs) { a.InstanceCount = 4 },
		"masterCount: 2":             func(a *data.OpenSearchArgs) { a.MasterCount = 2 },
		"masterType: ":               func(a *data.OpenSearchArgs) { a.MasterType = "" },
		"standby: needs 3 zones":     func(a *data.OpenSearchArgs) { a.SubnetIDs = a.SubnetIDs[:1] },
		"no burstable instances":     func(a *data.OpenSearchArgs) { a.InstanceType = "t3.small.search" },
		"scope.accountId: \"\" (twe": func(a *data.OpenSearchArgs) { a.Scope.AccountID = "" },
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			g, err := graphtest.Build(openSearch(change))
			require.ErrorContains(t, err, want)
			require.Empty(t, g.ByType(domainType))
		})
	}
}
