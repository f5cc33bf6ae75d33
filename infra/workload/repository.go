package workload

import (
	"encoding/json"
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ecr"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// How long images stay: those without a tag in days, those with one in number.
const (
	untaggedDays = 14
	imagesKept   = 50
)

// RepositoryName is the physical name of a service's image repository.
func RepositoryName(prefix, service string) string { return prefix + "/" + service }

func (args *ServiceArgs) repositoryName() string {
	return RepositoryName(args.Prefix, args.ServiceName)
}

// buildRepository makes the image repository. A tag, once pushed, stays the
// image that it was.
func (c *Service) buildRepository(ctx *pulumi.Context, name string, args *ServiceArgs) error {
	var err error
	c.Repository, err = ecr.NewRepository(ctx, name+"-images", &ecr.RepositoryArgs{
		Name:               pulumi.String(args.repositoryName()),
		ImageTagMutability: pulumi.String("IMMUTABLE"),
		ImageScanningConfiguration: &ecr.RepositoryImageScanningConfigurationArgs{
			ScanOnPush: pulumi.Bool(true),
		},
		EncryptionConfigurations: ecr.RepositoryEncryptionConfigurationArray{
			&ecr.RepositoryEncryptionConfigurationArgs{
				EncryptionType: pulumi.String("KMS"), KmsKey: args.KmsKeyArn.ToStringOutput(),
			},
		},
		ForceDelete: pulumi.Bool(args.ForceDelete),
		Tags:        args.tagged(args.repositoryName()),
	}, pulumi.Parent(c))
	if err != nil {
		return err
	}
	c.RepositoryURL = c.Repository.RepositoryUrl
	policy, err := imageExpiry()
	if err != nil {
		return err
	}
	_, err = ecr.NewLifecyclePolicy(ctx, name+"-image-expiry", &ecr.LifecyclePolicyArgs{
		Repository: c.Repository.Name,
		Policy:     pulumi.String(policy),
	}, pulumi.Parent(c))
	return err
}

type imageRule struct {
	RulePriority int               `json:"rulePriority"`
	Description  string            `json:"description"`
	Selection    imageSelection    `json:"selection"`
	Action       map[string]string `json:"action"`
}

type imageSelection struct {
	TagStatus   string `json:"tagStatus"`
	CountType   string `json:"countType"`
	CountUnit   string `json:"countUnit,omitempty"`
	CountNumber int    `json:"countNumber"`
}

// imageExpiry is ECR's life-cycle policy; "any" must have the last priority.
func imageExpiry() (string, error) {
	expire := map[string]string{"type": "expire"}
	text, err := json.Marshal(map[string][]imageRule{"rules": {
		{1, "Images without a tag", imageSelection{"untagged", "sinceImagePushed", "days", untaggedDays}, expire},
		{2, "Old images", imageSelection{"any", "imageCountMoreThan", "", imagesKept}, expire},
	}})
	if err != nil {
		return "", fmt.Errorf("image expiry: %w (use plain values)", err)
	}
	return string(text), nil
}
