package stack

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/infra/data"
	"redoubt/infra/monitoring"
)

// Output is one thing that a stack publishes for other stacks and for people.
type Output struct {
	// Name is what a stack reference asks for, "vpcId".
	Name string
	// Meaning is one sentence, with the shape where it is no single text.
	Meaning string
	// When says with which configuration it is there; empty for always.
	When string
	// Secret keeps the value encrypted in the state, and out of logs. ARNs, names
	// and ids are no secrets: as such they would make everything that a stack
	// reference feeds secret too.
	Secret bool
	// InAccount says that stacks without a workload have it too.
	InAccount bool
	// value is nil where the stack has no such part.
	value func(*Stack) pulumi.Input
}

// Outputs is every output, in the order of the layers. An output is one row;
// docs/outputs.md is made from them.
var Outputs = []Output{
	{Name: "vpcId", Meaning: "The VPC's id.", value: func(s *Stack) pulumi.Input { return s.vpc.ID }},
	{Name: "publicSubnetIds", Meaning: "The load balancer's subnets: a list, one a zone.", value: func(s *Stack) pulumi.Input { return s.vpc.PublicSubnetIDs }},
	{Name: "appSubnetIds", Meaning: "The workloads' subnets: a list, one a zone.", value: func(s *Stack) pulumi.Input { return s.vpc.AppSubnetIDs }},
	{Name: "dataSubnetIds", Meaning: "The stores' subnets, which have no way to the internet: a list, one a zone.", value: func(s *Stack) pulumi.Input { return s.vpc.DataSubnetIDs }},
	{Name: "natPublicIps", Meaning: "The addresses that outbound traffic comes from: a list, for others' allow lists.", value: func(s *Stack) pulumi.Input { return s.vpc.NATPublicIPs }},
	{Name: "endpointIds", Meaning: "The interface endpoints' ids: a map by service.", value: (*Stack).endpointIDs},
	{Name: "flowLogGroup", Meaning: "The log group of the VPC's flow logs.", value: func(s *Stack) pulumi.Input { return s.vpc.FlowLogs.LogGroup.Name }},
	{Name: "securityGroupIds", Meaning: "The security groups' ids: a map with alb, ecs, aurora, opensearch, lambda, endpoint and isolation, and with `database.proxy` databaseProxy.", value: (*Stack).groupIDs},

	{Name: "albDnsName", Meaning: "The load balancer's own host name, for a DNS record outside this stack.", value: func(s *Stack) pulumi.Input { return s.balancer.DNSName }},
	{Name: "albZoneId", Meaning: "The hosted zone of that host name, for an alias record.", value: func(s *Stack) pulumi.Input { return s.balancer.ZoneID }},
	{Name: "albArn", Meaning: "The load balancer's ARN.", value: func(s *Stack) pulumi.Input { return s.balancer.Arn }},
	{Name: "appUrl", Meaning: "Where people open the application.", value: func(s *Stack) pulumi.Input { return pulumi.String(s.balancer.URL) }},
	{Name: "webAclArn", Meaning: "The web ACL in front of the load balancer.", value: func(s *Stack) pulumi.Input { return s.acl.Arn }},
	{Name: "blockIpSetArn", Meaning: "The IP set of blocked addresses, which incident response writes to.", value: func(s *Stack) pulumi.Input { return s.acl.BlockSetArn }},
	{Name: "wafLogGroup", Meaning: "The web ACL's log group.", value: func(s *Stack) pulumi.Input { return s.acl.LogGroup.Name }},
	{Name: "shieldProtectionId", Meaning: "The load balancer's protection by Shield Advanced.", When: "`edge.shieldProtect`", value: func(s *Stack) pulumi.Input {
		return only(s.config.Edge.ShieldProtect, s.balancer.ShieldProtectionID)
	}},

	{Name: "clusterArn", Meaning: "The ECS cluster.", value: func(s *Stack) pulumi.Input { return s.service.Cluster.Arn }},
	{Name: "serviceName", Meaning: "The ECS service's name in the cluster.", value: func(s *Stack) pulumi.Input { return pulumi.String(s.service.ServiceName) }},
	{Name: "taskRoleArn", Meaning: "The role that the application has.", value: func(s *Stack) pulumi.Input { return s.service.TaskRole.Arn }},
	{Name: "executionRoleArn", Meaning: "The role with which ECS starts tasks.", value: func(s *Stack) pulumi.Input { return s.service.ExecutionRole.Arn }},
	{Name: "ecrRepositoryUrl", Meaning: "Where the application's images are pushed.", value: func(s *Stack) pulumi.Input { return s.service.RepositoryURL }},
	{Name: "ecrRepositoryUrls", Meaning: "Where images are pushed: a map by service.", value: func(s *Stack) pulumi.Input {
		return pulumi.Map{s.service.ServiceName: s.service.RepositoryURL}
	}},

	{Name: "dbEndpoint", Meaning: "The host of the database's writer.", value: func(s *Stack) pulumi.Input { return s.database.Endpoint }},
	{Name: "dbReaderEndpoint", Meaning: "The host that spreads over the database's readers.", value: func(s *Stack) pulumi.Input { return s.database.ReaderEndpoint }},
	{Name: "dbPort", Meaning: "The database's port: a number.", value: func(s *Stack) pulumi.Input { return s.database.Cluster.Port }},
	{Name: "dbProxyEndpoint", Meaning: "The host of the database's proxy, for logins with IAM tokens.", When: "`database.proxy`", value: func(s *Stack) pulumi.Input {
		if s.proxy == nil {
			return nil
		}
		return s.proxy.Endpoint
	}},
	{Name: "dbMasterSecretArn", Meaning: "The secret that RDS manages for the master user; the ARN, not the value.", value: func(s *Stack) pulumi.Input { return s.database.SecretArn }},
	{Name: "dbUserSecretArn", Meaning: "The rotated secret of the application's database user; the ARN, not the value.", value: func(s *Stack) pulumi.Input { return s.dbUser.Arn }},
	{Name: "secretArns", Meaning: "Every secret's ARN: a map with dbMaster, dbUser and, with `database.proxy`, dbProxyUser.", value: func(s *Stack) pulumi.Input {
		arns := pulumi.Map{"dbMaster": s.database.SecretArn, "dbUser": s.dbUser.Arn}
		if s.proxyUser != nil {
			arns["dbProxyUser"] = s.proxyUser.Arn
		}
		return arns
	}},
	{Name: "openSearchEndpoint", Meaning: "The host of the search domain's API, inside the VPC.", value: func(s *Stack) pulumi.Input { return s.search.Endpoint }},
	{Name: "openSearchDashboardUrl", Meaning: "Where people open the search domain's dashboards, from inside the VPC.", value: func(s *Stack) pulumi.Input {
		return pulumi.Sprintf("https://%s", s.search.Domain.DashboardEndpoint)
	}},
	{Name: "buckets", InAccount: true, Meaning: "The buckets: a map of {name, arn} with audit, accessLogs and evidence, config where AWS Config is the stack's, with a workload data and artifacts, and with `storage.replication` accessLogsReplica and a replica of each: replica (of data), auditReplica and so on.", value: (*Stack).bucketOutputs},
	{Name: "evidenceBucket", InAccount: true, Meaning: "The name of the bucket for evidence.", value: func(s *Stack) pulumi.Input { return s.buckets.evidence.Name }},
	{Name: "kmsKeys", InAccount: true, Meaning: "The KMS keys: a map of {arn, alias} by purpose, and appReplica, backupReplica and auditReplica where the replica region has them.", value: (*Stack).keyOutputs},
	{Name: "backupVaultArn", Meaning: "The vault of the recovery points.", When: "`backup.enabled`", value: func(s *Stack) pulumi.Input {
		if s.backup == nil {
			return nil
		}
		return s.backup.VaultArn
	}},

	{Name: "boundaryArn", Meaning: "The permissions boundary of every workload's role.", value: func(s *Stack) pulumi.Input { return pulumi.String(s.boundary.Arn) }},
	{Name: "breakGlassRoleArn", InAccount: true, Meaning: "The role that people assume when nothing else helps.", When: "`identity.breakGlass` names somebody", value: func(s *Stack) pulumi.Input {
		if s.people.BreakGlass == nil {
			return nil
		}
		return s.people.BreakGlass.Arn
	}},
	{Name: "deployRoleArn", Meaning: "The role that the application's pipeline assumes.", When: "`identity.deployRole`", value: func(s *Stack) pulumi.Input {
		if s.pipeline == nil {
			return nil
		}
		return s.pipeline.Role.Arn
	}},
	{Name: "tokenSignerAlias", Meaning: "The alias of the key that signs the application's own tokens.", When: "`identity.tokenSigner`", value: func(s *Stack) pulumi.Input {
		if s.tokens == nil {
			return nil
		}
		return pulumi.String(s.tokens.AliasName)
	}},
	{Name: "userPoolId", Meaning: "The pool of the application's users.", value: func(s *Stack) pulumi.Input { return s.pool.PoolID }},
	{Name: "userPoolClientId", Meaning: "The application's client id; it has no secret.", value: func(s *Stack) pulumi.Input { return s.client.ClientID }},
	{Name: "issuer", Meaning: "What tokens name as iss; their keys are at `<issuer>/.well-known/jwks.json`.", value: func(s *Stack) pulumi.Input { return s.pool.Issuer }},
	{Name: "oauthDomain", Meaning: "The host of the sign-in pages and of the OAuth endpoints.", value: (*Stack).signInHost},
	{Name: "codeSigningConfigArn", Meaning: "What a function names so that only our signature is trusted.", value: func(s *Stack) pulumi.Input { return s.signing.ConfigArn }},
	{Name: "signingProfileVersionArn", Meaning: "The version of the signing profile that functions trust.", value: func(s *Stack) pulumi.Input { return s.signing.ProfileVersionArn }},
	{Name: "apiUrl", Meaning: "Where clients call the API, without a slash at its end.", When: "`api.routes` names some", value: func(s *Stack) pulumi.Input {
		if s.api == nil {
			return nil
		}
		return s.api.URL
	}},

	{Name: "trailArn", InAccount: true, Meaning: "The trail, ours or the adopted one.", When: "`audit.trail` is not off", value: func(s *Stack) pulumi.Input {
		return only(s.config.Audit.Trail.Used(), s.trail.Arn)
	}},
	{Name: "trailLogGroup", InAccount: true, Meaning: "The trail's log group.", When: "the trail is ours, or `audit.trailLogGroup` names the adopted one's", value: func(s *Stack) pulumi.Input {
		return only(s.trail.LogGroupName != nil, s.trail.LogGroupName)
	}},
	{Name: "detectorId", InAccount: true, Meaning: "GuardDuty's detector.", When: "`detection.guardDuty` is not off", value: func(s *Stack) pulumi.Input {
		return only(s.config.Detection.GuardDuty.Used(), s.detector.ID)
	}},
	{Name: "securityHubArn", InAccount: true, Meaning: "The Security Hub.", When: "`detection.securityHub` is not off", value: func(s *Stack) pulumi.Input {
		return only(s.config.Detection.SecurityHub.Used(), s.hub.Arn)
	}},
	{Name: "topicArns", InAccount: true, Meaning: "Where alerts are published: a map with high, medium and low.", value: (*Stack).topicARNs},
	{Name: "alertDlqUrl", InAccount: true, Meaning: "The queue of the alerts that could not be delivered.", value: func(s *Stack) pulumi.Input { return s.topics.DeadLetters.Url }},
	{Name: "dashboardUrl", Meaning: "The stack's dashboard in the console.", value: func(s *Stack) pulumi.Input { return pulumi.String(s.dashboard.URL) }},
	{Name: "responseStateMachineArn", Meaning: "The state machine that answers findings.", When: "`response.mode` is not off", value: func(s *Stack) pulumi.Input {
		return only(s.responder.Machine != nil, s.responder.MachineArn)
	}},
	{Name: "complianceReport", InAccount: true, Meaning: "What serves each bullet of the guide here: a map of bullet ids to sorted lists of the URNs of components that made something.", value: func(s *Stack) pulumi.Input { return s.served.report() }},
}

// export publishes the outputs of the parts that this stack has.
func (s *Stack) export(ctx *pulumi.Context) {
	for _, o := range Outputs {
		if value := o.of(s); value != nil {
			ctx.Export(o.Name, value)
		}
	}
}

// of is the output's value in a stack, nil where the stack has no such part.
func (o Output) of(s *Stack) pulumi.Input {
	if !o.InAccount && !s.config.Layer.Workload() {
		return nil
	}
	value := o.value(s)
	if value == nil || !o.Secret {
		return value
	}
	return pulumi.ToSecret(value)
}

// only is the value where there is such a part: an output that is empty would
// pass for one.
func only(there bool, value pulumi.Input) pulumi.Input {
	if !there {
		return nil
	}
	return value
}

func (s *Stack) endpointIDs() pulumi.Input {
	out := pulumi.Map{}
	for service, id := range s.endpoints.IDs {
		out[service] = id
	}
	return out
}

func (s *Stack) groupIDs() pulumi.Input {
	ids := pulumi.Map{
		"alb": s.groups.ALB, "ecs": s.groups.ECS, "aurora": s.groups.Aurora, "opensearch": s.groups.OpenSearch,
		"lambda": s.groups.Lambda, "endpoint": s.groups.Endpoint, "isolation": s.groups.Isolation,
	}
	if s.proxy != nil {
		ids["databaseProxy"] = s.groups.DatabaseProxy
	}
	return ids
}

func (s *Stack) topicARNs() pulumi.Input {
	out := pulumi.Map{}
	for _, level := range monitoring.Levels {
		out[string(level)] = s.topics.Arn(level)
	}
	return out
}

// signInHost is Cognito's own, because the stack's pool has a prefix there and
// no domain of ours.
// https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-assign-domain-prefix.html
func (s *Stack) signInHost() pulumi.Input {
	if s.pool.Domain == nil {
		return nil
	}
	return pulumi.Sprintf("%s.auth.%s.amazoncognito.com", s.pool.Domain.Domain, s.place.scope.Region)
}

func (s *Stack) bucketOutputs() pulumi.Input {
	out := pulumi.Map{}
	for name, b := range map[string]*data.Bucket{
		"data": s.buckets.data, "audit": s.buckets.audit, "accessLogs": s.buckets.accessLogs, "artifacts": s.buckets.artifacts, "evidence": s.buckets.evidence,
		"config": s.buckets.history, "accessLogsReplica": s.buckets.accessLogsReplica,
	} {
		if b != nil {
			out[name] = pulumi.Map{"name": b.Name, "arn": b.Arn}
		}
	}
	for purpose, b := range s.buckets.replicas {
		name := purpose + "Replica"
		if purpose == "data" {
			name = "replica"
		}
		out[name] = pulumi.Map{"name": b.Name, "arn": b.Arn}
	}
	return out
}

func (s *Stack) keyOutputs() pulumi.Input {
	out := pulumi.Map{}
	for _, row := range purposes {
		key := *row.into(&s.keys)
		if key == nil {
			continue
		}
		out[row.name] = pulumi.Map{"arn": key.Arn, "alias": pulumi.String(key.AliasName)}
		if key.Replica != nil {
			out[row.name+"Replica"] = pulumi.Map{"arn": key.ReplicaArn, "alias": pulumi.String(key.AliasName)}
		}
	}
	if key := s.keys.auditReplica; key != nil {
		out["auditReplica"] = pulumi.Map{"arn": key.Arn, "alias": pulumi.String(key.AliasName)}
	}
	return out
}
