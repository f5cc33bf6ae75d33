package network

import (
	"fmt"
	"regexp"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudfront"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/route53"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/guide"
	"redoubt/infra/identity"
)

// DistributionComponent ties Distribution to the guide.
var DistributionComponent = guide.Component{
	Token: "redoubt:network:Distribution",
	Serves: []guide.ID{
		guide.OverviewNetworkWAF,
		guide.OverviewDataTLS,
		guide.DiagramInternetWAF,
		guide.PracticesInputSanitization,
		guide.OperationsLogsAccessLogs,
	},
}

// EdgeRegion is where CloudFront's certificates, web ACLs and logs are.
const EdgeRegion = "us-east-1"

// DistributionArgs describes a CloudFront distribution in front of a private
// bucket. Its provider is of EdgeRegion. Prefix, Scope, Host, OriginDomain,
// WebAcl, LogKeyArn, LogRetentionInDays and one of CertificateArn and ZoneID are
// required.
type DistributionArgs struct {
	Prefix string
	// Scope is the account in EdgeRegion.
	Scope identity.Scope
	// Host is the one host name that is served.
	Host string
	// CertificateArn is an issued certificate for Host in EdgeRegion. Without it,
	// ZoneID names the Route 53 zone where one is validated and Host is entered.
	CertificateArn string
	ZoneID         string
	// OriginDomain is the bucket's regional host name; the bucket's policy and its
	// key's admit distributions of the account.
	OriginDomain pulumi.StringInput
	// WebAcl is one with CloudFront set.
	WebAcl *WebAcl
	// RootObject is what "/" serves, "index.html" if empty.
	RootObject string
	// NotFoundPath is the page for what is not there, for example "/404.html";
	// empty serves CloudFront's own. SinglePage answers with RootObject instead,
	// and 200: the page's own router decides.
	NotFoundPath string
	SinglePage   bool
	// ContentSecurityPolicy replaces the strict default, for pages with
	// content from elsewhere.
	ContentSecurityPolicy string
	// PriceClass is "PriceClass_100", "PriceClass_200" or "PriceClass_All":
	// how far from people the site may be; PriceClass_100 if empty.
	PriceClass string
	// LogKeyArn encrypts the access log; it is a key in EdgeRegion.
	LogKeyArn          pulumi.StringInput
	LogRetentionInDays int
	Tags               map[string]string
}

// Distribution serves a private bucket over HTTPS alone.
type Distribution struct {
	pulumi.ResourceState

	Arn pulumi.StringOutput
	// ID is what an invalidation names.
	ID pulumi.IDOutput
	// DomainName is CloudFront's own host name, for a record outside this stack.
	DomainName pulumi.StringOutput
	// URL is where people go.
	URL string
}

// NewDistribution registers the distribution, its headers, its access log and,
// where the zone is ours, its certificate and address. It returns every finding
// about args at once.
func NewDistribution(ctx *pulumi.Context, name string, args *DistributionArgs, opts ...pulumi.ResourceOption) (*Distribution, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("distribution %s: %w", name, err)
	}
	c := &Distribution{URL: "https://" + args.Host}
	if err := ctx.RegisterComponentResource(DistributionComponent.Token, name, c, opts...); err != nil {
		return nil, fmt.Errorf("distribution %s: register component: %w", name, err)
	}
	b := &distributionBuilder{ctx: ctx, name: name, args: args.orDefault(), c: c}
	for _, step := range []func() error{b.certificate, b.distribution, b.log, b.address} {
		if err := step(); err != nil {
			return nil, fmt.Errorf("distribution %s: %w", name, err)
		}
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{"arn": c.Arn, "domainName": c.DomainName, "url": pulumi.String(c.URL)})
}

var (
	priceClass = regexp.MustCompile(`^PriceClass_(100|200|All)$`)
	rootObject = regexp.MustCompile(`^[A-Za-z0-9._-]{1,255}$`)
)

func (args *DistributionArgs) orDefault() *DistributionArgs {
	out := *args
	if out.RootObject == "" {
		out.RootObject = "index.html"
	}
	if out.ContentSecurityPolicy == "" {
		out.ContentSecurityPolicy = strictContent
	}
	if out.PriceClass == "" {
		out.PriceClass = "PriceClass_100"
	}
	return &out
}

func (args *DistributionArgs) validate() error {
	var f findings
	if args == nil {
		f.add("args", "missing", "pass a DistributionArgs")
		return f.err()
	}
	f.prefix(args.Prefix)
	checkScope(&f, args.Scope)
	if args.Scope.Region != EdgeRegion {
		f.add("scope.region", fmt.Sprintf("%q", args.Scope.Region), "CloudFront's certificates, web ACLs and logs are in "+EdgeRegion)
	}
	checkDomain(&f, "host", args.Host)
	switch {
	case args.CertificateArn != "" && args.ZoneID != "":
		f.add("certificateArn", "given together with zoneId", "leave one of the two out")
	case args.CertificateArn == "" && args.ZoneID == "":
		f.add("certificateArn", "missing", "pass an issued certificate's ARN, or the zone in zoneId to have one made")
	case args.ZoneID != "":
		checkZone(&f, args.ZoneID)
	}
	f.required("originDomain", args.OriginDomain != nil, "pass the bucket's regional host name")
	f.required("webAcl", args.WebAcl != nil, "pass the web ACL; nothing is served without one")
	f.required("logKeyArn", args.LogKeyArn != nil, "pass the ARN of a key in "+EdgeRegion)
	d := args.orDefault()
	if !rootObject.MatchString(d.RootObject) {
		f.add("rootObject", fmt.Sprintf("%q is no object's name", d.RootObject), "for example index.html, without a slash")
	}
	if d.NotFoundPath != "" && !healthPath.MatchString(d.NotFoundPath) {
		f.add("notFoundPath", fmt.Sprintf("%q is no path", d.NotFoundPath), "start it with /, for example /404.html")
	}
	if d.NotFoundPath != "" && d.SinglePage {
		f.add("notFoundPath", "given together with singlePage", "leave one of the two out")
	}
	if !priceClass.MatchString(d.PriceClass) {
		f.add("priceClass", fmt.Sprintf("%q is no price class", d.PriceClass), "PriceClass_100, PriceClass_200 or PriceClass_All")
	}
	if !headerValue.MatchString(d.ContentSecurityPolicy) {
		f.add("contentSecurityPolicy", "has characters that a header cannot carry", "write it on one line of printable ASCII")
	}
	return f.err()
}

// distributionBuilder holds what the steps of NewDistribution share.
type distributionBuilder struct {
	ctx  *pulumi.Context
	name string
	args *DistributionArgs
	c    *Distribution

	cert pulumi.StringInput
	made *cloudfront.Distribution
}

func (b *distributionBuilder) child() pulumi.ResourceOption { return pulumi.Parent(b.c) }

func (b *distributionBuilder) certificate() error {
	if b.args.CertificateArn != "" {
		b.cert = pulumi.String(b.args.CertificateArn)
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

// cachingOptimized is AWS's cache policy for files: no cookies, no query, no
// headers in the key.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-cache-policies.html
const cachingOptimized = "658327ea-f89d-4fab-a63d-7e88639e58f6"

func (b *distributionBuilder) distribution() error {
	args := b.args
	access, err := cloudfront.NewOriginAccessControl(b.ctx, b.name+"-access", &cloudfront.OriginAccessControlArgs{
		Name: pulumi.String(args.Prefix), Description: pulumi.String("Requests of " + args.Prefix + " to its bucket are signed"),
		OriginAccessControlOriginType: pulumi.String("s3"), SigningBehavior: pulumi.String("always"), SigningProtocol: pulumi.String("sigv4"),
	}, b.child())
	if err != nil {
		return err
	}
	headers, err := cloudfront.NewResponseHeadersPolicy(b.ctx, b.name+"-headers", b.headers(), b.child())
	if err != nil {
		return err
	}
	const origin = "bucket"
	b.made, err = cloudfront.NewDistribution(b.ctx, b.name+"-distribution", &cloudfront.DistributionArgs{
		Comment: pulumi.String(args.Prefix), Enabled: pulumi.Bool(true), IsIpv6Enabled: pulumi.Bool(true), HttpVersion: pulumi.String("http2and3"),
		Aliases: pulumi.ToStringArray([]string{args.Host}), DefaultRootObject: pulumi.String(args.RootObject),
		PriceClass: pulumi.String(args.PriceClass), WebAclId: args.WebAcl.Arn,
		Origins: cloudfront.DistributionOriginArray{&cloudfront.DistributionOriginArgs{
			OriginId: pulumi.String(origin), DomainName: args.OriginDomain, OriginAccessControlId: access.ID(),
		}},
		DefaultCacheBehavior: &cloudfront.DistributionDefaultCacheBehaviorArgs{
			TargetOriginId:       pulumi.String(origin),
			ViewerProtocolPolicy: pulumi.String("redirect-to-https"),
			AllowedMethods:       pulumi.ToStringArray([]string{"GET", "HEAD"}), CachedMethods: pulumi.ToStringArray([]string{"GET", "HEAD"}),
			CachePolicyId: pulumi.String(cachingOptimized), ResponseHeadersPolicyId: headers.ID(), Compress: pulumi.Bool(true),
		},
		CustomErrorResponses: b.errors(),
		Restrictions: &cloudfront.DistributionRestrictionsArgs{
			// Countries are the web ACL's affair.
			GeoRestriction: &cloudfront.DistributionRestrictionsGeoRestrictionArgs{RestrictionType: pulumi.String("none")},
		},
		ViewerCertificate: &cloudfront.DistributionViewerCertificateArgs{
			AcmCertificateArn: b.cert.ToStringOutput(), SslSupportMethod: pulumi.String("sni-only"),
			MinimumProtocolVersion: pulumi.String("TLSv1.2_2021"),
		},
		Tags: tagged(args.Tags, args.Prefix),
	}, b.child())
	if err != nil {
		return err
	}
	b.c.Arn, b.c.ID, b.c.DomainName = b.made.Arn, b.made.ID(), b.made.DomainName
	return nil
}

// headers are those of the load balancer's listener, and the referrer's.
func (b *distributionBuilder) headers() *cloudfront.ResponseHeadersPolicyArgs {
	always := pulumi.Bool(true)
	return &cloudfront.ResponseHeadersPolicyArgs{
		Name: pulumi.String(b.args.Prefix), Comment: pulumi.String("Security headers of " + b.args.Prefix),
		SecurityHeadersConfig: &cloudfront.ResponseHeadersPolicySecurityHeadersConfigArgs{
			ContentSecurityPolicy: &cloudfront.ResponseHeadersPolicySecurityHeadersConfigContentSecurityPolicyArgs{
				ContentSecurityPolicy: pulumi.String(b.args.ContentSecurityPolicy), Override: always,
			},
			ContentTypeOptions: &cloudfront.ResponseHeadersPolicySecurityHeadersConfigContentTypeOptionsArgs{Override: always},
			FrameOptions: &cloudfront.ResponseHeadersPolicySecurityHeadersConfigFrameOptionsArgs{
				FrameOption: pulumi.String("DENY"), Override: always,
			},
			ReferrerPolicy: &cloudfront.ResponseHeadersPolicySecurityHeadersConfigReferrerPolicyArgs{
				ReferrerPolicy: pulumi.String("strict-origin-when-cross-origin"), Override: always,
			},
			StrictTransportSecurity: &cloudfront.ResponseHeadersPolicySecurityHeadersConfigStrictTransportSecurityArgs{
				AccessControlMaxAgeSec: pulumi.Int(strictTransportSeconds), IncludeSubdomains: pulumi.Bool(true), Override: always,
			},
		},
	}
}

// errors says what is served for an object that is not there. S3 answers 403
// then, because the distribution may not list the bucket.
func (b *distributionBuilder) errors() cloudfront.DistributionCustomErrorResponseArray {
	path, code := b.args.NotFoundPath, 404
	if b.args.SinglePage {
		path, code = "/"+b.args.RootObject, 200
	}
	var out cloudfront.DistributionCustomErrorResponseArray
	if path == "" {
		return out
	}
	for _, from := range []int{403, 404} {
		out = append(out, &cloudfront.DistributionCustomErrorResponseArgs{
			ErrorCode: pulumi.Int(from), ResponseCode: pulumi.Int(code), ResponsePagePath: pulumi.String(path), ErrorCachingMinTtl: pulumi.Int(60),
		})
	}
	return out
}

// address enters the host in the zone, when the zone is ours.
func (b *distributionBuilder) address() error {
	if b.args.ZoneID == "" {
		return nil
	}
	for _, kind := range []string{"A", "AAAA"} {
		if _, err := route53.NewRecord(b.ctx, b.name+"-host-"+kind, &route53.RecordArgs{
			ZoneId: pulumi.String(b.args.ZoneID), Name: pulumi.String(b.args.Host), Type: pulumi.String(kind),
			Aliases: route53.RecordAliasArray{&route53.RecordAliasArgs{
				Name: b.made.DomainName, ZoneId: b.made.HostedZoneId, EvaluateTargetHealth: pulumi.Bool(false),
			}},
		}, b.child()); err != nil {
			return err
		}
	}
	return nil
}
