package blueprint

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/automation/provision"
	"redoubt/infra/data"
	"redoubt/infra/network"
)

// SiteInputs are the inputs of StaticSite.
type SiteInputs struct {
	Where
	KeySettings
	LogSettings
	ReplicaSettings
	Address
	RootObject            string   `json:"rootObject,omitempty" doc:"What / serves." pattern:"^[A-Za-z0-9._-]{1,255}$" default:"index.html"`
	NotFoundPath          string   `json:"notFoundPath,omitempty" doc:"The page for what is not there, for example /404.html." pattern:"^/[\\x21-\\x7e]*$" maxLength:"1024"`
	SinglePage            bool     `json:"singlePage,omitempty" doc:"Answers with the root object for what is not there: the page's own router decides."`
	ContentSecurityPolicy string   `json:"contentSecurityPolicy,omitempty" doc:"Replaces the strict default, for pages with content from elsewhere." pattern:"^[\\x20-\\x7e]+$" maxLength:"2048"`
	PriceClass            string   `json:"priceClass,omitempty" doc:"How far from people the site may be: 100 is North America and Europe." enum:"PriceClass_100,PriceClass_200,PriceClass_All" default:"PriceClass_100"`
	RateLimit             int      `json:"rateLimit,omitempty" doc:"Requests per five minutes and address." min:"10" max:"2000000000" default:"2000"`
	WAFMode               string   `json:"wafMode,omitempty" doc:"block, or count while a new site is observed." enum:"block,count" default:"block"`
	BlockedCountries      []string `json:"blockedCountries,omitempty" doc:"ISO 3166-1 alpha-2 codes." pattern:"^[A-Z]{2}$" maxItems:"50"`
	ForceDestroy          *bool    `json:"forceDestroy,omitempty" doc:"A destroy deletes the files too. By default in dev."`
}

func (in *SiteInputs) complete() {
	in.LogSettings.complete(in.Where)
	in.ForceDestroy = in.inDev(in.ForceDestroy)
}

func (in *SiteInputs) check(f *findings) {
	in.Where.check(f)
	in.LogSettings.check(f)
	in.ReplicaSettings.check(f, in.Where)
	in.Address.check(f)
	edge := Where{Region: network.EdgeRegion, AccountID: in.AccountID}
	edge.inRegion(f, "/certificateArn", in.CertificateArn)
	f.refuse(in.SinglePage && in.NotFoundPath != "", "/notFoundPath", "is given together with singlePage (leave one of the two out)")
}

const siteExample = `{
  "region": "eu-central-1",
  "host": "docs.example.org",
  "zoneId": "Z0123456789DEVEXAMPLE",
  "notFoundPath": "/404.html",
  "tags": {"owner": "docs-team", "data-class": "public"}
}`

var siteOutputs = []Output{
	{"siteUrl", "Where people open the site."},
	{"bucketName", "Where its files are put."},
	{"distributionId", "What an invalidation of its cache names."},
	{"distributionDomainName", "CloudFront's own host name, for a DNS record elsewhere."},
	{"webAclArn", "The web ACL in front of it."},
}

var siteInputs = inputsOf[SiteInputs]("Inputs of static-site", siteExample)

// StaticSite is a private bucket behind CloudFront.
var StaticSite = withOrder(Blueprint{
	Name: "static-site", Version: "1.0.0",
	Summary: "Files in a private bucket behind CloudFront: signed origin requests, web ACL, TLS 1.2 or newer, security headers, access log.",
	Inputs:  siteInputs, Outputs: siteOutputs,
	Limits: provision.BlueprintLimits{Resources: 80, Minutes: 60},
	Change: map[string]string{InputsKey + ".rateLimit": "1500"},
	Drifts: []Drift{{
		Type: "aws:cloudfront/distribution:Distribution", Property: "webAclId", Value: "",
		Deed: "somebody takes the web ACL off the site, in the console",
	}},
	Release: map[string]string{InputsKey + ".forceDestroy": "true"},
}, order(siteInputs, deploySite))

func deploySite(ctx *pulumi.Context, in *SiteInputs) error {
	p, err := in.open(ctx)
	if err != nil {
		return err
	}
	edge, err := in.edge(ctx, p)
	if err != nil {
		return err
	}
	files, err := in.files(ctx, p)
	if err != nil {
		return err
	}
	// Everything below is CloudFront's, in its own region.
	logs, err := edge.newKey(ctx, "log", "Logs of "+p.prefix, in.KeyDeletionDays, false, data.KeyForLogs)
	if err != nil {
		return err
	}
	acl, err := network.NewWebAcl(ctx, p.prefix+"-waf", &network.WebAclArgs{
		Prefix: p.prefix, Scope: edge.scope, CloudFront: true, Mode: network.WAFMode(in.WAFMode), RateLimit: in.RateLimit,
		BlockedCountries: in.BlockedCountries, LogKeyArn: logs.Arn, LogRetentionInDays: in.LogDays, Tags: p.tags,
	}, edge.here())
	if err != nil {
		return err
	}
	site, err := network.NewDistribution(ctx, p.prefix+"-cdn", &network.DistributionArgs{
		Prefix: p.prefix, Scope: edge.scope, Host: in.Host, ZoneID: in.ZoneID, CertificateArn: in.CertificateArn,
		OriginDomain: files.Bucket.BucketRegionalDomainName, WebAcl: acl, RootObject: in.RootObject, NotFoundPath: in.NotFoundPath,
		SinglePage: in.SinglePage, ContentSecurityPolicy: in.ContentSecurityPolicy, PriceClass: in.PriceClass,
		LogKeyArn: logs.Arn, LogRetentionInDays: in.LogDays, Tags: p.tags,
	}, edge.here())
	if err != nil {
		return err
	}
	return publish(ctx, siteOutputs, pulumi.Map{
		"siteUrl":                pulumi.String(site.URL),
		"bucketName":             files.Name,
		"distributionId":         site.ID,
		"distributionDomainName": site.DomainName,
		"webAclArn":              acl.Arn,
	})
}

// files is the bucket that the site's files are put into.
func (in *SiteInputs) files(ctx *pulumi.Context, p *place) (*data.Bucket, error) {
	args := &data.BucketArgs{
		Scope: p.scope, Kind: data.Data, BucketName: p.bucketName("site"),
		Readers: []data.BucketReader{data.Distributions}, ForceDestroy: isTrue(in.ForceDestroy), Tags: p.tags,
	}
	files := kept{
		purpose: "site", key: "data", description: "Files of " + p.prefix, deletionDays: in.KeyDeletionDays,
		users: []data.KeyUser{data.KeyForDistributions}, logDays: in.LogDays,
	}
	if _, err := in.keyed(ctx, &in.Where, p, files, args); err != nil {
		return nil, err
	}
	var err error
	if args.LogBucket, err = p.newLogBucket(ctx, in.LogDays, args.ForceDestroy, false); err != nil {
		return nil, err
	}
	return data.NewBucket(ctx, p.prefix+"-site", args, p.here())
}

// edge is the same stack in CloudFront's region.
func (in *SiteInputs) edge(ctx *pulumi.Context, p *place) (*place, error) {
	edge := *p
	edge.scope = p.scope.In(network.EdgeRegion)
	if in.Region == network.EdgeRegion {
		return &edge, nil
	}
	var err error
	edge.provider, err = in.newProvider(ctx, "edge", network.EdgeRegion, p.tags)
	return &edge, err
}
