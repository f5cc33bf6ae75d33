package network

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lb"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/route53"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/shield"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/wafv2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/guide"
)

// LoadBalancerComponent ties LoadBalancer to the guide.
var LoadBalancerComponent = guide.Component{
	Token: "redoubt:network:LoadBalancer",
	Serves: []guide.ID{
		guide.OverviewNetworkShield,
		guide.OverviewDataTLS,
		guide.DiagramWAFShield,
		guide.DiagramShieldALB,
		guide.DiagramALBECS,
		guide.ArchitectureInTransitALB,
		guide.ArchitectureInTransitAPI,
		guide.PracticesInputSanitization,
		guide.OperationsLogsAccessLogs,
	},
}

// LoadBalancerArgs describes the load balancer. Prefix, VpcID, SubnetIDs,
// SecurityGroupID, WebAcl, LogBucket, Host and one of CertificateArn and
// ZoneID are required.
type LoadBalancerArgs struct {
	Prefix string
	VpcID  pulumi.StringInput
	// SubnetIDs are the public tier's.
	SubnetIDs pulumi.StringArrayInput
	// SecurityGroupID is SecurityGroups.ALB.
	SecurityGroupID pulumi.StringInput
	// WebAcl is put in front before a listener opens.
	WebAcl *WebAcl
	// LogBucket is the name of the bucket for access and connection logs, and
	// LogsReady what must exist before AWS tests that it may write there: the
	// bucket's policy. Name the resource, not a component around it.
	LogBucket pulumi.StringInput
	LogsReady []pulumi.Resource
	// Host is the one host name that is served; requests for others get 404.
	Host string
	// CertificateArn is an issued certificate for Host. Without it, ZoneID
	// names the Route 53 zone where one is validated and Host is entered.
	CertificateArn pulumi.StringInput
	ZoneID         string
	// TLSPolicy is TLS13Only if empty.
	TLSPolicy TLSPolicy
	// ContentSecurityPolicy replaces the strict default, for pages with
	// content from elsewhere.
	ContentSecurityPolicy string
	// Port is where targets listen, 3000 if zero; HealthCheckPath is "/health"
	// if empty.
	Port            int
	HealthCheckPath string
	// HTTPRedirect opens port 80 to send people to HTTPS. The guide has HTTPS
	// only, so it is off unless asked for.
	HTTPRedirect       bool
	DeletionProtection bool
	// ShieldProtect registers the load balancer with Shield Advanced. The
	// account must have subscribed; ShieldSubscription, if this stack does that,
	// comes first. See NewShield for what goes beyond.
	ShieldProtect      bool
	ShieldSubscription *ShieldSubscription
	Tags               map[string]string
}

// LoadBalancer is the one way in from the internet.
type LoadBalancer struct {
	pulumi.ResourceState

	Arn pulumi.StringOutput
	// ArnSuffix and TargetGroupArnSuffix are the dimensions of CloudWatch metrics.
	ArnSuffix, TargetGroupArnSuffix pulumi.StringOutput
	// DNSName is AWS's host name, ZoneID its hosted zone: what an alias record takes.
	DNSName, ZoneID pulumi.StringOutput
	// TargetGroupArn is where a service registers its tasks.
	TargetGroupArn pulumi.StringOutput
	// URL is where people go.
	URL string
	// ShieldProtectionID is empty without ShieldProtect.
	ShieldProtectionID pulumi.StringOutput
	// Forwarding is what a service depends on: ECS refuses a target group that
	// no listener uses.
	Forwarding []pulumi.Resource

	acl         *WebAcl
	association *wafv2.WebAclAssociation
	// protection is nil without ShieldProtect.
	protection *shield.Protection
}

// NewLoadBalancer registers the load balancer, its listeners and what stands
// in front of it. It returns every finding about args at once.
func NewLoadBalancer(ctx *pulumi.Context, name string, args *LoadBalancerArgs, opts ...pulumi.ResourceOption) (*LoadBalancer, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("load balancer %s: %w", name, err)
	}
	c := &LoadBalancer{URL: "https://" + args.Host, ShieldProtectionID: pulumi.String("").ToStringOutput()}
	if err := ctx.RegisterComponentResource(LoadBalancerComponent.Token, name, c, opts...); err != nil {
		return nil, fmt.Errorf("load balancer %s: register component: %w", name, err)
	}
	b := &edgeBuilder{ctx: ctx, name: name, args: args.orDefault(), c: c}
	for _, step := range []func() error{b.balancer, b.protect, b.certificate, b.targets, b.listeners, b.address} {
		if err := step(); err != nil {
			return nil, fmt.Errorf("load balancer %s: %w", name, err)
		}
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{
		"albArn": c.Arn, "albDnsName": c.DNSName, "albZoneId": c.ZoneID, "appUrl": pulumi.String(c.URL),
		"targetGroupArn": c.TargetGroupArn, "shieldProtectionId": c.ShieldProtectionID,
	})
}

// strictContent lets a page load from its own host and be framed by nobody.
const strictContent = "default-src 'self'; frame-ancestors 'none'; base-uri 'self'; form-action 'self'; object-src 'none'"

func (args *LoadBalancerArgs) orDefault() *LoadBalancerArgs {
	out := *args
	if out.TLSPolicy == "" {
		out.TLSPolicy = TLS13Only
	}
	if out.ContentSecurityPolicy == "" {
		out.ContentSecurityPolicy = strictContent
	}
	if out.HealthCheckPath == "" {
		out.HealthCheckPath = "/health"
	}
	out.Port = Ports{App: out.Port}.orDefault().App
	return &out
}

var (
	healthPath  = regexp.MustCompile(`^/[\x21-\x7e]*$`)
	headerValue = regexp.MustCompile(`^[\x20-\x7e]+$`)
)

func (args *LoadBalancerArgs) validate() error {
	var f findings
	if args == nil {
		f.add("args", "missing", "pass a LoadBalancerArgs")
		return f.err()
	}
	f.prefix(args.Prefix)
	f.required("vpcId", args.VpcID != nil, "pass the VPC's id")
	f.required("subnetIds", args.SubnetIDs != nil, "pass the public tier's subnets")
	f.required("securityGroupId", args.SecurityGroupID != nil, "pass the ALB security group's id")
	f.required("webAcl", args.WebAcl != nil, "pass the web ACL; nothing is served without one")
	f.required("logBucket", args.LogBucket != nil, "pass the name of the access log bucket")
	checkDomain(&f, "host", args.Host)
	args.checkCertificate(&f)
	d := args.orDefault()
	if _, ok := securityPolicies[d.TLSPolicy]; !ok {
		f.add("tlsPolicy", fmt.Sprintf("%q is no TLS policy", d.TLSPolicy), "use "+strings.Join(tlsPolicies(), ", "))
	}
	if d.Port < 1 || d.Port > 65535 {
		f.add("port", fmt.Sprintf("%d is no TCP port", d.Port), "1 to 65535")
	}
	if !healthPath.MatchString(d.HealthCheckPath) || len(d.HealthCheckPath) > 1024 {
		f.add("healthCheckPath", fmt.Sprintf("%q is no path", d.HealthCheckPath), "start it with / and keep it under 1,024 characters")
	}
	if !headerValue.MatchString(d.ContentSecurityPolicy) {
		f.add("contentSecurityPolicy", "has characters that a header cannot carry", "write it on one line of printable ASCII")
	}
	return f.err()
}

func (args *LoadBalancerArgs) checkCertificate(f *findings) {
	switch {
	case args.CertificateArn != nil && args.ZoneID != "":
		f.add("certificateArn", "given together with zoneId", "leave one of the two out")
	case args.CertificateArn == nil && args.ZoneID == "":
		f.add("certificateArn", "missing", "pass an issued certificate's ARN, or the zone in zoneId to have one made")
	case args.ZoneID != "":
		checkZone(f, args.ZoneID)
	}
}

// edgeBuilder holds what the steps of NewLoadBalancer share.
type edgeBuilder struct {
	ctx  *pulumi.Context
	name string
	args *LoadBalancerArgs
	c    *LoadBalancer

	lb     *lb.LoadBalancer
	group  *lb.TargetGroup
	cert   pulumi.StringInput
	guards []pulumi.Resource
}

func (b *edgeBuilder) child() pulumi.ResourceOption { return pulumi.Parent(b.c) }

func (b *edgeBuilder) balancer() (err error) {
	physical := b.args.Prefix + "-alb"
	b.lb, err = lb.NewLoadBalancer(b.ctx, b.name+"-alb", &lb.LoadBalancerArgs{
		Name:             pulumi.String(physical),
		LoadBalancerType: pulumi.String("application"),
		Internal:         pulumi.Bool(false),
		IpAddressType:    pulumi.String("ipv4"),
		Subnets:          b.args.SubnetIDs,
		SecurityGroups:   pulumi.StringArray{b.args.SecurityGroupID},
		// Requests that two parsers could read differently are refused, not
		// passed on as "defensive" does with some: the guide asks for
		// sanitization, and what is served here is new and speaks HTTP properly.
		DesyncMitigationMode:    pulumi.String("strictest"),
		DropInvalidHeaderFields: pulumi.Bool(true),
		// If WAF cannot be reached, refuse rather than serve unchecked.
		EnableWafFailOpen:        pulumi.Bool(false),
		EnableDeletionProtection: pulumi.Bool(b.args.DeletionProtection),
		XffHeaderProcessingMode:  pulumi.String("append"),
		AccessLogs: &lb.LoadBalancerAccessLogsArgs{
			Enabled: pulumi.Bool(true), Bucket: b.args.LogBucket, Prefix: pulumi.String("alb/access"),
		},
		ConnectionLogs: &lb.LoadBalancerConnectionLogsArgs{
			Enabled: pulumi.Bool(true), Bucket: b.args.LogBucket, Prefix: pulumi.String("alb/connection"),
		},
		Tags: tagged(b.args.Tags, physical),
	}, b.child(), pulumi.DependsOn(b.args.LogsReady))
	if err != nil {
		return err
	}
	b.c.Arn, b.c.ArnSuffix = b.lb.Arn, b.lb.ArnSuffix
	b.c.DNSName, b.c.ZoneID = b.lb.DnsName, b.lb.ZoneId
	return nil
}

// protect puts WAF and Shield in front before anything listens.
func (b *edgeBuilder) protect() error {
	association, err := b.args.WebAcl.Associate(b.ctx, b.name+"-waf", b.lb.Arn, b.child())
	if err != nil {
		return err
	}
	b.c.acl, b.c.association = b.args.WebAcl, association
	b.guards = append(b.guards, association)
	if !b.args.ShieldProtect {
		return nil
	}
	protection, err := shield.NewProtection(b.ctx, b.name+"-shield", &shield.ProtectionArgs{
		Name:        pulumi.String(b.args.Prefix + "-alb"),
		ResourceArn: b.lb.Arn,
		Tags:        tagged(b.args.Tags, b.args.Prefix+"-alb"),
	}, b.child(), pulumi.DependsOn(b.args.ShieldSubscription.subscribed()))
	if err != nil {
		return err
	}
	b.c.protection = protection
	b.c.ShieldProtectionID = protection.ID().ToStringOutput()
	b.guards = append(b.guards, protection)
	return nil
}

func (b *edgeBuilder) certificate() error {
	if b.args.CertificateArn != nil {
		b.cert = b.args.CertificateArn
		return nil
	}
	cert, err := NewCertificate(b.ctx, b.name+"-certificate", &CertificateArgs{
		Domain: b.args.Host, ZoneID: b.args.ZoneID, Tags: b.args.Tags,
	}, b.child())
	if err != nil {
		return err
	}
	b.cert = cert.Arn
	return nil
}

// address enters the host in the zone, when the zone is ours.
func (b *edgeBuilder) address() error {
	if b.args.ZoneID == "" {
		return nil
	}
	_, err := route53.NewRecord(b.ctx, b.name+"-host", &route53.RecordArgs{
		ZoneId: pulumi.String(b.args.ZoneID),
		Name:   pulumi.String(b.args.Host),
		Type:   pulumi.String("A"),
		Aliases: route53.RecordAliasArray{&route53.RecordAliasArgs{
			Name: b.lb.DnsName, ZoneId: b.lb.ZoneId, EvaluateTargetHealth: pulumi.Bool(true),
		}},
	}, b.child())
	return err
}
