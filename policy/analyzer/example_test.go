package analyzer_test

import (
	"context"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"

	"redoubt/guide"
	"redoubt/policy/analyzer"
	"redoubt/policy/rule"
)

// A team's own rule, in a pack of its own. The pack's main would be
// analyzer.Main(options).
func ExampleNew() {
	named := rule.Rule{
		Name:     "bucket-name-has-team",
		Summary:  "A bucket's name starts with the team's.",
		Guide:    []guide.ID{guide.OverviewDataS3},
		Severity: rule.Low,
		Level:    rule.Advisory,
		Types:    []string{"s3/bucketV2"},
		Check: func(r *rule.Resource, _ rule.Params) rule.Verdict {
			return r.Get("bucket").Set("the provider would make up a name")
		},
		Fix: `s3.BucketV2Args{Bucket: pulumi.String("payments-…")}`,
		URL: "https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html",
	}
	pack, err := analyzer.New(analyzer.Options{Name: "payments", Version: "1.0.0", Rules: []rule.Rule{named}})
	if err != nil {
		fmt.Println(err)
		return
	}
	res, err := pack.Analyze(context.Background(), plugin.AnalyzerResource{
		URN:        "urn:pulumi:dev::shop::aws:s3/bucketV2:BucketV2::data",
		Type:       "aws:s3/bucketV2:BucketV2",
		Name:       "data",
		Properties: resource.PropertyMap{},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(res.Diagnostics[0].Message)
	// Output:
	// low: bucket-name-has-team on s3/bucketV2 data: bucket is not set: the provider would make up a name.
	//   guide: Data Security: S3 bucket security with versioning and replication
	//   fix: s3.BucketV2Args{Bucket: pulumi.String("payments-…")}
	//   see: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
}
