package rules

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"strings"

	"redoubt/guide"
	"redoubt/policy/rule"
)

// certificates holds the rules about ACM certificates.
var certificates = []rule.Rule{
	{
		Name:     "acm-certificate-strong-key",
		Summary:  "A certificate's key is RSA of at least 2048 bits, or elliptic.",
		Guide:    []guide.ID{guide.ArchitectureInTransitALB, guide.OverviewDataTLS},
		Severity: rule.High, Level: rule.Mandatory,
		Controls: mapped(fsbp("ACM.2"), nist("SC-13"), pci("3.7.1")),
		Types:    []string{"acm/certificate"},
		Check:    keyStrong,
		Fix:      `acm.CertificateArgs{KeyAlgorithm: pulumi.String("EC_prime256v1")}`,
		URL:      "https://docs.aws.amazon.com/acm/latest/userguide/acm-certificate-characteristics.html",
	},
	{
		Name:     "acm-certificate-no-wildcard",
		Summary:  "A certificate names its hosts, so that one stolen key does not speak for all of them.",
		Guide:    []guide.ID{guide.ArchitectureInTransitALB},
		Severity: rule.Low, Level: rule.Advisory,
		Controls: mapped(nist("SC-12")),
		Types:    []string{"acm/certificate"},
		Check: func(r *rule.Resource, _ rule.Params) rule.Verdict {
			out := rule.Pass()
			for _, v := range append(r.Each("domainName"), r.Each("subjectAlternativeNames")...) {
				if host, _ := v.Str(); strings.HasPrefix(host, "*.") {
					out = rule.All(out, rule.Fail("%s is %s: whoever has the key speaks for every host there", v.Path(), v.Show()))
				} else if v.Unknown() {
					out = rule.All(out, rule.Unsure("%s is unknown", v.Path()))
				}
			}
			return out
		},
		Fix: `acm.CertificateArgs{DomainName: pulumi.String("app.example.com")}`,
		URL: "https://docs.aws.amazon.com/acm/latest/userguide/acm-certificate-characteristics.html",
	},
	{
		Name:     "acm-certificate-dns-validated",
		Summary:  "A certificate renews itself: its domain is validated by DNS, and its key was made by ACM.",
		Guide:    []guide.ID{guide.ArchitectureInTransitALB},
		Severity: rule.Low, Level: rule.Advisory,
		Controls: mapped(fsbp("ACM.1"), nist("SC-12"), pci("3.5.1.1", "3.5.1.3", "3.6.1")),
		Types:    []string{"acm/certificate"},
		Check:    renewsItself,
		Fix:      `acm.CertificateArgs{DomainName: pulumi.String("app.example.com"), ValidationMethod: pulumi.String("DNS")}`,
		URL:      "https://docs.aws.amazon.com/acm/latest/userguide/dns-validation.html",
	},
}

func keyStrong(r *rule.Resource, _ rule.Params) rule.Verdict {
	v, imported := r.Get("keyAlgorithm"), r.Get("certificateBody")
	algorithm, _ := v.Str()
	switch {
	case imported.Present():
		return importedKeyStrong(imported)
	case v.Unknown():
		return rule.Unsure("keyAlgorithm is unknown")
	case algorithm == "RSA_1024":
		return rule.Fail("keyAlgorithm is %s: such keys can be broken", v.Show())
	default:
		return rule.Pass() // the default is RSA_2048, and the others are stronger
	}
}

// importedKeyStrong reads the certificate, which is public; its key is not read.
func importedKeyStrong(body rule.Value) rule.Verdict {
	text, _ := body.Str()
	block, _ := pem.Decode([]byte(text))
	if body.Unknown() || block == nil {
		return rule.Unsure("certificateBody cannot be read before the update")
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return rule.Unsure("certificateBody is not a certificate that can be read")
	}
	if key, isRSA := certificate.PublicKey.(*rsa.PublicKey); isRSA && key.N.BitLen() < 2048 {
		return rule.Fail("certificateBody has an RSA key of less than 2048 bits: such keys can be broken")
	}
	return rule.Pass()
}

func renewsItself(r *rule.Resource, _ rule.Params) rule.Verdict {
	switch {
	case r.Get("certificateBody").Present() || r.Get("privateKey").Present():
		return rule.Fail("certificateBody is imported: ACM does not renew it, and the key has been elsewhere")
	case r.Get("certificateAuthorityArn").Present():
		return rule.Skip() // a private authority asks for no validation
	default:
		return oneOf(r.Get("validationMethod"), []string{"DNS"}, "the certificate expires unless somebody answers a mail")
	}
}
