package network_test

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"redoubt/infra/network"
	"redoubt/internal/graphtest"
)

const (
	distributionType  = "aws:cloudfront/distribution:Distribution"
	accessControlType = "aws:cloudfront/originAccessControl:OriginAccessControl"
	headersType       = "aws:cloudfront/responseHeadersPolicy:ResponseHeadersPolicy"
)

type distributionChange func(*network.DistributionArgs)

func newDistribution(ctx *pulumi.Context, changes ...distributionChange) (*network.Distribution, error) {
	acl, err := network.NewWebAcl(ctx, "site-waf", aclArgs(func(a *network.WebAclArgs) {
		a.Prefix, a.CloudFront, a.Scope = "redoubt-site", true, scope.In(network.EdgeRegion)
	}))
	if err != nil {
		return nil, err
	}
	args := &network.DistributionArgs{
		Prefix: "redoubt-site", Scope: scope.In(network.EdgeRegion), Host: "docs.example.org", ZoneID: "Z0123456789ABC",
		OriginDomain: pulumi.String("redoubt-site.s3.eu-central-1.amazonaws.com"), WebAcl: acl,
		LogKeyArn: logsKey, LogRetentionInDays: 30, Tags: ownerTags,
	}
	for _, change := range changes {
		change(args)
	}
	return network.NewDistribution(ctx, "site", args)
}

func distributionGraph(t *testing.T, changes ...distributionChange) *graphtest.Graph {
	t.Helper()
	return graphtest.Run(t, func(ctx *pulumi.Context) error {
		_, err := newDistribution(ctx, changes...)
		return err
	})
}

func TestDistributionServesOverTLSAlone(t *testing.T) {
	t.Parallel()
	g := distributionGraph(t)
	d := g.Only(distributionType)
	require.Equal(t, []any{"docs.example.org"}, d.Input("aliases"))
	require.Equal(t, "redirect-to-https", d.Input("defaultCacheBehavior.viewerProtocolPolicy"))
	require.Equal(t, "TLSv1.2_2021", d.Input("viewerCertificate.minimumProtocolVersion"))
	require.Equal(t, "sni-only", d.Input("viewerCertificate.sslSupportMethod"))
	require.Equal(t, []any{"GET", "HEAD"}, d.Input("defaultCacheBehavior.allowedMethods"))
	require.Equal(t, g.Only(aclWAFType), g.Refers(d.Input("webAclId")))
	require.Equal(t, "CLOUDFRONT", g.Only(aclWAFType).Input("scope"))
	require.Len(t, g.ByType(recordType), 3, "the certificate's, and both addresses")
}

func TestDistributionSignsItsRequests(t *testing.T) {
	t.Parallel()
	g := distributionGraph(t)
	access := g.Only(accessControlType)
	require.Equal(t, "always", access.Input("signingBehavior"))
	require.Equal(t, "sigv4", access.Input("signingProtocol"))
	require.Equal(t, access, g.Refers(g.Only(distributionType).Input("origins[0].originAccessControlId")))
}

func TestDistributionSetsSecurityHeaders(t *testing.T) {
	t.Parallel()
	g := distributionGraph(t)
	headers := g.Only(headersType)
	const at = "securityHeadersConfig."
	require.Equal(t, float64(31536000), headers.Input(at+"strictTransportSecurity.accessControlMaxAgeSec"))
	require.Equal(t, "DENY", headers.Input(at+"frameOptions.frameOption"))
	require.Equal(t, true, headers.Input(at+"contentTypeOptions.override"))
	require.Contains(t, headers.Input(at+"contentSecurityPolicy.contentSecurityPolicy"), "default-src 'self'")
	require.Equal(t, headers, g.Refers(g.Only(distributionType).Input("defaultCacheBehavior.responseHeadersPolicyId")))
}

func TestDistributionLogsIntoAnEncryptedGroup(t *testing.T) {
	t.Parallel()
	g := distributionGraph(t)
	group := g.One("aws:cloudwatch/logGroup:LogGroup", "site-log")
	require.Equal(t, network.DistributionLogGroup("redoubt-site"), group.Input("name"))
	require.Equal(t, string(logsKey), group.Input("kmsKeyId"))
	source := g.Only("aws:cloudwatch/logDeliverySource:LogDeliverySource")
	require.Equal(t, "ACCESS_LOGS", source.Input("logType"))
	require.Equal(t, g.Only(distributionType), g.Refers(source.Input("resourceArn")))
	delivery := g.Only("aws:cloudwatch/logDelivery:LogDelivery")
	require.True(t, g.Depends(delivery, g.One(logPolicyType, "site-log")), "log delivery may not write yet")
}

func TestDistributionAnswersForWhatIsNotThere(t *testing.T) {
	t.Parallel()
	require.Nil(t, distributionGraph(t).Only(distributionType).Input("customErrorResponses"))
	page := distributionGraph(t, func(a *network.DistributionArgs) { a.NotFoundPath = "/404.html" }).Only(distributionType)
	require.Equal(t, float64(403), page.Input("customErrorResponses[0].errorCode"), "S3 says 403 to who may not list")
	require.Equal(t, float64(404), page.Input("customErrorResponses[0].responseCode"))
	single := distributionGraph(t, func(a *network.DistributionArgs) { a.SinglePage = true }).Only(distributionType)
	require.Equal(t, "/index.html", single.Input("customErrorResponses[1].responsePagePath"))
	require.Equal(t, float64(200), single.Input("customErrorResponses[1].responseCode"))
}

func TestDistributionReportsEveryFinding(t *testing.T) {
	t.Parallel()
	_, err := graphtest.Build(func(ctx *pulumi.Context) error {
		_, err := newDistribution(ctx, func(a *network.DistributionArgs) {
			*a = network.DistributionArgs{
				Prefix: "Redoubt", Scope: scope, Host: "docs", CertificateArn: "arn", ZoneID: "Z1", RootObject: "/index.html",
				NotFoundPath: "404", SinglePage: true, PriceClass: "cheap", ContentSecurityPolicy: "a\nb",
			}
		})
		return err
	})
	for _, field := range []string{
		"prefix", "scope.region", "host", "certificateArn", "originDomain", "webAcl", "logKeyArn", "rootObject", "notFoundPath", "priceClass", "contentSecurityPolicy",
	} {
		require.ErrorContains(t, err, field+": ")
	}
	_, err = graphtest.Build(func(ctx *pulumi.Context) error {
		_, err := network.NewWebAcl(ctx, "waf", aclArgs(func(a *network.WebAclArgs) { a.CloudFront = true }))
		return err
	})
	require.ErrorContains(t, err, "scope.region: ")
	_, err = graphtest.Build(func(ctx *pulumi.Context) error {
		_, err := network.NewDistribution(ctx, "site", nil)
		return err
	})
	require.ErrorContains(t, err, "args: missing")
}
