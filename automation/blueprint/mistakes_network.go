package blueprint

var networkMistakes = []Mistake{
	{
		Name: "gateway-in-private-subnet", Family: "network", Deed: "a NAT gateway stands where nothing leads out",
		Rule: "nat-gateway-in-public-subnet",
		Change: Change{
			On:  Target{"ec2/natGateway", "inside"},
			Add: map[string]any{"subnetId": Of{Target{"ec2/subnet", "app-a"}, "id"}, "allocationId": "eipalloc-0123456789abcdef0"},
		},
	},
	{
		Name: "neighbour-sees-all", Family: "network", Deed: "a peer's whole network is reached, not the part that is needed",
		Rule: "vpc-peering-routes-not-whole-vpc",
		Change: Change{
			On: Target{"ec2/route", "neighbour"},
			Add: map[string]any{
				"routeTableId":         Of{Target{"ec2/routeTable", "app-a"}, "id"},
				"destinationCidrBlock": "10.0.0.0/8", "vpcPeeringConnectionId": "pcx-0123456789abcdef0",
			},
		},
	},
	{
		Name: "flow-log-without-rejects", Family: "network", Deed: "the flow log keeps what was accepted only",
		Rule:   "vpc-flow-log-captures-all-traffic",
		Change: Change{On: Target{"ec2/flowLog", "flow-logs-archive"}, Set: map[string]any{"trafficType": "ACCEPT"}},
	},
	{
		Name: "slow-flow-log", Family: "network", Deed: "the flow log gathers ten minutes before it writes",
		Rule:   "vpc-flow-log-1-minute-aggregation",
		Change: Change{On: Target{"ec2/flowLog", "flow-logs-cloudwatch"}, Set: map[string]any{"maxAggregationInterval": 600}},
	},
	{
		Name: "public-addresses", Family: "network", Deed: "a subnet of the application hands out public addresses",
		Rule:   "subnet-no-auto-assign-public-ip",
		Change: Change{On: Target{"ec2/subnet", "app-a"}, Set: map[string]any{"mapPublicIpOnLaunch": true}},
	},
	{
		Name: "default-vpc", Family: "network", Deed: "the account's default VPC is taken into use",
		Rule:   "no-default-vpc-or-subnet",
		Change: Change{On: Target{"ec2/defaultVpc", "convenient"}, Add: map[string]any{}},
	},
	{
		Name: "endpoint-for-everybody", Family: "endpoints", Deed: "the endpoint of SQS lets any account through",
		Rule: "vpc-endpoint-policy-restrictive",
		Change: Change{
			On:  Target{"ec2/vpcEndpoint", "sqs"},
			Set: map[string]any{"policy": document(map[string]any{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"})},
		},
	},
	{
		Name: "endpoint-without-dns", Family: "endpoints", Deed: "the name of SNS still leads to its public addresses",
		Rule:   "vpc-interface-endpoint-private-dns",
		Change: Change{On: Target{"ec2/vpcEndpoint", "sns"}, Set: map[string]any{"privateDnsEnabled": false}},
	},
	{
		Name: "ssh-through-network-acl", Family: "network ACLs", Deed: "the network ACL of the data subnets lets SSH in from the internet",
		Rule: "network-acl-no-admin-ports-from-internet",
		Change: Change{
			On:  Target{"ec2/networkAclRule", "data-in-100"},
			Set: map[string]any{"cidrBlock": "0.0.0.0/0", "fromPort": 22, "toPort": 22},
		},
		At: Target{"ec2/networkAcl", "data"},
	},
}

var groupMistakes = []Mistake{
	{
		Name: "world-open-database", Family: "security groups", Deed: "a network of the internet reaches the database",
		Rule: "sg-aurora-ingress-only-from-ecs-sg",
		Change: Change{
			On:  Target{"vpc/securityGroupIngressRule", "aurora-in-ecs-5432"},
			Set: map[string]any{"referencedSecurityGroupId": Gone, "cidrIpv4": "198.51.100.0/26"},
		},
	},
	{
		Name: "database-all-ports", Family: "security groups", Deed: "functions reach every port of the database",
		Rule:   "sg-aurora-ingress-db-port-only",
		Change: Change{On: Target{"vpc/securityGroupIngressRule", "aurora-in-lambda-5432"}, Set: map[string]any{"toPort": 5500}},
	},
	{
		Name: "plain-http-at-balancer", Family: "security groups", Deed: "the load balancer is reached on port 80",
		Rule:   "sg-public-alb-ingress-https-only",
		Change: Change{On: Target{"vpc/securityGroupIngressRule", "alb-in-cidr-443-0.0.0.0-0"}, Set: map[string]any{"fromPort": 80, "toPort": 80}},
	},
	{
		Name: "wrong-container-port", Family: "security groups", Deed: "the load balancer may reach a port that no container has",
		Rule:   "sg-ecs-port-matches-container-port",
		Change: Change{On: Target{"vpc/securityGroupIngressRule", "ecs-in-alb-3000"}, Set: map[string]any{"fromPort": 3000, "toPort": 3010}},
	},
	{
		Name: "world-open-search", Family: "security groups", Deed: "the search domain is opened to a public network",
		Rule: "sg-opensearch-internal-only",
		Change: Change{
			On:  Target{"vpc/securityGroupIngressRule", "opensearch-in-lambda-443"},
			Set: map[string]any{"referencedSecurityGroupId": Gone, "cidrIpv4": "198.51.100.0/26"},
		},
	},
	{
		Name: "rule-without-reason", Family: "security groups", Deed: "nobody says what a rule is for",
		Rule:   "sg-descriptions-present",
		Change: Change{On: Target{"vpc/securityGroupIngressRule", "opensearch-in-ecs-443"}, Set: map[string]any{"description": Gone}},
	},
}
