package identity

import "slices"

// rights is the machine's policy: what the collections read, the evidence
// folder, the topic, and the delivery of its log.
func (args *AccessReviewArgs) rights() Document {
	reading, doc := []string{"iam:GenerateCredentialReport"}, Document{}
	var analyzers []string
	for _, row := range args.wanted() {
		switch {
		case row.on != "":
			analyzers = append(analyzers, args.analyzer(row.on))
		case !slices.Contains(reading, row.action):
			reading = append(reading, row.action)
		}
	}
	doc = append(doc, Statement{Sid: "ReadAccess", Effect: Allow, Actions: reading, Resources: []string{"*"}})
	if len(analyzers) > 0 {
		doc = append(doc, Statement{Sid: "ReadFindings", Effect: Allow, Actions: []string{"access-analyzer:ListFindingsV2"}, Resources: analyzers})
	}
	doc = append(doc,
		Statement{
			Sid: "WriteEvidence", Effect: Allow, Actions: []string{"s3:PutObject"},
			Resources: []string{args.Scope.GlobalARN("s3", args.EvidenceBucket+"/"+args.evidencePrefix()+"*")},
		},
		Statement{Sid: "Announce", Effect: Allow, Actions: []string{"sns:Publish"}, Resources: []string{args.topicARN()}},
		Statement{
			// Log delivery and tracing have no resources to name.
			// https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html#cloudwatch-iam-policy
			Sid: "LogAndTrace", Effect: Allow, Resources: []string{"*"},
			Actions: []string{
				"logs:CreateLogDelivery", "logs:DeleteLogDelivery", "logs:DescribeLogGroups", "logs:DescribeResourcePolicies",
				"logs:GetLogDelivery", "logs:ListLogDeliveries", "logs:PutResourcePolicy", "logs:UpdateLogDelivery",
				"xray:GetSamplingRules", "xray:GetSamplingTargets", "xray:PutTelemetryRecords", "xray:PutTraceSegments",
			},
		})
	if len(args.KeyAliases) > 0 {
		doc = append(doc, Statement{
			Sid: "UseKeys", Effect: Allow,
			Actions:   []string{"kms:Decrypt", "kms:GenerateDataKey"},
			Resources: []string{args.Scope.ARN("kms", "key/*")},
			Conditions: []Condition{
				{"ForAnyValue:StringEquals", "kms:ResourceAliases", args.KeyAliases},
				{"StringEquals", "kms:ViaService", []string{args.Scope.RegionalService("s3"), args.Scope.RegionalService("sns")}},
			},
		})
	}
	return doc
}
