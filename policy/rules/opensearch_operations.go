package rules

import (
	"redoubt/guide"
	"redoubt/policy/rule"
)

// openSearchOperations holds the rules about how a domain is kept running.
var openSearchOperations = []rule.Rule{
	{
		Name:     "opensearch-ha-topology",
		Summary:  "An OpenSearch domain outlives the loss of an availability zone.",
		Guide:    []guide.ID{guide.ResponseRecoveryRestoreServices},
		Severity: rule.Low,
		// Domains of development have one node; production configures mandatory.
		Level:    rule.Advisory,
		Controls: mapped(fsbp("Opensearch.6"), nist("CP-10")),
		Types:    domains,
		Params: []rule.Param{
			{
				Name: "minNodes", Kind: rule.Integer, Default: 3, Min: 2, Max: 80,
				Description: "The smallest number of data nodes that passes.",
			},
			{
				Name: "minMasters", Kind: rule.Integer, Default: 3, Min: 0, Max: 5,
				Description: "The smallest number of dedicated master nodes that passes; 0 asks for none.",
			},
		},
		Check: highlyAvailable,
		Fix: `opensearch.DomainClusterConfigArgs{InstanceCount: pulumi.Int(3), ZoneAwarenessEnabled: pulumi.Bool(true), ` +
			`DedicatedMasterEnabled: pulumi.Bool(true), DedicatedMasterCount: pulumi.Int(3)}`,
		URL: "https://docs.aws.amazon.com/opensearch-service/latest/developerguide/managedomains-multiaz.html",
	},
	{
		Name:     "opensearch-auto-software-update",
		Summary:  "An OpenSearch domain takes its updates by itself.",
		Guide:    []guide.ID{guide.ResponseEradicationApplyPatches},
		Severity: rule.Low, Level: rule.Advisory,
		Controls: mapped(fsbp("Opensearch.10"), nist("SI-2"), pci("6.3.3")),
		Types:    []string{"opensearch/domain"},
		Check: func(r *rule.Resource, _ rule.Params) rule.Verdict {
			return r.Get("softwareUpdateOptions.autoSoftwareUpdateEnabled").True("updates wait for a person")
		},
		Fix:       `opensearch.DomainSoftwareUpdateOptionsArgs{AutoSoftwareUpdateEnabled: pulumi.Bool(true)}`,
		URL:       "https://docs.aws.amazon.com/securityhub/latest/userguide/opensearch-controls.html#opensearch-10",
		Remediate: rule.SetTo("softwareUpdateOptions.autoSoftwareUpdateEnabled", true),
	},
}

func highlyAvailable(r *rule.Resource, p rule.Params) rule.Verdict {
	config := r.Get("clusterConfig")
	if config.Unknown() {
		return rule.Unsure("clusterConfig is unknown")
	}
	out := rule.All(
		config.Get("zoneAwarenessEnabled").True("every node is in one availability zone"),
		atLeast(config.Get("instanceCount"), p.Int("minNodes"), "the domain stops, or loses data, with a zone"),
	)
	if least := p.Int("minMasters"); least > 0 {
		out = rule.All(out,
			config.Get("dedicatedMasterEnabled").True("the nodes that hold the data also keep the cluster together"),
			atLeast(config.Get("dedicatedMasterCount"), least, "the masters have no majority without a zone"))
	}
	return out
}
