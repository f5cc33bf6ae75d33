package rehearsal

import (
	"regexp"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/stretchr/testify/require"
)

var outputOf = regexp.MustCompile(`\$(\w+)\.(\w+)`)

// stage is a set of resources that the cases of a test refer to by name: the
// text "$vpc" in an input stands for the id of the resource "vpc", and "$vpc.arn"
// for its output "arn".
type stage struct {
	t    testing.TB
	acct *Account
	p    plugin.Provider
	made map[string]live
}

// made is a resource of a stage.
type made struct {
	name, token string
	in          props
}

func staged(t testing.TB, resources ...made) *stage {
	t.Helper()
	a := open(t)
	s := &stage{t: t, acct: a, p: configured(t, a, "eu-west-1"), made: map[string]live{}}
	for _, r := range resources {
		s.made[r.name] = create(t, s.p, r.token, r.name, s.resolve(r.in))
	}
	return s
}

func (s *stage) resolve(in props) props {
	out := props{}
	for k, v := range in {
		out[k] = s.value(v)
	}
	return out
}

func (s *stage) value(v any) any {
	switch v := v.(type) {
	case string:
		v = outputOf.ReplaceAllStringFunc(v, func(reference string) string {
			m := outputOf.FindStringSubmatch(reference)
			require.Contains(s.t, s.made, m[1])
			return s.made[m[1]].text(m[2])
		})
		if name, ok := strings.CutPrefix(v, "$"); ok {
			require.Contains(s.t, s.made, name)
			return string(s.made[name].id)
		}
		return v
	case props:
		return s.resolve(v)
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = s.value(e)
		}
		return out
	}
	return v
}

// refusedCase is a creation that AWS refuses with a code and a word of its
// message; or, with no code, one that it accepts.
type refusedCase struct {
	name, token string
	in          props
	code, word  string
}

func (s *stage) run(t *testing.T, cases []refusedCase) {
	t.Helper()
	for _, one := range cases {
		_, err := attempt(t, s.p, one.token, strings.ReplaceAll(one.name, " ", "-"), s.resolve(one.in))
		if one.code == "" {
			require.NoError(t, err, one.name)
			continue
		}
		require.Error(t, err, one.name)
		require.Contains(t, Codes(err), one.code, "%s: %v", one.name, err)
		require.ErrorContains(t, err, one.word, one.name)
	}
}

const (
	vpcToken    = "aws:ec2/vpc:Vpc"
	subnetToken = "aws:ec2/subnet:Subnet"
	groupToken  = "aws:ec2/securityGroup:SecurityGroup"
	keyToken    = "aws:kms/key:Key"
	bucketToken = "aws:s3/bucketV2:BucketV2"
	policyToken = "aws:s3/bucketPolicy:BucketPolicy"
	roleToken   = "aws:iam/role:Role"
	lbToken     = "aws:lb/loadBalancer:LoadBalancer"
	logToken    = "aws:cloudwatch/logGroup:LogGroup"
	natToken    = "aws:ec2/natGateway:NatGateway"
	eipToken    = "aws:ec2/eip:Eip"
	igwToken    = "aws:ec2/internetGateway:InternetGateway"
)

// twoSubnets is a network in two zones.
var twoSubnets = []made{
	{"vpc", vpcToken, props{"cidrBlock": "10.0.0.0/16"}},
	{"a", subnetToken, props{"vpcId": "$vpc", "cidrBlock": "10.0.1.0/24", "availabilityZone": "eu-west-1a"}},
	{"b", subnetToken, props{"vpcId": "$vpc", "cidrBlock": "10.0.2.0/24", "availabilityZone": "eu-west-1b"}},
	{"group", groupToken, props{"vpcId": "$vpc", "description": "a group"}},
}

func TestNetworkRefusals(t *testing.T) {
	t.Parallel()
	const rule = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
	https := props{"securityGroupId": "$group", "ipProtocol": "tcp", "fromPort": 443, "toPort": 443, "cidrIpv4": "10.0.0.0/16"}
	staged(t, twoSubnets...).run(t, []refusedCase{
		{"vpc too large", vpcToken, props{"cidrBlock": "10.0.0.0/8"}, "InvalidVpc.Range", "/16"},
		{"vpc too small", vpcToken, props{"cidrBlock": "10.0.0.0/29"}, "InvalidVpc.Range", "/28"},
		{"subnet of no vpc", subnetToken, props{"vpcId": "vpc-1", "cidrBlock": "10.0.3.0/24"}, "InvalidVpcID.NotFound", "'vpc-1' does not exist"},
		{"subnet outside", subnetToken, props{"vpcId": "$vpc", "cidrBlock": "10.1.0.0/24"}, "InvalidSubnet.Range", "10.0.0.0/16"},
		{"subnet larger than vpc", subnetToken, props{"vpcId": "$vpc", "cidrBlock": "10.0.0.0/15"}, "InvalidSubnet.Range", "/16"},
		{"subnet overlap", subnetToken, props{"vpcId": "$vpc", "cidrBlock": "10.0.1.128/25"}, "InvalidSubnet.Conflict", "10.0.1.0/24"},
		{"subnet in another region", subnetToken, props{"vpcId": "$vpc", "cidrBlock": "10.0.9.0/24", "availabilityZone": "us-east-1a"}, "InvalidParameterValue", "eu-west-1"},
		{"nat without gateway", natToken, props{"subnetId": "$a", "allocationId": "eipalloc-1"}, "Gateway.NotAttached", "no Internet gateway"},
		{"nat without address", natToken, props{"subnetId": "$a", "allocationId": "eipalloc-1"}, "InvalidAllocationID.NotFound", "eipalloc-1"},
		{"gateway", igwToken, props{"vpcId": "$vpc"}, "", ""},
		{"second gateway", igwToken, props{"vpcId": "$vpc"}, "Resource.AlreadyAssociated", "internet gateway"},
		{"group name", groupToken, props{"vpcId": "$vpc", "name": "one"}, "", ""},
		{"group name twice", groupToken, props{"vpcId": "$vpc", "name": "one"}, "InvalidGroup.Duplicate", "already exists"},
		{"rule", rule, https, "", ""},
		{"rule twice", rule, https, "InvalidPermission.Duplicate", "already exists"},
		{"rule without peer", rule, props{"securityGroupId": "$group", "ipProtocol": "-1"}, "InvalidParameterCombination", "exactly one"},
		{"rule to no group", rule, props{"securityGroupId": "$group", "ipProtocol": "-1", "referencedSecurityGroupId": "sg-1"}, "InvalidGroup.NotFound", "sg-1"},
		{"rule without ports", rule, props{"securityGroupId": "$group", "ipProtocol": "tcp", "cidrIpv4": "10.0.0.0/8"}, "InvalidParameterValue", "needs fromPort"},
		{"endpoint of another region", "aws:ec2/vpcEndpoint:VpcEndpoint", props{"vpcId": "$vpc", "serviceName": "com.amazonaws.us-east-1.s3"}, "InvalidServiceName", "us-east-1"},
		{"gateway endpoint of kms", "aws:ec2/vpcEndpoint:VpcEndpoint", props{"vpcId": "$vpc", "serviceName": "com.amazonaws.eu-west-1.kms"}, "InvalidParameter", "Gateway"},
		{"private dns without hostnames", "aws:ec2/vpcEndpoint:VpcEndpoint", props{"vpcId": "$vpc", "serviceName": "com.amazonaws.eu-west-1.kms", "vpcEndpointType": "Interface", "privateDnsEnabled": true}, "InvalidParameter", "enableDnsHostnames"},
		{"flow log without role", "aws:ec2/flowLog:FlowLog", props{"vpcId": "$vpc", "trafficType": "ALL"}, "InvalidParameter", "iamRoleArn"},
	})
}

func TestKeyRefusals(t *testing.T) {
	t.Parallel()
	root := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":"kms:*","Resource":"*"}%s]}`
	logs := `,{"Effect":"Allow","Principal":{"Service":"logs.eu-west-1.amazonaws.com"},"Action":["kms:Encrypt*","kms:GenerateDataKey*"],"Resource":"*","Condition":{"ArnLike":{"kms:EncryptionContext:aws:logs:arn":"arn:aws:logs:eu-west-1:123456789012:log-group:/app/*"}}}`
	s := staged(t,
		made{"closed", keyToken, props{"policy": strings.ReplaceAll(root, "%s", "")}},
		made{"open", keyToken, props{"policy": strings.ReplaceAll(root, "%s", logs)}},
	)
	s.run(t, []refusedCase{
		{"lockout", keyToken, props{"policy": `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"kms:*","Resource":"*"}}`}, "MalformedPolicyDocumentException", "update the key policy"},
		{"lockout bypassed", keyToken, props{"bypassPolicyLockoutSafetyCheck": true, "policy": `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"kms:*","Resource":"*"}}`}, "", ""},
		{"without statement", keyToken, props{"policy": `{"Version":"2012-10-17"}`}, "MalformedPolicyDocumentException", "no Statement"},
		{"alias of no key", "aws:kms/alias:Alias", props{"name": "alias/a", "targetKeyId": "nobody"}, "NotFoundException", "nobody"},
		{"alias of AWS", "aws:kms/alias:Alias", props{"name": "alias/aws/s3", "targetKeyId": "$open"}, "InvalidAliasNameException", "reserved"},
		{"log group with a key that is closed to it", logToken, props{"name": "/app/x", "kmsKeyId": "$closed.arn"}, "InvalidParameterException", "logs.eu-west-1.amazonaws.com"},
		{"log group outside the key's condition", logToken, props{"name": "/other/x", "kmsKeyId": "$open.arn"}, "InvalidParameterException", "/other/x"},
		{"log group", logToken, props{"name": "/app/x", "kmsKeyId": "$open.arn"}, "", ""},
		{"log group with an id", logToken, props{"name": "/app/y", "kmsKeyId": "$open"}, "InvalidParameterException", "ARN"},
		{"replica of a single-region key", "aws:kms/replicaKey:ReplicaKey", props{"primaryKeyArn": "$open.arn"}, "UnsupportedOperationException", "multi-Region"},
	})
}

func TestBucketRefusals(t *testing.T) {
	t.Parallel()
	const versioning, replication = versioningToken, "aws:s3/bucketReplicationConfig:BucketReplicationConfig"
	replicate := func(from, to string) props {
		return props{"bucket": "$" + from, "role": "$role.arn", "rules": []any{props{"status": "Enabled", "destination": props{"bucket": "$" + to + ".arn"}}}}
	}
	s := staged(t,
		made{"one", bucketToken, props{"bucket": "one-bucket"}}, made{"two", bucketToken, props{"bucket": "two-bucket"}},
		made{"role", roleToken, props{"assumeRolePolicy": trust("s3.amazonaws.com")}},
		made{"blocked", "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", props{"bucket": "$one", "blockPublicPolicy": true}},
	)
	s.run(t, []refusedCase{
		{"name taken", bucketToken, props{"bucket": "one-bucket"}, "BucketAlreadyOwnedByYou", "one-bucket"},
		{"name like an address", bucketToken, props{"bucket": "192.168.5.4"}, "InvalidBucketName", "192.168.5.4"},
		{"policy on nothing", policyToken, props{"bucket": "nothing-here", "policy": `{"Version":"2012-10-17","Statement":[]}`}, "NoSuchBucket", "nothing-here"},
		{"policy of another bucket", policyToken, props{"bucket": "$two", "policy": `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::one-bucket/*"}}`}, "MalformedPolicy", "one-bucket"},
		{"public policy", policyToken, props{"bucket": "$one", "policy": `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::one-bucket/*"}}`}, "AccessDenied", "BlockPublicPolicy"},
		{"replication unversioned", replication, replicate("one", "two"), "InvalidRequest", "Versioning must be 'Enabled'"},
		{"versioning of source", versioning, props{"bucket": "$one", "versioningConfiguration": props{"status": "Enabled"}}, "", ""},
		{"replication to unversioned", replication, replicate("one", "two"), "InvalidRequest", "two-bucket"},
		{"versioning of destination", versioning, props{"bucket": "$two", "versioningConfiguration": props{"status": "Enabled"}}, "", ""},
		{"replication", replication, replicate("one", "two"), "", ""},
		{"versioning twice", versioning, props{"bucket": "$one", "versioningConfiguration": props{"status": "Enabled"}}, "OperationAborted", "has this configuration already"},
		{"logging to itself", "aws:s3/bucketLoggingV2:BucketLoggingV2", props{"bucket": "$one", "targetBucket": "$one", "targetPrefix": "x/"}, "InvalidTargetBucketForLogging", "itself"},
		{"lifecycle out of order", "aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2", props{"bucket": "$two", "rules": []any{props{
			"id": "r", "status": "Enabled", "transitions": []any{props{"days": 90, "storageClass": "GLACIER"}, props{"days": 30, "storageClass": "STANDARD_IA"}},
		}}}, "InvalidArgument", "must grow"},
	})
	other := configured(t, s.acct, "us-east-1")
	far := create(t, other, bucketToken, "far", props{"bucket": "far-bucket"})
	_, err := attempt(t, s.p, "aws:s3/bucketLoggingV2:BucketLoggingV2", "far", props{"bucket": "two-bucket", "targetBucket": string(far.id), "targetPrefix": "x/"})
	require.Equal(t, []string{"CrossLocationLoggingProhibitted"}, Codes(err))
	require.NoError(t, remove(other, far))
}

func TestRoleRefusals(t *testing.T) {
	t.Parallel()
	allow := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}`
	s := staged(t, made{"role", roleToken, props{"name": "app", "assumeRolePolicy": trust("ecs-tasks.amazonaws.com")}})
	const inline, attachment, managed = "aws:iam/rolePolicy:RolePolicy", "aws:iam/rolePolicyAttachment:RolePolicyAttachment", "aws:iam/policy:Policy"
	s.run(t, []refusedCase{
		{"name taken", roleToken, props{"name": "app", "assumeRolePolicy": trust("ec2.amazonaws.com")}, "EntityAlreadyExists", "Role with name app already exists"},
		{"trust of a resource", roleToken, props{"assumeRolePolicy": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole","Resource":"*"}]}`}, "MalformedPolicyDocument", "prohibited field Resource"},
		{"trust of nobody", roleToken, props{"assumeRolePolicy": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole"}]}`}, "MalformedPolicyDocument", "Principal"},
		{"policy of no role", inline, props{"role": "nobody", "policy": allow}, "NoSuchEntity", "nobody"},
		{"policy with a principal", inline, props{"role": "$role", "policy": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*"}]}`}, "MalformedPolicyDocument", "principal"},
		{"policy without version", inline, props{"role": "$role", "policy": `{"Statement":[]}`}, "MalformedPolicyDocument", "Version"},
		{"policy without vendor", inline, props{"role": "$role", "policy": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"GetObject","Resource":"*"}]}`}, "MalformedPolicyDocument", "vendor"},
		{"policy too long", managed, props{"policy": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::` + strings.Repeat("x", 6144) + `"}]}`}, "LimitExceeded", "6144"},
		{"AWS's policy", attachment, props{"role": "$role", "policyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}, "", ""},
		{"policy that is not there", attachment, props{"role": "$role", "policyArn": "arn:aws:iam::123456789012:policy/none"}, "NoSuchEntity", "policy/none"},
		{"policy of another account", attachment, props{"role": "$role", "policyArn": "arn:aws:iam::999999999999:policy/theirs"}, "", ""},
	})
	require.Equal(t, []string{"DeleteConflict"}, Codes(remove(s.p, s.made["role"])))
}
