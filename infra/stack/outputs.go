package stack

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/infra/monitoring"
)

// export publishes what other stacks and people need. ARNs and names are not
// secret, so that stack references to them stay readable.
func (s *Stack) export(ctx *pulumi.Context) {
	outputs := pulumi.Map{
		"vpcId":              s.vpc.ID,
		"publicSubnetIds":    s.vpc.PublicSubnetIDs,
		"appSubnetIds":       s.vpc.AppSubnetIDs,
		"dataSubnetIds":      s.vpc.DataSubnetIDs,
		"natPublicIps":       s.vpc.NATPublicIPs,
		"flowLogGroup":       s.vpc.FlowLogs.LogGroup.Name,
		"securityGroupIds":   s.groupIDs(),
		"albDnsName":         s.balancer.DNSName,
		"albZoneId":          s.balancer.ZoneID,
		"albArn":             s.balancer.Arn,
		"appUrl":             pulumi.String(s.balancer.URL),
		"webAclArn":          s.acl.Arn,
		"blockIpSetArn":      s.acl.BlockSetArn,
		"wafLogGroup":        s.acl.LogGroup.Name,
		"clusterArn":         s.service.Cluster.Arn,
		"serviceName":        pulumi.String(s.service.ServiceName),
		"taskRoleArn":        s.service.TaskRole.Arn,
		"executionRoleArn":   s.service.ExecutionRole.Arn,
		"ecrRepositoryUrl":   s.service.RepositoryURL,
		"dbEndpoint":         s.database.Endpoint,
		"endpointIds":        s.endpointIDs(),
		"dbReaderEndpoint":   s.database.ReaderEndpoint,
		"dbMasterSecretArn":  s.database.SecretArn,
		"openSearchEndpoint": s.search.Endpoint,
		"trailArn":           s.trail.Arn, "detectorId": s.detector.ID, "securityHubArn": s.hub.Arn,
		"topicArns": pulumi.Map{
			"high": s.topics.Arn(monitoring.High), "medium": s.topics.Arn(monitoring.Medium), "low": s.topics.Arn(monitoring.Low),
		},
		"alertDlqUrl":             s.topics.DeadLetters.Url,
		"dashboardUrl":            pulumi.String(s.dashboard.URL),
		"userPoolId":              s.pool.PoolID,
		"userPoolClientId":        s.client.ClientID,
		"issuer":                  s.pool.Issuer,
		"boundaryArn":             pulumi.String(s.boundary.Arn),
		"codeSigningConfigArn":    s.signing.ConfigArn,
		"dbUserSecretArn":         s.dbUser.Arn,
		"evidenceBucket":          s.evidence.Name,
		"responseStateMachineArn": s.responder.MachineArn,
		"buckets":                 s.bucketOutputs(),
		"kmsKeys":                 s.keyOutputs(),
	}
	if r := s.people.BreakGlass; r != nil {
		outputs["breakGlassRoleArn"] = r.Arn
	}
	if s.api != nil {
		outputs["apiUrl"] = s.api.URL
	}
	if s.backup != nil {
		outputs["backupVaultArn"] = s.backup.VaultArn
	}
	for name, value := range outputs {
		ctx.Export(name, value)
	}
}

// endpointIDs are the interface endpoints by service.
func (s *Stack) endpointIDs() pulumi.Map {
	out := pulumi.Map{}
	for service, id := range s.endpoints.IDs {
		out[service] = id
	}
	return out
}

func (s *Stack) groupIDs() pulumi.Map {
	return pulumi.Map{
		"alb": s.groups.ALB, "ecs": s.groups.ECS, "aurora": s.groups.Aurora, "opensearch": s.groups.OpenSearch,
		"lambda": s.groups.Lambda, "endpoint": s.groups.Endpoint, "isolation": s.groups.Isolation,
	}
}

func (s *Stack) bucketOutputs() pulumi.Map {
	out := pulumi.Map{
		"data":       pulumi.Map{"name": s.buckets.data.Name, "arn": s.buckets.data.Arn},
		"audit":      pulumi.Map{"name": s.buckets.audit.Name, "arn": s.buckets.audit.Arn},
		"accessLogs": pulumi.Map{"name": s.buckets.accessLogs.Name, "arn": s.buckets.accessLogs.Arn},
	}
	if r := s.buckets.dataReplica; r != nil {
		out["replica"] = pulumi.Map{"name": r.Name, "arn": r.Arn}
	}
	return out
}

func (s *Stack) keyOutputs() pulumi.Map {
	out := pulumi.Map{}
	for _, row := range purposes {
		key := *row.into(&s.keys)
		out[row.name] = pulumi.Map{"arn": key.Arn, "alias": pulumi.String(key.AliasName)}
	}
	if s.place.replica != nil && s.config.Keys.MultiRegion {
		out["appReplica"] = pulumi.Map{"arn": s.keys.app.ReplicaArn, "alias": pulumi.String(s.keys.app.AliasName)}
	}
	return out
}
