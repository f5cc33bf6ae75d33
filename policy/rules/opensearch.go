package rules

import (
	"redoubt/guide"
	"redoubt/policy/rule"
)

var domains = []string{"opensearch/domain", "elasticsearch/domain"}

// openSearch holds the rules about OpenSearch domains.
var openSearch = []rule.Rule{
	{
		Name:     "opensearch-encryption-at-rest",
		Summary:  "An OpenSearch domain encrypts its data.",
		Guide:    []guide.ID{guide.ArchitectureAtRestOpenSearch, guide.OverviewDataKMS},
		Severity: rule.Critical, Level: rule.Mandatory,
		Controls: mapped(fsbp("Opensearch.1"), nist("SC-28"), pci("3.5.1", "8.3.2")),
		Types:    domains,
		Check: func(r *rule.Resource, _ rule.Params) rule.Verdict {
			return r.Get("encryptAtRest.enabled").True("indices and snapshots lie on disk in the clear")
		},
		Fix: `opensearch.DomainArgs{EncryptAtRest: &opensearch.DomainEncryptAtRestArgs{Enabled: pulumi.Bool(true), KmsKeyId: key.KeyId}}`,
		URL: "https://docs.aws.amazon.com/opensearch-service/latest/developerguide/encryption-at-rest.html",
	},
	{
		Name:     "opensearch-node-to-node-encryption",
		Summary:  "The nodes of an OpenSearch domain speak TLS with each other.",
		Guide:    []guide.ID{guide.OverviewDataTLS},
		Severity: rule.High, Level: rule.Mandatory,
		Controls: mapped(fsbp("Opensearch.3"), nist("SC-8"), pci("1.2.5", "2.2.5", "2.2.7")),
		Types:    domains,
		Check: func(r *rule.Resource, _ rule.Params) rule.Verdict {
			return r.Get("nodeToNodeEncryption.enabled").True("the nodes exchange documents in the clear")
		},
		Fix: `opensearch.DomainArgs{NodeToNodeEncryption: &opensearch.DomainNodeToNodeEncryptionArgs{Enabled: pulumi.Bool(true)}}`,
		URL: "https://docs.aws.amazon.com/opensearch-service/latest/developerguide/ntn.html",
	},
	{
		Name:     "opensearch-enforce-https",
		Summary:  "An OpenSearch domain answers HTTPS only.",
		Guide:    []guide.ID{guide.OverviewDataTLS, guide.ArchitectureInTransitAPI},
		Severity: rule.High, Level: rule.Mandatory,
		Controls: mapped(fsbp("Opensearch.8"), nist("SC-8"), pci("1.2.5", "2.2.5", "2.2.7")),
		Types:    domains,
		Check: func(r *rule.Resource, _ rule.Params) rule.Verdict {
			return r.Get("domainEndpointOptions.enforceHttps").True("plain HTTP is accepted")
		},
		Fix:       `opensearch.DomainDomainEndpointOptionsArgs{EnforceHttps: pulumi.Bool(true)}`,
		URL:       "https://docs.aws.amazon.com/securityhub/latest/userguide/opensearch-controls.html#opensearch-8",
		Remediate: rule.SetTo("domainEndpointOptions.enforceHttps", true),
	},
	{
		Name:     "opensearch-tls-policy",
		Summary:  "An OpenSearch domain takes TLS 1.2 or newer with forward secrecy.",
		Guide:    []guide.ID{guide.OverviewDataTLS, guide.ArchitectureInTransitAPI},
		Severity: rule.High, Level: rule.Mandatory,
		Controls: mapped(fsbp("Opensearch.8"), nist("SC-8"), pci("1.2.5", "2.2.5", "2.2.7")),
		Types:    domains,
		Params: []rule.Param{{
			Name: "policies", Kind: rule.Strings,
			Default:     []string{"Policy-Min-TLS-1-2-PFS-2023-10", "Policy-Min-TLS-1-2-RFC9151-FIPS-2024-08"},
			Description: "The TLS security policies that pass.",
		}},
		Check: func(r *rule.Resource, p rule.Params) rule.Verdict {
			return oneOf(r.Get("domainEndpointOptions.tlsSecurityPolicy"), p.Strs("policies"), "old versions or ciphers without forward secrecy are accepted")
		},
		Fix:       `opensearch.DomainDomainEndpointOptionsArgs{TlsSecurityPolicy: pulumi.String("Policy-Min-TLS-1-2-PFS-2023-10")}`,
		URL:       "https://docs.aws.amazon.com/securityhub/latest/userguide/opensearch-controls.html#opensearch-8",
		Remediate: rule.SetWith("domainEndpointOptions.tlsSecurityPolicy", firstPolicy),
	},
	{
		Name:     "opensearch-in-vpc",
		Summary:  "An OpenSearch domain lies in a VPC and has no public endpoint.",
		Guide:    []guide.ID{guide.ArchitectureSecurityGroupsOpenSearch},
		Severity: rule.Critical, Level: rule.Mandatory,
		Controls: mapped(fsbp("Opensearch.2"), nist("SC-7", "AC-3"), pci("1.2.8", "1.3.1", "1.3.2")),
		Types:    domains,
		Check: func(r *rule.Resource, _ rule.Params) rule.Verdict {
			return r.Get("vpcOptions.subnetIds").Set("the domain has a public endpoint")
		},
		Fix: `opensearch.DomainArgs{VpcOptions: &opensearch.DomainVpcOptionsArgs{SubnetIds: private, SecurityGroupIds: …}}`,
		URL: "https://docs.aws.amazon.com/opensearch-service/latest/developerguide/vpc.html",
	},
	{
		Name:     "opensearch-fine-grained-access",
		Summary:  "An OpenSearch domain decides by role who reads which index.",
		Guide:    []guide.ID{guide.PracticesAuthorizationRoleBasedAccess},
		Severity: rule.High, Level: rule.Mandatory,
		Controls: mapped(fsbp("Opensearch.7"), nist("AC-3"), pci("7.2.1", "7.2.2", "7.2.5")),
		Types:    []string{"opensearch/domain"},
		Check: func(r *rule.Resource, _ rule.Params) rule.Verdict {
			return r.Get("advancedSecurityOptions.enabled").True("whoever reaches the domain reads every index")
		},
		Fix: `opensearch.DomainAdvancedSecurityOptionsArgs{Enabled: pulumi.Bool(true), ` +
			`MasterUserOptions: &opensearch.DomainAdvancedSecurityOptionsMasterUserOptionsArgs{MasterUserArn: role.Arn}}`,
		URL: "https://docs.aws.amazon.com/opensearch-service/latest/developerguide/fgac.html",
	},
}

// firstPolicy is the first of the policies that pass; without any, none is set.
func firstPolicy(p rule.Params) any {
	if list := p.Strs("policies"); len(list) > 0 {
		return list[0]
	}
	return nil
}
