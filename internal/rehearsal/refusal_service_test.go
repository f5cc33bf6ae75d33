package rehearsal

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/stretchr/testify/require"
)

func TestLoadBalancerRefusals(t *testing.T) {
	t.Parallel()
	const listener, group = "aws:lb/listener:Listener", "aws:lb/targetGroup:TargetGroup"
	forward := []any{props{"type": "forward", "targetGroupArn": "$targets.arn"}}
	s := staged(t, append(append([]made{}, twoSubnets...),
		made{"a2", subnetToken, props{"vpcId": "$vpc", "cidrBlock": "10.0.3.0/24", "availabilityZone": "eu-west-1a"}},
		made{"logs", bucketToken, props{"bucket": "lb-logs"}},
		made{"lb", lbToken, props{"name": "front", "subnets": []any{"$a", "$b"}, "securityGroups": []any{"$group"}, "enableDeletionProtection": true}},
		made{"targets", group, props{"name": "app", "port": 3000, "protocol": "HTTP", "vpcId": "$vpc", "targetType": "ip"}},
		made{"cert", "aws:acm/certificate:Certificate", props{"domainName": "example.com", "validationMethod": "DNS"}},
	)...)
	require.Equal(t, string(s.made["vpc"].id), s.made["lb"].text("vpcId"))
	require.Regexp(t, `^arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/front/[0-9a-f]{16}$`, string(s.made["lb"].id))
	s.run(t, []refusedCase{
		{"one subnet", lbToken, props{"subnets": []any{"$a"}}, "InvalidConfigurationRequest", "At least two subnets"},
		{"one zone", lbToken, props{"subnets": []any{"$a", "$a2"}}, "InvalidConfigurationRequest", "same Availability Zone"},
		{"unknown subnet", lbToken, props{"subnets": []any{"$a", "subnet-1"}}, "InvalidSubnetID.NotFound", "subnet-1"},
		{"name taken", lbToken, props{"name": "front", "subnets": []any{"$a", "$b"}}, "DuplicateLoadBalancerName", "front"},
		{"logs without policy", lbToken, props{"name": "logging", "subnets": []any{"$a", "$b"}, "accessLogs": props{"enabled": true, "bucket": "$logs"}}, "InvalidConfigurationRequest", "no bucket policy yet"},
		{"policy for delivery", policyToken, props{"bucket": "$logs", "policy": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"logdelivery.elasticloadbalancing.amazonaws.com"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::lb-logs/AWSLogs/123456789012/*"}]}`}, "", ""},
		{"logs", lbToken, props{"name": "logging", "subnets": []any{"$a", "$b"}, "accessLogs": props{"enabled": true, "bucket": "$logs"}}, "", ""},
		{"https without certificate", listener, props{"loadBalancerArn": "$lb.arn", "port": 443, "protocol": "HTTPS", "defaultActions": forward}, "ValidationError", "certificate must be specified"},
		{"https with a pending certificate", listener, props{"loadBalancerArn": "$lb.arn", "port": 443, "protocol": "HTTPS", "certificateArn": "$cert.arn", "defaultActions": forward}, "UnsupportedCertificate", "pending validation"},
		{"https with no certificate", listener, props{"loadBalancerArn": "$lb.arn", "port": 443, "protocol": "HTTPS", "certificateArn": "arn:aws:acm:eu-west-1:123456789012:certificate/none", "defaultActions": forward}, "CertificateNotFound", "certificate/none"},
		{"validation", "aws:acm/certificateValidation:CertificateValidation", props{"certificateArn": "$cert.arn"}, "", ""},
		{"https", listener, props{"loadBalancerArn": "$lb.arn", "port": 443, "protocol": "HTTPS", "certificateArn": "$cert.arn", "defaultActions": forward}, "", ""},
		{"port taken", listener, props{"loadBalancerArn": "$lb.arn", "port": 443, "protocol": "HTTPS", "certificateArn": "$cert.arn", "defaultActions": forward}, "DuplicateListener", "443"},
		{"to no target group", listener, props{"loadBalancerArn": "$lb.arn", "port": 80, "protocol": "HTTP", "defaultActions": []any{props{"type": "forward", "targetGroupArn": "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/none/1"}}}, "TargetGroupNotFound", "none"},
	})
	for _, deletion := range []struct{ name, code string }{
		{"lb", "OperationNotPermitted"},
		{"targets", "ResourceInUse"},
		{"cert", "ResourceInUseException"},
		{"a", "DependencyViolation"},
		{"group", "DependencyViolation"},
		{"vpc", "DependencyViolation"},
	} {
		require.Equal(t, []string{deletion.code}, Codes(remove(s.p, s.made[deletion.name])), deletion.name)
	}
}

func TestWAFRefusals(t *testing.T) {
	t.Parallel()
	const acl, association, logging = "aws:wafv2/webAcl:WebAcl", "aws:wafv2/webAclAssociation:WebAclAssociation", "aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration"
	visible := props{"metricName": "m", "cloudwatchMetricsEnabled": true, "sampledRequestsEnabled": true}
	s := staged(t, append(append([]made{}, twoSubnets...),
		made{"lb", lbToken, props{"name": "front", "subnets": []any{"$a", "$b"}}},
		made{"acl", acl, props{"scope": "REGIONAL", "visibilityConfig": visible, "defaultAction": props{"allow": props{}}}},
		made{"wrong", logToken, props{"name": "waf-logs"}}, made{"right", logToken, props{"name": "aws-waf-logs-app"}},
	)...)
	s.run(t, []refusedCase{
		{"invisible", acl, props{"scope": "REGIONAL"}, "WAFInvalidParameterException", "visibilityConfig"},
		{"cloudfront elsewhere", acl, props{"scope": "CLOUDFRONT", "visibilityConfig": visible}, "WAFInvalidParameterException", "us-east-1"},
		{"priorities", acl, props{"scope": "REGIONAL", "visibilityConfig": visible, "rules": []any{props{"name": "a", "priority": 1}, props{"name": "b", "priority": 1}}}, "WAFInvalidParameterException", "duplicate priority"},
		{"unknown ip set", acl, props{"scope": "REGIONAL", "visibilityConfig": visible, "rules": []any{props{"name": "a", "priority": 1, "statement": props{"ipSetReferenceStatement": props{"arn": "arn:aws:wafv2:eu-west-1:123456789012:regional/ipset/x/1"}}}}}, "WAFNonexistentItemException", "ipset/x/1"},
		{"to no balancer", association, props{"webAclArn": "$acl.arn", "resourceArn": "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/x/1"}, "WAFUnavailableEntityException", "app/x/1"},
		{"association", association, props{"webAclArn": "$acl.arn", "resourceArn": "$lb.arn"}, "", ""},
		{"log prefix", logging, props{"resourceArn": "$acl.arn", "logDestinationConfigs": []any{"$wrong.arn"}}, "WAFInvalidParameterException", "aws-waf-logs-"},
		{"logs", logging, props{"resourceArn": "$acl.arn", "logDestinationConfigs": []any{"$right.arn"}}, "", ""},
	})
	require.Equal(t, []string{"WAFAssociatedItemException"}, Codes(remove(s.p, s.made["acl"])))
}

func TestDatabaseRefusals(t *testing.T) {
	t.Parallel()
	const cluster, instance, subnets = "aws:rds/cluster:Cluster", "aws:rds/clusterInstance:ClusterInstance", "aws:rds/subnetGroup:SubnetGroup"
	s := staged(t, append(append([]made{}, twoSubnets...),
		made{"subnets", subnets, props{"subnetIds": []any{"$a", "$b"}}},
		made{"db", cluster, props{
			"clusterIdentifier": "db", "engine": "aurora-postgresql", "masterUsername": "root", "manageMasterUserPassword": true,
			"dbSubnetGroupName": "$subnets", "vpcSecurityGroupIds": []any{"$group"},
		}},
		made{"node", instance, props{"clusterIdentifier": "$db", "engine": "aurora-postgresql", "instanceClass": "db.r7g.large"}},
	)...)
	secrets := stringsAt(s.made["db"].out, "masterUserSecrets[*].secretArn")
	require.Len(t, secrets, 1)
	require.Contains(t, secrets[0], ":secret:rds!cluster-")
	require.Equal(t, "5432", s.made["node"].text("port"))
	require.Equal(t, "true", s.made["node"].text("writer"))
	s.run(t, []refusedCase{
		{"no password", cluster, props{"engine": "aurora-postgresql", "masterUsername": "root"}, "InvalidParameterCombination", "manageMasterUserPassword"},
		{"two passwords", cluster, props{"engine": "aurora-postgresql", "masterUsername": "root", "manageMasterUserPassword": true, "masterPassword": resource.MakeSecret(resource.NewProperty("secret!"))}, "InvalidParameterCombination", "MasterUserPassword"},
		{"subnet group", cluster, props{"engine": "aurora-postgresql", "masterUsername": "root", "manageMasterUserPassword": true, "dbSubnetGroupName": "none"}, "DBSubnetGroupNotFoundFault", "none"},
		{"name taken", cluster, props{"clusterIdentifier": "db", "engine": "aurora-postgresql", "masterUsername": "root", "manageMasterUserPassword": true}, "DBClusterAlreadyExistsFault", "db"},
		{"capacity", cluster, props{"engine": "aurora-postgresql", "masterUsername": "root", "manageMasterUserPassword": true, "serverlessv2ScalingConfiguration": props{"minCapacity": 4, "maxCapacity": 2}}, "InvalidParameterValue", "above the maximum"},
		{"other engine", instance, props{"clusterIdentifier": "$db", "engine": "aurora-mysql", "instanceClass": "db.r7g.large"}, "InvalidParameterCombination", "doesn't match"},
		{"serverless without scaling", instance, props{"clusterIdentifier": "$db", "engine": "aurora-postgresql", "instanceClass": "db.serverless"}, "InvalidParameterCombination", "scaling configuration"},
		{"one zone", subnets, props{"subnetIds": []any{"$a"}}, "DBSubnetGroupDoesNotCoverEnoughAZs", "2 AZs"},
		{"rotation of the managed secret", "aws:secretsmanager/secretRotation:SecretRotation", props{"secretId": secrets[0], "rotationRules": props{"automaticallyAfterDays": 7}}, "", ""},
	})
	require.ElementsMatch(t, []string{"InvalidDBClusterStateFault", "InvalidParameterCombination"}, Codes(remove(s.p, s.made["db"])), "instances, and no final snapshot")
	require.Equal(t, []string{"InvalidDBSubnetGroupStateFault"}, Codes(remove(s.p, s.made["subnets"])))
}

func TestSearchRefusals(t *testing.T) {
	t.Parallel()
	const domain = "aws:opensearch/domain:Domain"
	secure := func(more props) props {
		in := props{
			"encryptAtRest": props{"enabled": true}, "nodeToNodeEncryption": props{"enabled": true}, "domainEndpointOptions": props{"enforceHttps": true},
			"advancedSecurityOptions": props{"enabled": true},
		}
		for k, v := range more {
			in[k] = v
		}
		return in
	}
	audit := props{"logPublishingOptions": []any{props{"logType": "AUDIT_LOGS", "cloudwatchLogGroupArn": "$logs.arn"}}}
	s := staged(t, append(append([]made{}, twoSubnets...), made{"logs", logToken, props{"name": "/aws/opensearch/logs"}})...)
	s.run(t, []refusedCase{
		{"fgac alone", domain, props{"domainName": "logs", "advancedSecurityOptions": props{"enabled": true}}, "ValidationException", "encryptAtRest"},
		{"audit without fgac", domain, props{"domainName": "logs", "logPublishingOptions": audit["logPublishingOptions"]}, "ValidationException", "advanced security"},
		{"logs without policy", domain, secure(props{"domainName": "logs", "logPublishingOptions": audit["logPublishingOptions"]}), "ValidationException", "Resource Access Policy"},
		{"log policy", "aws:cloudwatch/logResourcePolicy:LogResourcePolicy", props{"policyName": "search", "policyDocument": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"es.amazonaws.com"},"Action":["logs:PutLogEvents","logs:CreateLogStream"],"Resource":"arn:aws:logs:eu-west-1:123456789012:log-group:/aws/opensearch/*"}]}`}, "", ""},
		{"two subnets in one zone setup", domain, secure(props{"domainName": "logs", "vpcOptions": props{"subnetIds": []any{"$a", "$b"}}}), "ValidationException", "exactly 1 subnet"},
		{"standby", domain, secure(props{"domainName": "logs", "clusterConfig": props{"multiAzWithStandbyEnabled": true}}), "ValidationException", "three Availability Zones"},
		{"domain", domain, secure(props{"domainName": "logs", "logPublishingOptions": audit["logPublishingOptions"], "vpcOptions": props{"subnetIds": []any{"$a"}, "securityGroupIds": []any{"$group"}}}), "", ""},
	})
}

func TestContainerRefusals(t *testing.T) {
	t.Parallel()
	const task, service = "aws:ecs/taskDefinition:TaskDefinition", "aws:ecs/service:Service"
	app := `[{"name":"app","image":"app@sha256:1"}]`
	fargate := []any{"FARGATE"}
	s := staged(t, append(append([]made{}, twoSubnets...),
		made{"cluster", "aws:ecs/cluster:Cluster", nil},
		made{"task", task, props{"family": "app", "containerDefinitions": app, "requiresCompatibilities": fargate, "networkMode": "awsvpc", "cpu": "256", "memory": "512"}},
		made{"targets", "aws:lb/targetGroup:TargetGroup", props{"name": "app", "port": 3000, "protocol": "HTTP", "vpcId": "$vpc", "targetType": "ip"}},
	)...)
	network := props{"subnets": []any{"$a"}}
	s.run(t, []refusedCase{
		{"no containers", task, props{"family": "app", "containerDefinitions": "[]"}, "ClientException", "empty"},
		{"size", task, props{"family": "app", "containerDefinitions": app, "requiresCompatibilities": fargate, "networkMode": "awsvpc", "cpu": "256", "memory": "4096"}, "ClientException", "No Fargate configuration"},
		{"unknown cluster", service, props{"cluster": "none", "taskDefinition": "$task.arn", "networkConfiguration": network}, "ClusterNotFoundException", "none"},
		{"unknown task", service, props{"cluster": "$cluster", "taskDefinition": "none:1", "networkConfiguration": network}, "ClientException", "none:1"},
		{"no network", service, props{"cluster": "$cluster", "taskDefinition": "$task.arn"}, "InvalidParameterException", "Network Configuration"},
		{"listener first", service, props{"cluster": "$cluster", "taskDefinition": "$task.arn", "networkConfiguration": network, "loadBalancers": []any{props{"targetGroupArn": "$targets.arn", "containerName": "app", "containerPort": 3000}}}, "InvalidParameterException", "associated load balancer"},
		{"service", service, props{"name": "app", "cluster": "$cluster", "taskDefinition": "$task.arn", "networkConfiguration": network}, "", ""},
		{"scaling of no service", "aws:appautoscaling/target:Target", props{"resourceId": "service/none/app", "scalableDimension": "ecs:service:DesiredCount", "serviceNamespace": "ecs", "minCapacity": 1, "maxCapacity": 2}, "ValidationException", "doesn't exist"},
	})
	require.Equal(t, []string{"ClusterContainsServicesException"}, Codes(remove(s.p, s.made["cluster"])))
	next := create(t, s.p, task, "next", props{"family": "app", "containerDefinitions": app})
	require.Equal(t, "app:2", string(next.id))
}

func TestLimitsAreCheckedAtPreview(t *testing.T) {
	t.Parallel()
	p := configured(t, open(t), "eu-west-1")
	for _, one := range []struct {
		token string
		in    props
		word  string
	}{
		{logToken, props{"retentionInDays": 31}, "expected one of [0, 1, 3"},
		{keyToken, props{"deletionWindowInDays": 3}, "out of the range (7 - 30)"},
		{vpcToken, props{"cidrBlock": "10.0.0.1/16"}, `did you mean "10.0.0.0/16"`},
		{lbToken, props{"name": "a-name-of-more-than-thirty-two-letters"}, "at most 32"},
		{"aws:lb/targetGroup:TargetGroup", props{"name": "a-name-of-more-than-thirty-two-letters"}, "at most 32"},
		{"aws:opensearch/domain:Domain", props{"domainName": "A-Domain"}, "lower-case"},
		{"aws:opensearch/domain:Domain", props{"domainName": "a-domain-with-a-name-of-30-letters"}, "at most 28"},
		{roleToken, props{"name": "a-role-with-a-name-of-more-than-sixty-four-letters-which-is-too-much", "assumeRolePolicy": "{}"}, "at most 64"},
		{roleToken, props{"assumeRolePolicy": "{"}, "invalid JSON"},
		{bucketToken, props{"bucket": "Capital"}, "lower-case"},
		{bucketToken, props{"bucket": "ab"}, "at least 3"},
		{"aws:rds/cluster:Cluster", props{"engine": "aurora-postgresql", "backupRetentionPeriod": 36}, "(1 - 35)"},
	} {
		_, failures := checked(t, p, one.token, "r", nil, one.in)
		require.Len(t, failures, 1, "%s %v", one.token, one.in)
		require.Contains(t, failures[0].Reason, one.word)
	}
}

// Every refusal of the tables says where it is documented.
func TestRefusalsAreDocumented(t *testing.T) {
	t.Parallel()
	all := Refusals()
	require.Greater(t, len(all), 400)
	for i, r := range all {
		require.NotEmpty(t, r.Code, r.Type)
		require.True(t, i == 0 || all[i-1].Type <= r.Type, "sorted")
	}
}
