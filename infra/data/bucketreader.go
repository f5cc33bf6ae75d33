package data

import (
	"fmt"

	"redoubt/infra/identity"
)

// BucketReader is a service that reads a bucket's objects for people.
type BucketReader string

// Distributions are CloudFront's, of the bucket's account, with origin access
// control. The key needs KeyForDistributions.
const Distributions BucketReader = "distributions"

// fromDistributions names every distribution of the account, because the one
// that reads does not exist yet when the policy must.
var fromDistributions = from("arn:{partition}:cloudfront::{account}:distribution/*")

var bucketReaders = map[BucketReader][]serviceStatement{
	// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-restricting-access-to-s3.html
	Distributions: {{
		sid: "AllowDistributions", service: "cloudfront.amazonaws.com",
		actions: []string{"s3:GetObject"}, resources: []string{"{bucket}/*"},
		conditions: []identity.Condition{fromDistributions},
	}},
}

func (args *BucketArgs) checkReaders() []error {
	var findings []error
	for i, r := range args.Readers {
		if _, known := bucketReaders[r]; !known {
			findings = append(findings, fmt.Errorf("readers[%d]: %q is not in the table of bucket readers (use data.Distributions)", i, r))
		}
		if args.Kind != Data {
			findings = append(findings, fmt.Errorf("readers[%d]: set for kind %s (only a bucket of kind %s is read for people)", i, args.Kind, Data))
		}
	}
	return findings
}
