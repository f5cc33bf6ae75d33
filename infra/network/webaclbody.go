package network

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/wafv2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// seenBody is how many bytes of a body a load balancer shows to WAF.
// https://docs.aws.amazon.com/waf/latest/developerguide/waf-oversize-request-components.html
const seenBody = 8192

// The rule of AWS's common rule set that refuses bodies over seenBody.
const commonGroup, bodyRule = "AWSManagedRulesCommonRuleSet", "SizeRestrictions_BODY"

// tooLarge is HTTP's Content Too Large: an application's logs show nothing of
// what WAF refuses, so the answer must say why.
const tooLarge = 413

func (args *WebAclArgs) checkBody(f *findings) {
	if args.MaxBodyBytes < 0 || args.MaxBodyBytes > seenBody {
		f.add("maxBodyBytes", fmt.Sprintf("%d bytes", args.MaxBodyBytes), fmt.Sprintf("1 to %d, or 0 for no rule of our own", seenBody))
	}
	if len(args.UploadPaths) > 0 && args.MaxBodyBytes == 0 {
		f.add("uploadPaths", "there is no limit to be excepted from", fmt.Sprintf("set maxBodyBytes, for example %d", seenBody))
	}
	for i, path := range args.UploadPaths {
		if !pathStart.MatchString(path) || path == "/" {
			f.add(fmt.Sprintf("uploadPaths[%d]", i), fmt.Sprintf("%q is no path", path), "start it with / and a first part, under 200 characters")
		}
	}
}

// counted are the rules of a group that only count.
func (args *WebAclArgs) counted(group string) []string {
	rules := args.CountedRules[group]
	if group == commonGroup && len(args.UploadPaths) > 0 && !slices.Contains(rules, bodyRule) {
		rules = append(slices.Clone(rules), bodyRule)
	}
	return rules
}

// body refuses bodies over the limit, except on the paths for uploads.
func (args *WebAclArgs) body() *wafv2.WebAclRuleArgs {
	statement := &wafv2.WebAclRuleStatementArgs{
		SizeConstraintStatement: &wafv2.WebAclRuleStatementSizeConstraintStatementArgs{
			ComparisonOperator: pulumi.String("GT"),
			Size:               pulumi.Int(args.MaxBodyBytes),
			FieldToMatch: &wafv2.WebAclRuleStatementSizeConstraintStatementFieldToMatchArgs{
				Body: &wafv2.WebAclRuleStatementSizeConstraintStatementFieldToMatchBodyArgs{
					// More than WAF is shown is over any limit.
					OversizeHandling: pulumi.String("MATCH"),
				},
			},
			TextTransformations: wafv2.WebAclRuleStatementSizeConstraintStatementTextTransformationArray{
				&wafv2.WebAclRuleStatementSizeConstraintStatementTextTransformationArgs{Priority: pulumi.Int(0), Type: pulumi.String("NONE")},
			},
		},
	}
	if len(args.UploadPaths) > 0 {
		all := wafv2.WebAclRuleStatementArray{statement}
		for _, path := range slices.Sorted(slices.Values(args.UploadPaths)) {
			all = append(all, &wafv2.WebAclRuleStatementArgs{NotStatement: &wafv2.WebAclRuleStatementNotStatementArgs{
				Statements: wafv2.WebAclRuleStatementArray{pathStartsWith(path)},
			}})
		}
		statement = &wafv2.WebAclRuleStatementArgs{AndStatement: &wafv2.WebAclRuleStatementAndStatementArgs{Statements: all}}
	}
	return &wafv2.WebAclRuleArgs{
		Name: pulumi.String("BodySize"), Priority: pulumi.Int(priorityBody),
		Action:           args.action(tooLarge),
		Statement:        statement,
		VisibilityConfig: visible("BodySizeMetric"),
	}
}

func pathStartsWith(path string) *wafv2.WebAclRuleStatementArgs {
	var transforms wafv2.WebAclRuleStatementByteMatchStatementTextTransformationArray
	for i, transform := range pathTransforms {
		transforms = append(transforms, &wafv2.WebAclRuleStatementByteMatchStatementTextTransformationArgs{
			Priority: pulumi.Int(i), Type: pulumi.String(transform),
		})
	}
	return &wafv2.WebAclRuleStatementArgs{ByteMatchStatement: &wafv2.WebAclRuleStatementByteMatchStatementArgs{
		FieldToMatch: &wafv2.WebAclRuleStatementByteMatchStatementFieldToMatchArgs{
			UriPath: &wafv2.WebAclRuleStatementByteMatchStatementFieldToMatchUriPathArgs{},
		},
		PositionalConstraint: pulumi.String("STARTS_WITH"),
		SearchString:         pulumi.String(strings.ToLower(path)),
		TextTransformations:  transforms,
	}}
}
