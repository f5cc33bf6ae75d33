package rules

import (
	"regexp"
	"strings"

	"redoubt/guide"
	"redoubt/policy/rule"
)

// images holds the rules about container images and where they are kept.
var images = []rule.Rule{
	{
		Name:     "ecs-image-pinned-private-registry",
		Summary:  "A container's image comes from a private registry, by digest or by a tag that says which one it is.",
		Guide:    []guide.ID{guide.ResponseEradicationVerifyRemoval, guide.OverviewIdentityCodeSigning},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls: mapped(nist("SI-7", "CM-14")),
		Types:    []string{"ecs/taskDefinition"},
		Params: []rule.Param{{
			Name: "registries", Kind: rule.Strings, Default: []string{},
			Description: "Beginnings of image names that pass besides ECR's private registries, for example public.ecr.aws/aws-observability/.",
		}},
		Check: func(r *rule.Resource, p rule.Params) rule.Verdict {
			return eachContainer(func(c container) rule.Verdict {
				return rule.All(pinned(c), fromPrivateRegistry(c, p.Strs("registries")))
			})(r, p)
		},
		Fix: `"image": "<account>.dkr.ecr.<region>.amazonaws.com/<repository>@sha256:<digest>" in ecs.TaskDefinitionArgs.ContainerDefinitions`,
		URL: "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/security-tasks-containers.html",
	},
	{
		Name: "ecr-scan-immutable-cmk",
		Summary: "An image repository is scanned, keeps the image of each tag, " +
			"and is encrypted with a key of our own.",
		Guide:    []guide.ID{guide.ResponseEradicationVerifyRemoval, guide.OverviewDataKMS},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls:   mapped(fsbp("ECR.1", "ECR.2"), nist("RA-5", "SC-28"), pci("11.3.1", "11.3.1.2", "11.3.1.3")),
		Types:      []string{"ecr/repository"},
		CheckStack: hardenedRepository,
		Fix: `ecr.RepositoryArgs{ImageScanningConfiguration: &ecr.RepositoryImageScanningConfigurationArgs{ScanOnPush: pulumi.Bool(true)}, ` +
			`ImageTagMutability: pulumi.String("IMMUTABLE"), EncryptionConfigurations: ecr.RepositoryEncryptionConfigurationArray{` +
			`&ecr.RepositoryEncryptionConfigurationArgs{EncryptionType: pulumi.String("KMS"), KmsKey: key.Arn}}}`,
		URL: "https://docs.aws.amazon.com/securityhub/latest/userguide/ecr-controls.html",
	},
}

func pinned(c container) rule.Verdict {
	if strings.Contains(c.Image, "@sha256:") {
		return rule.Pass()
	}
	_, tag, _ := strings.Cut(c.Image[strings.LastIndex(c.Image, "/")+1:], ":")
	if tag == "" || tag == "latest" {
		return rule.Fail("the image of %s has neither a digest nor a tag of its own: what runs can change by itself", c.label)
	}
	return rule.Pass()
}

// privateECR are the hosts of ECR's private registries, the dual-stack ones too.
var privateECR = regexp.MustCompile(`^[0-9]{12}\.dkr[.-]ecr(-fips)?\.[a-z0-9-]+\.(amazonaws\.com(\.cn)?|on\.aws)/`)

func fromPrivateRegistry(c container, allowed []string) rule.Verdict {
	if privateECR.MatchString(c.Image) {
		return rule.Pass()
	}
	for _, prefix := range allowed {
		if strings.HasPrefix(c.Image, prefix) {
			return rule.Pass()
		}
	}
	return rule.Fail("the image of %s comes from a registry that is not ours: others decide what it is and whether it is there", c.label)
}

func hardenedRepository(s *rule.Stack, r *rule.Resource, _ rule.Params) rule.Verdict {
	mutability := r.Get("imageTagMutability")
	return rule.All(
		scanned(s, r),
		oneOf(mutability, []string{"IMMUTABLE", "IMMUTABLE_WITH_EXCLUSION"}, "a tag can become another image after its review"),
		repositoryKey(r),
	)
}

func repositoryKey(r *rule.Resource) rule.Verdict {
	const what = "nobody can take the key away from whoever reads the images"
	kind := r.Get("encryptionConfigurations.encryptionType")
	if out := oneOf(kind, []string{"KMS", "KMS_DSSE"}, what); out.Outcome != rule.Passed {
		return out
	}
	return ownKey(r.Get("encryptionConfigurations.kmsKey"), what)
}

// scanned is the verdict of a repository that either it or its registry must
// have scanned.
func scanned(s *rule.Stack, r *rule.Resource) rule.Verdict {
	parts := []rule.Verdict{r.Get("imageScanningConfiguration.scanOnPush").True("known vulnerabilities stay unseen")}
	for _, registry := range s.Of("ecr/registryScanningConfiguration") {
		for _, scan := range registry.Get("rules").Items() {
			parts = append(parts, scans(scan, r.Get("name")))
		}
	}
	return rule.Any(parts...)
}

// scans says whether a rule of the registry covers a repository; Skip is no.
func scans(scan, name rule.Value) rule.Verdict {
	frequency := scan.Get("scanFrequency")
	if mode, _ := frequency.Str(); mode == "MANUAL" {
		return rule.Skip()
	}
	repository, known := name.Str()
	out := rule.Skip()
	for _, filter := range scan.Each("repositoryFilters.filter") {
		pattern, isText := filter.Str()
		switch {
		case filter.Unknown() || frequency.Unknown() || !known && pattern != "*":
			out = rule.All(out, rule.Unsure("whether a rule of the registry scans the repository is unknown"))
		case isText && filterMatches(pattern, repository):
			return rule.Pass()
		}
	}
	return out
}

// filterMatches matches as ECR does: a filter without * is a part of the name.
func filterMatches(filter, repository string) bool {
	if !strings.Contains(filter, "*") {
		return strings.Contains(repository, filter)
	}
	return rule.WildcardMatch(filter, repository)
}
