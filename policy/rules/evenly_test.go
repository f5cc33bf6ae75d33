package rules_test

import (
	"fmt"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/stretchr/testify/require"

	"redoubt/policy/fixture"
	"redoubt/policy/rules"
)

// cell is a small service as the guide has it: 30 resources.
var cell = []struct {
	token, name string
	props       map[string]any
}{
	{"aws:ec2/vpc:Vpc", "vpc", m{"cidrBlock": "10.0.0.0/16"}},
	{"aws:ec2/flowLog:FlowLog", "flow", m{"vpcId": ref("vpc.id"), "trafficType": "ALL", "logDestination": ref("logs.arn")}},
	{"aws:ec2/defaultSecurityGroup:DefaultSecurityGroup", "closed", m{"vpcId": ref("vpc.id")}},
	{"aws:ec2/internetGateway:InternetGateway", "igw", m{"vpcId": ref("vpc.id")}},
	{"aws:ec2/subnet:Subnet", "public", m{"vpcId": ref("vpc.id")}},
	{"aws:ec2/subnet:Subnet", "private", m{"vpcId": ref("vpc.id")}},
	{"aws:ec2/routeTable:RouteTable", "out", m{"vpcId": ref("vpc.id")}},
	{"aws:ec2/route:Route", "default", m{"routeTableId": ref("out.id"), "gatewayId": ref("igw.id")}},
	{"aws:ec2/routeTableAssociation:RouteTableAssociation", "assoc", m{"routeTableId": ref("out.id"), "subnetId": ref("public.id")}},
	{"aws:ec2/natGateway:NatGateway", "nat", m{"subnetId": ref("public.id")}},
	{"aws:ec2/securityGroup:SecurityGroup", "alb-sg", m{"vpcId": ref("vpc.id"), "description": "load balancer"}},
	{"aws:ec2/securityGroup:SecurityGroup", "ecs-sg", m{"vpcId": ref("vpc.id"), "description": "service"}},
	{"aws:ec2/securityGroup:SecurityGroup", "db-sg", m{"vpcId": ref("vpc.id"), "description": "database"}},
	{"aws:ec2/securityGroupRule:SecurityGroupRule", "https", m{
		"type": "ingress", "protocol": "tcp", "fromPort": 443, "toPort": 443,
		"cidrBlocks": []any{"0.0.0.0/0"}, "securityGroupId": ref("alb-sg.id"), "description": "HTTPS",
	}},
	{"aws:ec2/securityGroupRule:SecurityGroupRule", "app", m{
		"type": "ingress", "protocol": "tcp", "fromPort": 3000, "toPort": 3000,
		"sourceSecurityGroupId": ref("alb-sg.id"), "securityGroupId": ref("ecs-sg.id"), "description": "app",
	}},
	{"aws:ec2/securityGroupRule:SecurityGroupRule", "pg", m{
		"type": "ingress", "protocol": "tcp", "fromPort": 5432, "toPort": 5432,
		"sourceSecurityGroupId": ref("ecs-sg.id"), "securityGroupId": ref("db-sg.id"), "description": "pg",
	}},
	{"aws:lb/loadBalancer:LoadBalancer", "lb", m{"internal": false, "securityGroups": []any{ref("alb-sg.id")}}},
	{"aws:lb/listener:Listener", "listener", m{"loadBalancerArn": ref("lb.arn"), "protocol": "HTTPS", "sslPolicy": "ELBSecurityPolicy-TLS13-1-2-2021-06"}},
	{"aws:wafv2/webAcl:WebAcl", "acl", m{"scope": "REGIONAL", "rules": []any{}}},
	{"aws:wafv2/webAclAssociation:WebAclAssociation", "acl-lb", m{"resourceArn": ref("lb.arn"), "webAclArn": ref("acl.arn")}},
	{"aws:ecs/service:Service", "svc", m{"networkConfiguration": m{"subnets": []any{ref("private.id")}, "securityGroups": []any{ref("ecs-sg.id")}}}},
	{"aws:ecs/taskDefinition:TaskDefinition", "task", m{"containerDefinitions": `[{"name":"app","image":"app@sha256:0","user":"1000"}]`}},
	{"aws:rds/subnetGroup:SubnetGroup", "db-net", m{"subnetIds": []any{ref("private.id")}}},
	{"aws:rds/cluster:Cluster", "db", m{"engine": "postgres", "dbClusterInstanceClass": "db.m6gd.large", "storageEncrypted": true, "kmsKeyId": ref("key.arn"), "vpcSecurityGroupIds": []any{ref("db-sg.id")}}},
	{"aws:kms/key:Key", "key", m{"enableKeyRotation": true, "policy": `{"Statement":[{"Effect":"Allow","Principal":{"AWS":"1"},"Action":"kms:*","Resource":"*"}]}`}},
	{"aws:s3/bucketV2:BucketV2", "data", m{"bucket": "data"}},
	{"aws:s3/bucketVersioningV2:BucketVersioningV2", "versions", m{"bucket": ref("data.id"), "versioningConfiguration": m{"status": "Enabled"}}},
	{"aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", "block", m{"bucket": ref("data.id"), "blockPublicAcls": true}},
	{"aws:cloudwatch/logGroup:LogGroup", "logs", m{"name": "/app", "retentionInDays": 30, "kmsKeyId": ref("key.arn")}},
	{"aws:iam/role:Role", "role", m{"assumeRolePolicy": `{"Statement":[{"Effect":"Allow","Principal":{"Service":"ecs-tasks.amazonaws.com"},"Action":"sts:AssumeRole"}]}`}},
}

type m = map[string]any

func ref(to string) any { return m{"$ref": to} }

// largeStack is 30 cells and one more resource, 901 in all.
func largeStack() fixture.Case {
	c := fixture.Case{Name: "large", Resources: []fixture.Resource{{Type: "pulumi:pulumi:Stack", Name: "stack"}}}
	for i := range 30 {
		for _, r := range cell {
			c.Resources = append(c.Resources, fixture.Resource{
				Type: r.token, Name: fmt.Sprintf("%02d-%s", i, r.name), Properties: within(i, r.props).(m),
			})
		}
	}
	return c
}

// within points the references at the resources of one cell.
func within(cell int, v any) any {
	switch v := v.(type) {
	case m:
		out := m{}
		for k, e := range v {
			if s, ok := e.(string); ok && k == "$ref" {
				e = fmt.Sprintf("%02d-%s", cell, s)
			}
			out[k] = within(cell, e)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = within(cell, e)
		}
		return out
	default:
		return v
	}
}

func preview(t testing.TB, client plugin.Analyzer, stack []plugin.AnalyzerStackResource, inputs []plugin.AnalyzerResource) int {
	findings := 0
	for _, in := range inputs {
		res, err := client.Analyze(t.Context(), in)
		require.NoError(t, err)
		findings += len(res.Diagnostics)
	}
	res, err := client.AnalyzeStack(t.Context(), stack)
	require.NoError(t, err)
	return findings + len(res.Diagnostics)
}

// TestLargeStackIsJudgedEvenly holds that every cell has the same findings, whatever
// stands around it.
func TestLargeStackIsJudgedEvenly(t *testing.T) {
	t.Parallel()
	c := largeStack()
	require.Len(t, c.Resources, 901)
	stack, inputs, err := c.Stack(fixture.Preview)
	require.NoError(t, err)
	all := preview(t, pack(t, rules.All(), nil), stack, inputs)

	c.Resources = c.Resources[:31]
	stack, inputs, err = c.Stack(fixture.Preview)
	require.NoError(t, err)
	one := preview(t, pack(t, rules.All(), nil), stack, inputs)
	require.Greater(t, one, 10)
	require.Equal(t, 30*one, all)
}
