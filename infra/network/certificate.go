package network

import (
	"fmt"
	"regexp"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/acm"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/route53"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/guide"
)

// CertificateComponent ties Certificate to the guide.
var CertificateComponent = guide.Component{
	Token:  "redoubt:network:Certificate",
	Serves: []guide.ID{guide.OverviewDataTLS, guide.ArchitectureInTransitALB},
}

// CertificateArgs describes a certificate. Domain and ZoneID are required.
type CertificateArgs struct {
	// Domain is the one name of the certificate.
	Domain string
	// ZoneID is the public Route 53 zone that holds the domain.
	ZoneID string
	Tags   map[string]string
}

// Certificate is a public certificate that AWS validates by DNS and renews.
type Certificate struct {
	pulumi.ResourceState

	// Arn is known once the certificate is issued: a listener that took the
	// request's ARN would be refused.
	Arn pulumi.StringOutput
}

// NewCertificate registers the request, its validation record and the wait for
// the certificate to be issued. It returns every finding about args at once.
func NewCertificate(ctx *pulumi.Context, name string, args *CertificateArgs, opts ...pulumi.ResourceOption) (*Certificate, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("certificate %s: %w", name, err)
	}
	c := &Certificate{}
	if err := ctx.RegisterComponentResource(CertificateComponent.Token, name, c, opts...); err != nil {
		return nil, fmt.Errorf("certificate %s: register component: %w", name, err)
	}
	if err := c.build(ctx, name, args); err != nil {
		return nil, fmt.Errorf("certificate %s: %w", name, err)
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{"certificateArn": c.Arn})
}

var (
	domainName = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$`)
	zoneID     = regexp.MustCompile(`^Z[A-Z0-9]{1,31}$`)
)

func (args *CertificateArgs) validate() error {
	var f findings
	if args == nil {
		f.add("args", "missing", "pass a CertificateArgs")
		return f.err()
	}
	checkDomain(&f, "domain", args.Domain)
	checkZone(&f, args.ZoneID)
	return f.err()
}

func checkDomain(f *findings, field, domain string) {
	if !domainName.MatchString(domain) || len(domain) > 253 {
		f.add(field, fmt.Sprintf("%q is no domain name", domain), "lower case, for example app.example.org")
	}
}

func checkZone(f *findings, id string) {
	if !zoneID.MatchString(id) {
		f.add("zoneId", fmt.Sprintf("%q is no hosted zone", id), "the zone's id starts with Z")
	}
}

func (c *Certificate) build(ctx *pulumi.Context, name string, args *CertificateArgs) error {
	child := pulumi.Parent(c)
	cert, err := acm.NewCertificate(ctx, name+"-cert", &acm.CertificateArgs{
		DomainName:       pulumi.String(args.Domain),
		ValidationMethod: pulumi.String("DNS"),
		KeyAlgorithm:     pulumi.String("EC_prime256v1"),
		Tags:             tagged(args.Tags, args.Domain),
	}, child)
	if err != nil {
		return err
	}
	record, err := route53.NewRecord(ctx, name+"-validation", &route53.RecordArgs{
		ZoneId:  pulumi.String(args.ZoneID),
		Name:    validation(cert, "name", func(o acm.CertificateDomainValidationOption) *string { return o.ResourceRecordName }),
		Type:    validation(cert, "type", func(o acm.CertificateDomainValidationOption) *string { return o.ResourceRecordType }),
		Records: pulumi.StringArray{validation(cert, "value", func(o acm.CertificateDomainValidationOption) *string { return o.ResourceRecordValue })},
		Ttl:     pulumi.Int(300),
		// ACM asks for the same record for every certificate of the domain and account.
		AllowOverwrite: pulumi.Bool(true),
	}, child)
	if err != nil {
		return err
	}
	issued, err := acm.NewCertificateValidation(ctx, name+"-issued", &acm.CertificateValidationArgs{
		CertificateArn:        cert.Arn,
		ValidationRecordFqdns: pulumi.StringArray{record.Fqdn},
	}, child)
	if err != nil {
		return err
	}
	c.Arn = issued.CertificateArn
	return nil
}

// validation picks a field of the one record that ACM asks for. The generated
// Index(0) panics where the list is empty; this fails with the reason.
func validation(cert *acm.Certificate, what string, pick func(acm.CertificateDomainValidationOption) *string) pulumi.StringOutput {
	return cert.DomainValidationOptions.ApplyT(func(options []acm.CertificateDomainValidationOption) (string, error) {
		if len(options) == 0 || pick(options[0]) == nil {
			return "", fmt.Errorf("certificate: ACM named no validation record %s yet (run the update again)", what)
		}
		return *pick(options[0]), nil
	}).(pulumi.StringOutput)
}
