package rehearsal

import "fmt"

const docsCertificates = "https://docs.aws.amazon.com/acm/latest/APIReference/API_RequestCertificate.html"

// acmKinds are certificates. Validation succeeds at once: whether the records
// are right is nothing that the account can see.
var acmKinds = []kind{
	{
		token: "aws:acm/certificate:Certificate", noun: "ACM Certificate", service: "ACM", action: "Certificate", call: "RequestCertificate",
		id: "{arn}", arn: "arn:{partition}:acm:{region}:{account}:certificate/{uuid:cert}",
		computed: props{
			"status": "PENDING_VALIDATION", "type": "AMAZON_ISSUED", "renewalEligibility": "INELIGIBLE", "keyAlgorithm": "RSA_2048",
			"validationMethod": "NONE", "notBefore": "", "notAfter": "", "pendingRenewal": false,
			"domainValidationOptions": func(c *call) any {
				names := append([]string{c.text("domainName")}, c.texts("subjectAlternativeNames[*]")...)
				out, seen := []any{}, map[string]bool{}
				for _, n := range names {
					if seen[n] || c.text("validationMethod") != "DNS" {
						continue
					}
					seen[n] = true
					out = append(out, props{
						"domainName": n, "resourceRecordName": "_{hex32:name" + n + "}." + n + ".",
						"resourceRecordType": "CNAME", "resourceRecordValue": "_{hex32:value" + n + "}.acm-validations.aws.",
					})
				}
				return out
			},
		},
		replaces: []string{"certificateAuthorityArn", "domainName", "keyAlgorithm", "subjectAlternativeNames", "validationMethod", "validationOptions"},
		limits: []limit{
			{path: "domainName", longest: 253, source: docsCertificates},
			{path: "validationMethod", oneOf: []string{"DNS", "EMAIL", "NONE"}, source: docsCertificates},
		},
		blocks: []block{{
			by: []string{
				"aws:lb/listener:Listener", "aws:alb/listener:Listener", "aws:lb/listenerCertificate:ListenerCertificate",
				"aws:cloudfront/distribution:Distribution", "aws:apigateway/domainName:DomainName",
			},
			code: "ResourceInUseException", message: "Certificate {arn} is in use.",
		}},
	},
	{
		token: "aws:acm/certificateValidation:CertificateValidation", noun: "ACM Certificate Validation", service: "ACM", action: "Certificate",
		id: "{uuid:validation}", replaces: []string{"certificateArn", "validationRecordFqdns"},
		refs: refer(toCertificate, "certificateArn"),
		refuses: []refusal{{name: "validation-records", at: []operation{opCreate}, code: "ValidationException", source: docsCertificates, because: func(c *call) string {
			cert := c.referred("certificateArn")
			if cert == nil {
				return ""
			}
			expected := len(stringsAt(cert.outputs, "domainValidationOptions[*].domainName"))
			given := len(c.texts("validationRecordFqdns[*]"))
			if given == 0 || given >= expected {
				return ""
			}
			return fmt.Sprintf("missing validation records: %d of the certificate's %d names have one", given, expected)
		}}},
	},
}
