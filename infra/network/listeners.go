package network

import (
	"strconv"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lb"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// One year, as browsers' preload lists ask for; without "preload" itself, which
// cannot be taken back in less than months.
const (
	strictTransport        = "max-age=31536000; includeSubDomains"
	strictTransportSeconds = 31536000
)

// targets makes the group of tasks. Its physical name carries the port: the
// port cannot change in place, and a second group of the same name could not
// be made before the listener lets go of the first.
func (b *edgeBuilder) targets() (err error) {
	physical := b.args.Prefix + "-" + strconv.Itoa(b.args.Port)
	b.group, err = lb.NewTargetGroup(b.ctx, b.name+"-targets", &lb.TargetGroupArgs{
		Name:       pulumi.String(physical),
		VpcId:      b.args.VpcID.ToStringOutput(),
		TargetType: pulumi.String("ip"),
		Protocol:   pulumi.String("HTTP"),
		Port:       pulumi.Int(b.args.Port),
		// Long enough for a request, short enough for a deployment.
		DeregistrationDelay: pulumi.Int(30),
		HealthCheck: &lb.TargetGroupHealthCheckArgs{
			Enabled:            pulumi.Bool(true),
			Protocol:           pulumi.String("HTTP"),
			Path:               pulumi.String(b.args.HealthCheckPath),
			Matcher:            pulumi.String("200"),
			Interval:           pulumi.Int(15),
			Timeout:            pulumi.Int(5),
			HealthyThreshold:   pulumi.Int(2),
			UnhealthyThreshold: pulumi.Int(3),
		},
		Tags: tagged(b.args.Tags, physical),
	}, b.child())
	if err != nil {
		return err
	}
	b.c.TargetGroupArn, b.c.TargetGroupArnSuffix = b.group.Arn, b.group.ArnSuffix
	return nil
}

// listeners opens the ports, after WAF and Shield are in place. Whoever asks
// for another host, or for the address itself, gets 404: scanners find nothing.
func (b *edgeBuilder) listeners() error {
	guarded := pulumi.DependsOn(b.guards)
	https, err := lb.NewListener(b.ctx, b.name+"-https", &lb.ListenerArgs{
		LoadBalancerArn: b.lb.Arn,
		Port:            pulumi.Int(443),
		Protocol:        pulumi.String("HTTPS"),
		SslPolicy:       pulumi.String(securityPolicies[b.args.TLSPolicy]),
		CertificateArn:  b.cert.ToStringOutput(),
		DefaultActions: lb.ListenerDefaultActionArray{&lb.ListenerDefaultActionArgs{
			Type: pulumi.String("fixed-response"),
			FixedResponse: &lb.ListenerDefaultActionFixedResponseArgs{
				ContentType: pulumi.String("text/plain"), MessageBody: pulumi.String("Not found"), StatusCode: pulumi.String("404"),
			},
		}},
		RoutingHttpResponseServerEnabled:                      pulumi.Bool(false),
		RoutingHttpResponseStrictTransportSecurityHeaderValue: pulumi.String(strictTransport),
		RoutingHttpResponseContentSecurityPolicyHeaderValue:   pulumi.String(b.args.ContentSecurityPolicy),
		RoutingHttpResponseXContentTypeOptionsHeaderValue:     pulumi.String("nosniff"),
		RoutingHttpResponseXFrameOptionsHeaderValue:           pulumi.String("DENY"),
		Tags: tagged(b.args.Tags, b.args.Prefix+"-https"),
	}, b.child(), guarded)
	if err != nil {
		return err
	}
	rule, err := lb.NewListenerRule(b.ctx, b.name+"-forward", &lb.ListenerRuleArgs{
		ListenerArn: https.Arn,
		Priority:    pulumi.Int(1),
		Conditions: lb.ListenerRuleConditionArray{&lb.ListenerRuleConditionArgs{
			HostHeader: &lb.ListenerRuleConditionHostHeaderArgs{Values: pulumi.StringArray{pulumi.String(b.args.Host)}},
		}},
		Actions: lb.ListenerRuleActionArray{&lb.ListenerRuleActionArgs{
			Type: pulumi.String("forward"), TargetGroupArn: b.group.Arn,
		}},
		Tags: tagged(b.args.Tags, b.args.Prefix+"-forward"),
	}, b.child())
	if err != nil {
		return err
	}
	b.c.Forwarding = []pulumi.Resource{https, rule}
	if !b.args.HTTPRedirect {
		return nil
	}
	_, err = lb.NewListener(b.ctx, b.name+"-http", &lb.ListenerArgs{
		LoadBalancerArn: b.lb.Arn,
		Port:            pulumi.Int(80),
		Protocol:        pulumi.String("HTTP"),
		DefaultActions: lb.ListenerDefaultActionArray{&lb.ListenerDefaultActionArgs{
			Type: pulumi.String("redirect"),
			Redirect: &lb.ListenerDefaultActionRedirectArgs{
				Protocol: pulumi.String("HTTPS"), Port: pulumi.String("443"), StatusCode: pulumi.String("HTTP_301"),
			},
		}},
		Tags: tagged(b.args.Tags, b.args.Prefix+"-http"),
	}, b.child(), guarded)
	return err
}
