package rehearsal

import "strings"

// What properties refer to, with the code and the sense of the message that the
// service's API reference gives for a value that names nothing.
var (
	toVpc = &target{
		types: []string{"aws:ec2/vpc:Vpc", "aws:ec2/defaultVpc:DefaultVpc"},
		code:  "InvalidVpcID.NotFound", message: "The vpc ID '{value}' does not exist",
	}
	toSubnet = &target{
		types: []string{"aws:ec2/subnet:Subnet", "aws:ec2/defaultSubnet:DefaultSubnet"},
		code:  "InvalidSubnetID.NotFound", message: "The subnet ID '{value}' does not exist",
	}
	toSecurityGroup = &target{
		types: []string{"aws:ec2/securityGroup:SecurityGroup", "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"},
		code:  "InvalidGroup.NotFound", message: "The security group '{value}' does not exist",
	}
	toRouteTable = &target{
		types: []string{"aws:ec2/routeTable:RouteTable", "aws:ec2/defaultRouteTable:DefaultRouteTable"},
		code:  "InvalidRouteTableID.NotFound", message: "The routeTable ID '{value}' does not exist",
	}
	toNetworkAcl = &target{
		types: []string{"aws:ec2/networkAcl:NetworkAcl", "aws:ec2/defaultNetworkAcl:DefaultNetworkAcl"},
		code:  "InvalidNetworkAclID.NotFound", message: "The networkAcl ID '{value}' does not exist",
	}
	toInternetGateway = &target{
		types: []string{"aws:ec2/internetGateway:InternetGateway", "aws:ec2/vpnGateway:VpnGateway", "aws:ec2/carrierGateway:CarrierGateway", "aws:ec2/vpcEndpoint:VpcEndpoint"},
		code:  "InvalidGatewayID.NotFound", message: "The gateway ID '{value}' does not exist",
		outside: func(v string) bool { return v == "local" },
	}
	toNatGateway = &target{
		types: []string{"aws:ec2/natGateway:NatGateway"},
		code:  "InvalidNatGatewayID.NotFound", message: "The natGateway ID '{value}' does not exist",
	}
	toVpcEndpoint = &target{
		types: []string{"aws:ec2/vpcEndpoint:VpcEndpoint"},
		code:  "InvalidVpcEndpointId.NotFound", message: "The VpcEndpoint ID '{value}' does not exist",
	}
	toEip = &target{
		types: []string{"aws:ec2/eip:Eip"},
		code:  "InvalidAllocationID.NotFound", message: "The allocation ID '{value}' does not exist",
	}
	toPrefixList = &target{
		types: []string{"aws:ec2/managedPrefixList:ManagedPrefixList"},
		code:  "InvalidPrefixListID.NotFound", message: "The prefix list ID '{value}' does not exist",
		// AWS's own lists are not resources of the account; the data sources
		// know their ids.
		outside: func(v string) bool { return strings.HasPrefix(v, "pl-") },
	}
	toKey = &target{
		types: []string{"aws:kms/key:Key", "aws:kms/replicaKey:ReplicaKey", "aws:kms/alias:Alias", "aws:kms/externalKey:ExternalKey"},
		code:  "NotFoundException", message: "Key '{value}' does not exist",
		outside: awsManagedKey,
	}
	toSigningProfile = &target{
		types: []string{"aws:signer/signingProfile:SigningProfile"},
		code:  "ResourceNotFoundException", status: 404, message: "Signing profile {value} not found",
	}
	toBucket = &target{
		types: []string{"aws:s3/bucketV2:BucketV2", "aws:s3/bucket:Bucket"},
		code:  "NoSuchBucket", status: 404, message: "The specified bucket does not exist: {value}",
	}
	toRole = &target{
		types: []string{"aws:iam/role:Role", "aws:iam/serviceLinkedRole:ServiceLinkedRole"},
		code:  "NoSuchEntity", status: 404, message: "The role with name {value} cannot be found.",
		outside: func(v string) bool { return strings.Contains(v, ":role/aws-service-role/") },
	}
	toPolicy = &target{
		types: []string{"aws:iam/policy:Policy"},
		code:  "NoSuchEntity", status: 404, message: "Policy {value} does not exist or is not attachable.",
	}
	toLogGroup = &target{
		types: []string{"aws:cloudwatch/logGroup:LogGroup"},
		code:  "ResourceNotFoundException", message: "The specified log group does not exist: {value}",
	}
	toTopic = &target{
		types: []string{"aws:sns/topic:Topic"},
		code:  "NotFound", status: 404, message: "Topic does not exist: {value}",
	}
	toQueue = &target{
		types: []string{"aws:sqs/queue:Queue"},
		code:  "AWS.SimpleQueueService.NonExistentQueue", message: "The specified queue does not exist: {value}",
	}
	toFunction = &target{
		types: []string{"aws:lambda/function:Function", "aws:lambda/alias:Alias"},
		code:  "ResourceNotFoundException", status: 404, message: "Function not found: {value}",
	}
	toLoadBalancer = &target{
		types: []string{"aws:lb/loadBalancer:LoadBalancer", "aws:alb/loadBalancer:LoadBalancer"},
		code:  "LoadBalancerNotFound", message: "One or more load balancers not found: {value}",
	}
	toListener = &target{
		types: []string{"aws:lb/listener:Listener", "aws:alb/listener:Listener"},
		code:  "ListenerNotFound", message: "One or more listeners not found: {value}",
	}
	toTargetGroup = &target{
		types: []string{"aws:lb/targetGroup:TargetGroup", "aws:alb/targetGroup:TargetGroup"},
		code:  "TargetGroupNotFound", message: "One or more target groups not found: {value}",
	}
	toCertificate = &target{
		types: []string{"aws:acm/certificate:Certificate", "aws:iam/serverCertificate:ServerCertificate"},
		code:  "CertificateNotFound", message: "Certificate '{value}' not found",
	}
	toWebAcl = &target{
		types: []string{"aws:wafv2/webAcl:WebAcl"},
		code:  "WAFNonexistentItemException", message: "AWS WAF couldn't perform the operation because your resource doesn't exist: {value}",
	}
	toIPSet = &target{
		types: []string{"aws:wafv2/ipSet:IpSet"},
		code:  "WAFNonexistentItemException", message: "AWS WAF couldn't perform the operation because your resource doesn't exist: {value}",
	}
	toEcsCluster = &target{
		types: []string{"aws:ecs/cluster:Cluster"},
		code:  "ClusterNotFoundException", message: "Cluster not found: {value}",
	}
	toTaskDefinition = &target{
		types: []string{"aws:ecs/taskDefinition:TaskDefinition"},
		code:  "ClientException", message: "Unable to describe task definition: {value}",
	}
	toDBCluster = &target{
		types: []string{"aws:rds/cluster:Cluster"},
		code:  "DBClusterNotFoundFault", status: 404, message: "DBCluster {value} not found.",
	}
	toDBSubnetGroup = &target{
		types: []string{"aws:rds/subnetGroup:SubnetGroup"},
		code:  "DBSubnetGroupNotFoundFault", status: 404, message: "DB subnet group '{value}' does not exist.",
		outside: func(v string) bool { return v == "default" },
	}
	toDBClusterParameters = &target{
		types: []string{"aws:rds/clusterParameterGroup:ClusterParameterGroup"},
		code:  "DBClusterParameterGroupNotFound", status: 404, message: "DBClusterParameterGroup not found: {value}",
		outside: func(v string) bool { return strings.HasPrefix(v, "default.") },
	}
	toDBParameters = &target{
		types: []string{"aws:rds/parameterGroup:ParameterGroup"},
		code:  "DBParameterGroupNotFound", status: 404, message: "DBParameterGroup not found: {value}",
		outside: func(v string) bool { return strings.HasPrefix(v, "default.") },
	}
	toSecret = &target{
		types: []string{"aws:secretsmanager/secret:Secret"},
		code:  "ResourceNotFoundException", message: "Secrets Manager can't find the specified secret: {value}",
	}
	toSearchDomain = &target{
		types: []string{"aws:opensearch/domain:Domain"},
		code:  "ResourceNotFoundException", status: 409, message: "Domain not found: {value}",
	}
	toRepository = &target{
		types: []string{"aws:ecr/repository:Repository"},
		code:  "RepositoryNotFoundException", message: "The repository with name '{value}' does not exist in the registry",
	}
	toEventRule = &target{
		types: []string{"aws:cloudwatch/eventRule:EventRule"},
		code:  "ResourceNotFoundException", message: "Rule {value} does not exist on EventBus default.",
	}
	toZone = &target{
		types: []string{"aws:route53/zone:Zone"},
		code:  "NoSuchHostedZone", status: 404, message: "No hosted zone found with ID: {value}",
	}
	toQueryLogConfig = &target{
		types: []string{"aws:route53/resolverQueryLogConfig:ResolverQueryLogConfig"},
		code:  "ResourceNotFoundException", message: "Resolver query logging configuration '{value}' not found",
	}
	toDetector = &target{
		types: []string{"aws:guardduty/detector:Detector"},
		code:  "BadRequestException", message: "The request is rejected because the input detectorId is not owned by the current account: {value}",
	}
	toVault = &target{
		types: []string{"aws:backup/vault:Vault"},
		code:  "ResourceNotFoundException", message: "Backup vault {value} does not exist",
	}
	// toAnyLogTarget records what a log goes to, so that deletes know of it; the
	// services accept any ARN.
	toAnyLogTarget = &target{
		types: []string{"aws:cloudwatch/logGroup:LogGroup", "aws:s3/bucketV2:BucketV2", "aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream"},
		code:  "ResourceNotFoundException", message: "The log destination does not exist: {value}",
	}
)

// awsManagedKey is true for the aliases of the keys that AWS owns.
func awsManagedKey(v string) bool {
	return strings.HasPrefix(v, "alias/aws/") || strings.Contains(v, ":alias/aws/") || strings.HasPrefix(v, "AWS_OWNED")
}

// networkUsers are the types that keep network interfaces in subnets and under
// security groups.
var networkUsers = []string{
	"aws:ec2/natGateway:NatGateway", "aws:ec2/vpcEndpoint:VpcEndpoint", "aws:ec2/networkInterface:NetworkInterface",
	"aws:ec2/instance:Instance", "aws:lb/loadBalancer:LoadBalancer", "aws:alb/loadBalancer:LoadBalancer",
	"aws:ecs/service:Service", "aws:lambda/function:Function", "aws:opensearch/domain:Domain",
	"aws:rds/clusterInstance:ClusterInstance", "aws:rds/instance:Instance",
}
