package blueprint

import (
	"maps"
	"net/netip"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/automation/provision"
	"redoubt/infra/data"
	"redoubt/infra/monitoring"
	"redoubt/infra/network"
	"redoubt/infra/workload"
)

// ServiceInputs are the inputs of SecureService.
type ServiceInputs struct {
	OnBaseline
	KeySettings
	LogSettings
	Address
	Image              string            `json:"image" doc:"What runs, by digest: repository@sha256:…" pattern:"^[^@\\s]+@sha256:[0-9a-f]{64}$" maxLength:"500"`
	Architecture       string            `json:"architecture,omitempty" doc:"What the image is built for." enum:"ARM64,X86_64" default:"ARM64"`
	Port               int               `json:"port,omitempty" doc:"Where the application listens; it is not root." min:"1024" max:"65535" default:"3000"`
	CPU                int               `json:"cpu,omitempty" doc:"CPU of a task in units of 1/1024 vCPU; with the memory a pair that Fargate offers." enum:"256,512,1024,2048,4096,8192,16384" default:"256"`
	Memory             int               `json:"memory,omitempty" doc:"Memory of a task in MiB." min:"512" max:"122880" default:"512"`
	MinTasks           int               `json:"minTasks,omitempty" doc:"How many tasks run at least. By default 2 in prod, else 1." min:"1" max:"100"`
	MaxTasks           int               `json:"maxTasks,omitempty" doc:"How many tasks run at most. By default twice minTasks." min:"1" max:"200"`
	HealthCheckPath    string            `json:"healthCheckPath,omitempty" doc:"Answers 200 while a task is well." pattern:"^/[\\x21-\\x7e]*$" maxLength:"1024" default:"/healthz"`
	Variables          map[string]string `json:"variables,omitempty" doc:"The container's environment: nothing secret." names:"^[A-Z_][A-Z0-9_]{0,127}$" maxLength:"4096" maxProperties:"100"`
	Secrets            map[string]string `json:"secrets,omitempty" doc:"Variables from Secrets Manager: names to secrets' ARNs." names:"^[A-Z_][A-Z0-9_]{0,127}$" pattern:"^arn:[^:]+:secretsmanager:[^:]+:[0-9]{12}:secret:[^:]+(:[^:]*){0,3}$" maxProperties:"50"`
	AllowedCIDRs       []string          `json:"allowedCidrs,omitempty" doc:"Who may reach port 443; everybody if empty." maxLength:"49" maxItems:"50"`
	RateLimit          int               `json:"rateLimit,omitempty" doc:"Requests per five minutes and address." min:"10" max:"2000000000" default:"2000"`
	WAFMode            string            `json:"wafMode,omitempty" doc:"block, or count while a new application is observed." enum:"block,count" default:"block"`
	EgressInternet     bool              `json:"egressInternet,omitempty" doc:"Tasks may reach 443 on the internet through the baseline's NAT."`
	Database           bool              `json:"database,omitempty" doc:"Tasks may reach the baseline's database, and what secure-database puts beside it."`
	Exec               bool              `json:"exec,omitempty" doc:"Allows ECS Exec into the tasks; never in prod."`
	DeletionProtection *bool             `json:"deletionProtection,omitempty" doc:"AWS refuses the load balancer's deletion. By default in prod."`
	AlarmTopicArn      string            `json:"alarmTopicArn,omitempty" doc:"An SNS topic of the stack's region that hears of the service's alarms, in place of the baseline's topics; its policy and its key let CloudWatch publish." pattern:"^arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}$"`
}

// Address is the one host that is served.
type Address struct {
	Host           string `json:"host" doc:"The one host name that is served." pattern:"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\\.)+[a-z]{2,63}$" maxLength:"253"`
	ZoneID         string `json:"zoneId,omitempty" doc:"The public Route 53 zone where a certificate is validated and the host is entered. Exactly one of zoneId and certificateArn." pattern:"^Z[A-Z0-9]{1,31}$"`
	CertificateArn string `json:"certificateArn,omitempty" doc:"An issued certificate for the host." pattern:"^arn:aws[a-z-]*:acm:[a-z0-9-]+:[0-9]{12}:certificate/[A-Za-z0-9-]+$"`
}

func (a *Address) check(f *findings) {
	f.refuse(a.ZoneID == "" && a.CertificateArn == "", "/zoneId", "is missing (name the host's zone, or an issued certificate in certificateArn)")
	f.refuse(a.ZoneID != "" && a.CertificateArn != "", "/certificateArn", "is given together with zoneId (leave one of the two out)")
}

func (in *ServiceInputs) complete() {
	in.LogSettings.complete(in.Where)
	if in.MinTasks == 0 {
		in.MinTasks = 1
		if in.prod() {
			in.MinTasks = 2
		}
		if in.MaxTasks > 0 {
			in.MinTasks = min(in.MinTasks, in.MaxTasks)
		}
	}
	if in.MaxTasks == 0 {
		in.MaxTasks = 2 * in.MinTasks
	}
	in.DeletionProtection = in.inProd(in.DeletionProtection)
}

func (in *ServiceInputs) check(f *findings) {
	in.Where.check(f)
	in.LogSettings.check(f)
	in.Address.check(f)
	in.inRegion(f, "/certificateArn", in.CertificateArn)
	in.inRegion(f, "/alarmTopicArn", in.AlarmTopicArn)
	if err := workload.CheckSize(in.CPU, in.Memory); err != nil {
		f.refuse(true, "/memory", "%v", err)
	}
	f.refuse(in.MaxTasks < in.MinTasks, "/maxTasks", "%d is less than minTasks, %d", in.MaxTasks, in.MinTasks)
	f.refuse(in.prod() && in.Exec, "/exec", "nobody has a shell in production (leave it out)")
	checkVariables(f, in.Variables, in.Secrets)
	checkRanges(f, "/allowedCidrs", in.AllowedCIDRs)
}

// checkVariables refuses secrets among what everybody may read, and names that
// stand twice.
func checkVariables(f *findings, variables, secrets map[string]string) {
	for _, name := range slices.Sorted(maps.Keys(variables)) {
		at := "/variables/" + escape(name)
		f.refuse(workload.TellsSecret(name), at, "would show a secret to everyone who may read the stack (put it into Secrets Manager, and its ARN into secrets)")
		_, twice := secrets[name]
		f.refuse(twice, at, "stands in secrets too (keep one)")
	}
}

// checkRanges refuses what is no range, and ranges that hold each other.
func checkRanges(f *findings, pointer string, blocks []string) {
	var seen []netip.Prefix
	for i, block := range blocks {
		prefix, err := netip.ParsePrefix(block)
		if err != nil || prefix != prefix.Masked() {
			f.refuse(true, pointer+index(i), "%q is no range of addresses (for example 203.0.113.0/24, with no bits behind the prefix)", block)
			continue
		}
		for _, other := range seen {
			f.refuse(prefix.Overlaps(other), pointer+index(i), "%s and %s overlap (keep the wider one)", prefix, other)
		}
		seen = append(seen, prefix)
	}
}

const serviceExample = `{
  "region": "eu-central-1",
  "baseline": "organization/redoubt/dev",
  "host": "orders.dev.example.org",
  "zoneId": "Z0123456789DEVEXAMPLE",
  "image": "123456789012.dkr.ecr.eu-central-1.amazonaws.com/orders@sha256:0f0e0d0c0b0a09080706050403020100f0e0d0c0b0a090807060504030201000",
  "port": 8080,
  "cpu": 512,
  "memory": 1024,
  "variables": {"LOG_LEVEL": "info"},
  "secrets": {"API_TOKEN": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:orders/api-token"},
  "egressInternet": true,
  "tags": {"owner": "orders-team", "data-class": "internal"}
}`

var serviceOutputs = []Output{
	{"appUrl", "Where people open the application."},
	{"albDnsName", "The load balancer's own host name, for a DNS record elsewhere."},
	{"webAclArn", "The web ACL in front of it."},
	{"clusterArn", "The ECS cluster."},
	{"serviceName", "The ECS service's name in the cluster."},
	{"taskRoleArn", "The role that the application has."},
	{"ecrRepositoryUrl", "Where the service's images may be pushed."},
	{"securityGroupIds", "The groups' ids: a map with alb and tasks."},
}

var serviceInputs = inputsOf[ServiceInputs]("Inputs of secure-service", serviceExample)

// SecureService is a service on Fargate behind a web ACL and a load balancer of
// its own, in a baseline's VPC.
var SecureService = withOrder(Blueprint{
	Name: "secure-service", Version: "1.0.0", OnBaseline: true,
	Summary: "An ECS service on Fargate in a baseline's VPC, behind its own web ACL and load balancer: image by digest, TLS 1.3, secrets by ARN.",
	Inputs:  serviceInputs, Outputs: serviceOutputs,
	Limits: provision.BlueprintLimits{Resources: 120, Minutes: 60},
	Change: map[string]string{InputsKey + ".rateLimit": "1500"},
	Drifts: []Drift{{
		Type: "aws:lb/loadBalancer:LoadBalancer", Property: "dropInvalidHeaderFields", Value: false,
		Deed: "somebody lets the load balancer pass invalid headers, in the console",
	}},
	Release: map[string]string{InputsKey + ".deletionProtection": "false"},
}, order(serviceInputs, deployService))

func deployService(ctx *pulumi.Context, in *ServiceInputs) error {
	p, err := in.open(ctx)
	if err != nil {
		return err
	}
	base, err := in.read(ctx, p)
	if err != nil {
		return err
	}
	groups, err := in.groups(ctx, p, base)
	if err != nil {
		return err
	}
	app, err := p.newKey(ctx, "app", data.AppKeyDescription, in.KeyDeletionDays, false, data.KeyForServiceGrants, data.KeyForFargate)
	if err != nil {
		return err
	}
	logs, err := p.newKey(ctx, "log", "Logs of "+p.prefix, in.KeyDeletionDays, false, data.KeyForLogs)
	if err != nil {
		return err
	}
	acl, err := network.NewWebAcl(ctx, p.prefix+"-waf", &network.WebAclArgs{
		Prefix: p.prefix, Scope: p.scope, Mode: network.WAFMode(in.WAFMode), RateLimit: in.RateLimit,
		LogKeyArn: logs.Arn, LogRetentionInDays: in.LogDays, Tags: p.tags,
	}, p.here())
	if err != nil {
		return err
	}
	edge := &network.LoadBalancerArgs{
		Prefix: p.prefix, VpcID: pulumi.String(base.VpcID), SubnetIDs: pulumi.ToStringArray(base.PublicSubnetIDs), SecurityGroupID: groups.ALB,
		WebAcl: acl, LogBucket: pulumi.String(base.Buckets.AccessLogs.Name), Host: in.Host, ZoneID: in.ZoneID,
		Port: in.Port, HealthCheckPath: in.HealthCheckPath, DeletionProtection: isTrue(in.DeletionProtection), Tags: p.tags,
	}
	if in.CertificateArn != "" {
		edge.CertificateArn = pulumi.String(in.CertificateArn)
	}
	balancer, err := network.NewLoadBalancer(ctx, p.prefix+"-alb", edge, p.here())
	if err != nil {
		return err
	}
	// Its log group is named after environment and service, in which stacks share
	// the environment.
	name := physicalPrefix(ctx.Organization(), ctx.Project(), ctx.Stack(), serviceNameLength)
	service, err := workload.NewService(ctx, p.prefix+"-app", &workload.ServiceArgs{
		Scope: p.scope, Prefix: p.prefix, Environment: in.Environment, ServiceName: name,
		Image: in.Image, RequireDigest: true, Architecture: in.Architecture, CPU: in.CPU, MemoryMiB: in.Memory,
		MinTasks: in.MinTasks, MaxTasks: in.MaxTasks, Port: in.Port,
		SubnetIDs: pulumi.ToStringArray(base.AppSubnetIDs), SecurityGroupIDs: pulumi.StringArray{groups.Tasks},
		TargetGroupArn: balancer.TargetGroupArn, After: balancer.Forwarding,
		Variables: in.Variables, Secrets: in.Secrets, SecretKeyAliases: []string{base.KmsKeys.App.Alias},
		PermissionsBoundary: base.BoundaryArn, KmsKeyArn: app.Arn, KeyAlias: app.AliasName, StorageKmsKeyArn: app.Arn,
		LogKmsKeyArn: logs.Arn, LogRetentionInDays: in.LogDays, MaskLog: true, ExecuteCommand: in.Exec, ForceDelete: !in.prod(), Tags: p.tags,
	}, p.here())
	if err != nil {
		return err
	}
	_, err = monitoring.NewWorkloadAlarms(ctx, p.prefix+"-alarms", &monitoring.WorkloadAlarmsArgs{
		Prefix: p.prefix, Scope: p.scope, Topics: base.topics(in.AlarmTopicArn), Tags: p.tags,
		Workload: monitoring.Workload{
			LoadBalancer: balancer.ArnSuffix, TargetGroup: balancer.TargetGroupArnSuffix, WebACLMetric: pulumi.String(p.prefix + "-waf"),
			Cluster: pulumi.String(service.ClusterName), Service: pulumi.String(service.ServiceName),
		},
	}, p.here())
	if err != nil {
		return err
	}
	return publish(ctx, serviceOutputs, pulumi.Map{
		"appUrl":           pulumi.String(balancer.URL),
		"albDnsName":       balancer.DNSName,
		"webAclArn":        acl.Arn,
		"clusterArn":       service.Cluster.Arn,
		"serviceName":      pulumi.String(name),
		"taskRoleArn":      service.TaskRole.Arn,
		"ecrRepositoryUrl": service.RepositoryURL,
		"securityGroupIds": pulumi.Map{"alb": groups.ALB, "tasks": groups.Tasks},
	})
}

// serviceNameLength is the longest name of a service.
const serviceNameLength = 20

func (in *ServiceInputs) groups(ctx *pulumi.Context, p *place, base *baseline) (*network.ServiceGroups, error) {
	s3, err := ec2.LookupManagedPrefixList(ctx, &ec2.LookupManagedPrefixListArgs{
		Name: pulumi.StringRef("com.amazonaws." + p.scope.Region + ".s3"),
	}, pulumi.Provider(p.provider))
	if err != nil {
		return nil, err
	}
	args := &network.ServiceGroupsArgs{
		Prefix: p.prefix, VpcID: pulumi.String(base.VpcID), AllowedCIDRs: in.AllowedCIDRs, Port: in.Port,
		EndpointGroupID: base.endpointGroup(), S3PrefixListID: pulumi.String(s3.Id), EgressInternet: in.EgressInternet, Tags: p.tags,
	}
	if in.Database {
		args.DatabaseGroupID = pulumi.String(base.SecurityGroupIDs.Aurora)
	}
	return network.NewServiceGroups(ctx, p.prefix+"-groups", args, p.here())
}
