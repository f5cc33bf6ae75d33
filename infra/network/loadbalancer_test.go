package network_test

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"redoubt/infra/network"
	"redoubt/internal/graphtest"
)

const (
	albType          = "aws:lb/loadBalancer:LoadBalancer"
	listenerType     = "aws:lb/listener:Listener"
	listenerRuleType = "aws:lb/listenerRule:ListenerRule"
	targetGroupType  = "aws:lb/targetGroup:TargetGroup"
	shieldType       = "aws:shield/protection:Protection"
	certificateType  = "aws:acm/certificate:Certificate"
	issuedType       = "aws:acm/certificateValidation:CertificateValidation"
	bucketPolicyType = "aws:s3/bucketPolicy:BucketPolicy"
	recordType       = "aws:route53/record:Record"
)

const issuedCertificate = pulumi.String("arn:aws:acm:eu-central-1:123456789012:certificate/11111111-2222-4333-8444-555555555555")

// bucketPolicy stands for the policy of the access log bucket.
type bucketPolicy struct{ pulumi.CustomResourceState }

type albChange func(*network.LoadBalancerArgs)

// albProgram makes a load balancer behind a web ACL.
func albProgram(changes ...albChange) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		_, err := newBalancer(ctx, changes...)
		return err
	}
}

func newBalancer(ctx *pulumi.Context, changes ...albChange) (*network.LoadBalancer, error) {
	acl, err := network.NewWebAcl(ctx, "waf", aclArgs(withShieldResponse))
	if err != nil {
		return nil, err
	}
	policy := &bucketPolicy{}
	if err := ctx.RegisterResource(bucketPolicyType, "access-logs", pulumi.Map{}, policy); err != nil {
		return nil, err
	}
	args := &network.LoadBalancerArgs{
		Prefix: "redoubt-dev", VpcID: pulumi.String("vpc-1"), SubnetIDs: pulumi.ToStringArray([]string{"subnet-1", "subnet-2"}),
		SecurityGroupID: pulumi.String("sg-alb"), WebAcl: acl, LogBucket: pulumi.String("redoubt-dev-access-logs"),
		LogsReady: []pulumi.Resource{policy}, Host: "app.example.org", CertificateArn: issuedCertificate, Tags: ownerTags,
	}
	for _, change := range changes {
		change(args)
	}
	return network.NewLoadBalancer(ctx, "edge", args)
}

func withZone(a *network.LoadBalancerArgs) { a.CertificateArn, a.ZoneID = nil, "Z0123456789ABC" }

func TestLoadBalancerFacesTheInternetStrictly(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, albProgram())
	alb := g.Only(albType)
	for input, want := range map[string]any{
		"name":                     "redoubt-dev-alb",
		"internal":                 false,
		"loadBalancerType":         "application",
		"dropInvalidHeaderFields":  true,
		"desyncMitigationMode":     "strictest",
		"enableWafFailOpen":        false,
		"enableDeletionProtection": false,
		"accessLogs.enabled":       true,
		"accessLogs.bucket":        "redoubt-dev-access-logs",
		"connectionLogs.enabled":   true,
		"connectionLogs.bucket":    "redoubt-dev-access-logs",
		"securityGroups[0]":        "sg-alb",
	} {
		require.Equal(t, want, alb.Input(input), input)
	}
	require.NotEqual(t, alb.Input("accessLogs.prefix"), alb.Input("connectionLogs.prefix"))
	require.True(t, g.Depends(alb, g.Only(bucketPolicyType)), "the bucket's policy comes first")
	protected := graphtest.Run(t, albProgram(func(a *network.LoadBalancerArgs) { a.DeletionProtection = true }))
	require.Equal(t, true, protected.Only(albType).Input("enableDeletionProtection"))
}

func TestListenerTakesTLS13AndNothingElse(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, albProgram())
	https := g.Only(listenerType)
	for input, want := range map[string]any{
		"port":                   float64(443),
		"protocol":               "HTTPS",
		"sslPolicy":              "ELBSecurityPolicy-TLS13-1-3-2021-06",
		"certificateArn":         string(issuedCertificate),
		"defaultActions[0].type": "fixed-response",
		"defaultActions[0].fixedResponse.statusCode":            "404",
		"routingHttpResponseServerEnabled":                      false,
		"routingHttpResponseXContentTypeOptionsHeaderValue":     "nosniff",
		"routingHttpResponseXFrameOptionsHeaderValue":           "DENY",
		"routingHttpResponseStrictTransportSecurityHeaderValue": "max-age=31536000; includeSubDomains",
	} {
		require.Equal(t, want, https.Input(input), input)
	}
	require.Contains(t, https.Input("routingHttpResponseContentSecurityPolicyHeaderValue"), "default-src 'self'")
}

func TestTLSPolicies(t *testing.T) {
	t.Parallel()
	for policy, want := range map[network.TLSPolicy]string{
		network.TLS13Only:      "ELBSecurityPolicy-TLS13-1-3-2021-06",
		network.TLS13Preferred: "ELBSecurityPolicy-TLS13-1-2-2021-06",
		network.TLSPostQuantum: "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09",
		network.TLSFIPS:        "ELBSecurityPolicy-TLS13-1-3-FIPS-2023-04",
	} {
		g := graphtest.Run(t, albProgram(func(a *network.LoadBalancerArgs) { a.TLSPolicy = policy }))
		require.Equal(t, want, g.Only(listenerType).Input("sslPolicy"))
	}
}

func TestOnlyTheHostIsForwarded(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, albProgram())
	rule, group := g.Only(listenerRuleType), g.Only(targetGroupType)
	require.Equal(t, []any{"app.example.org"}, rule.Input("conditions[0].hostHeader.values"))
	require.Equal(t, "forward", rule.Input("actions[0].type"))
	require.Same(t, group, g.Refers(rule.Input("actions[0].targetGroupArn")))
	require.Same(t, g.Only(listenerType), g.Refers(rule.Input("listenerArn")))
	for input, want := range map[string]any{
		"name": "redoubt-dev-3000", "port": float64(3000), "protocol": "HTTP", "targetType": "ip",
		"vpcId": "vpc-1", "healthCheck.path": "/health",
	} {
		require.Equal(t, want, group.Input(input), input)
	}
}

// A request must never meet a listener that WAF or Shield does not yet guard.
func TestGuardsStandBeforeListenersOpen(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, albProgram(func(a *network.LoadBalancerArgs) { a.ShieldProtect, a.HTTPRedirect = true, true }))
	association, protection := g.Only(wafAssocType), g.Only(shieldType)
	require.Same(t, g.Only(albType), g.Refers(association.Input("resourceArn")))
	require.Same(t, g.Only(aclWAFType), g.Refers(association.Input("webAclArn")))
	require.Same(t, g.Only(albType), g.Refers(protection.Input("resourceArn")))
	require.Len(t, g.ByType(listenerType), 2)
	for _, listener := range g.ByType(listenerType) {
		require.True(t, g.Depends(listener, association), listener.Name)
		require.True(t, g.Depends(listener, protection), listener.Name)
	}
	require.Empty(t, graphtest.Run(t, albProgram()).ByType(shieldType), "a subscription is nobody's default")
}

func TestRedirectIsOnlyARedirect(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, albProgram(func(a *network.LoadBalancerArgs) { a.HTTPRedirect = true }))
	http := g.One(listenerType, "edge-http")
	require.EqualValues(t, 80, http.Input("port"))
	require.Equal(t, map[string]any{
		"type": "redirect", "redirect": map[string]any{"protocol": "HTTPS", "port": "443", "statusCode": "HTTP_301"},
	}, http.Input("defaultActions[0]"))
}

func TestCertificateIsIssuedBeforeItIsUsed(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, albProgram(withZone))
	cert, issued := g.Only(certificateType), g.Only(issuedType)
	require.Equal(t, "app.example.org", cert.Input("domainName"))
	require.Equal(t, "DNS", cert.Input("validationMethod"))
	record := g.One(recordType, "edge-certificate-validation")
	require.Equal(t, "_0123456789abcdef.app.example.org.", record.Input("name"))
	require.Equal(t, "CNAME", record.Input("type"))
	require.Equal(t, []any{"_fedcba9876543210.acm-validations.aws."}, record.Input("records"))
	require.True(t, g.Depends(g.Only(listenerType), issued), "the listener takes the validation's output")

	host := g.One(recordType, "edge-host")
	require.Equal(t, "A", host.Input("type"))
	require.Equal(t, "app.example.org", host.Input("name"))
	require.Equal(t, g.Only(albType).Output("dnsName"), host.Input("aliases[0].name"))
}

// The generated accessor for the first element panics here.
func TestCertificateWithoutValidationRecordIsAnError(t *testing.T) {
	t.Parallel()
	_, err := graphtest.Build(albProgram(withZone), graphtest.Outputs(certificateType, resource.PropertyMap{
		"domainValidationOptions": resource.NewProperty([]resource.PropertyValue{}),
	}))
	require.ErrorContains(t, err, "ACM named no validation record")
}

func TestLoadBalancerReportsEveryFinding(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		change albChange
		want   []string
	}{
		{
			"all at once", func(a *network.LoadBalancerArgs) { *a = network.LoadBalancerArgs{} },
			[]string{"prefix:", "vpcId:", "subnetIds:", "securityGroupId:", "webAcl:", "logBucket:", "host:", "certificateArn: missing"},
		},
		{"two certificates", func(a *network.LoadBalancerArgs) { a.ZoneID = "Z0123456789ABC" }, []string{"given together with zoneId"}},
		{"no zone", func(a *network.LoadBalancerArgs) { a.CertificateArn, a.ZoneID = nil, "example.org" }, []string{"zoneId:"}},
		{"an old TLS policy", func(a *network.LoadBalancerArgs) { a.TLSPolicy = "ELBSecurityPolicy-2016-08" }, []string{"tlsPolicy:", "fips, pq, tls13-only, tls13-preferred"}},
		{"a port", func(a *network.LoadBalancerArgs) { a.Port = -1 }, []string{"port: -1"}},
		{"a path", func(a *network.LoadBalancerArgs) { a.HealthCheckPath = "health" }, []string{"healthCheckPath:"}},
		{"a header of two lines", func(a *network.LoadBalancerArgs) { a.ContentSecurityPolicy = "a\r\nb" }, []string{"contentSecurityPolicy:"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, err := graphtest.Build(albProgram(tc.change))
			for _, want := range tc.want {
				require.ErrorContains(t, err, want)
			}
		})
	}
}
