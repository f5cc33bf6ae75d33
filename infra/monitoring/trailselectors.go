package monitoring

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudtrail"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// eventSelectors are what the trail records: every management event, with no
// event source left out (KMS is the one that people leave out for its volume,
// and with it the use of their keys), and the data events that were asked for.
func (args *TrailArgs) eventSelectors() cloudtrail.TrailAdvancedEventSelectorArray {
	out := cloudtrail.TrailAdvancedEventSelectorArray{selector("Management events", equals("eventCategory", "Management"))}
	if len(args.DataBuckets) > 0 {
		var objects []string
		for _, bucket := range args.DataBuckets {
			// The slash keeps buckets out whose names only start the same.
			objects = append(objects, args.Scope.GlobalARN("s3", bucket+"/"))
		}
		out = append(out, selector("Objects of our buckets",
			equals("eventCategory", "Data"), equals("resources.type", "AWS::S3::Object"),
			&cloudtrail.TrailAdvancedEventSelectorFieldSelectorArgs{
				Field: pulumi.String("resources.ARN"), StartsWiths: pulumi.ToStringArray(objects),
			}))
	}
	if args.Functions {
		out = append(out, selector("Invocations of functions",
			equals("eventCategory", "Data"), equals("resources.type", "AWS::Lambda::Function")))
	}
	return out
}

func selector(name string, fields ...cloudtrail.TrailAdvancedEventSelectorFieldSelectorInput) *cloudtrail.TrailAdvancedEventSelectorArgs {
	return &cloudtrail.TrailAdvancedEventSelectorArgs{
		Name: pulumi.String(name), FieldSelectors: cloudtrail.TrailAdvancedEventSelectorFieldSelectorArray(fields),
	}
}

func equals(field, value string) *cloudtrail.TrailAdvancedEventSelectorFieldSelectorArgs {
	return &cloudtrail.TrailAdvancedEventSelectorFieldSelectorArgs{
		Field: pulumi.String(field), Equals: pulumi.ToStringArray([]string{value}),
	}
}

func insightSelectors() cloudtrail.TrailInsightSelectorArray {
	var out cloudtrail.TrailInsightSelectorArray
	for _, t := range []string{"ApiCallRateInsight", "ApiErrorRateInsight"} {
		out = append(out, &cloudtrail.TrailInsightSelectorArgs{InsightType: pulumi.String(t)})
	}
	return out
}
