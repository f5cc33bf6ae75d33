package identity

// Placeholders of the table for the analyzers' ARNs.
const (
	externalAnalyzer = "{externalAnalyzer}"
	unusedAnalyzer   = "{unusedAnalyzer}"
)

// collection is a row of what an access review gathers: one API call, page by
// page. Strings may hold {externalAnalyzer} and {unusedAnalyzer}.
type collection struct {
	// name is the evidence's file name and starts the names of its states.
	name string
	// resource is the Step Functions integration's "service:action".
	resource string
	// arguments are the call's in JSONata, with its page size; "" for none.
	arguments string
	// paged says that the call takes and answers NextToken.
	paged bool
	// needs is the analyzer without which the row is left out.
	needs string
	// action is the right that the call needs, and on is its resource; "" for
	// an action that names none.
	action, on string
}

// reviewCollections is the evidence of a review: who has credentials, who does
// not use them, who gets in from outside, and which ports the world reaches.
// Page sizes keep a state's data below the 256 KiB that Step Functions holds.
var reviewCollections = []collection{
	{name: "account-summary", resource: "iam:getAccountSummary", action: "iam:GetAccountSummary"},
	{name: "credential-report", resource: "iam:getCredentialReport", action: "iam:GetCredentialReport"},
	{
		name: "external-access", resource: "accessanalyzer:listFindingsV2", paged: true, needs: externalAnalyzer,
		arguments: activeFindings(externalAnalyzer), action: "access-analyzer:ListFindingsV2", on: externalAnalyzer,
	},
	{
		name: "unused-access", resource: "accessanalyzer:listFindingsV2", paged: true, needs: unusedAnalyzer,
		arguments: activeFindings(unusedAnalyzer), action: "access-analyzer:ListFindingsV2", on: unusedAnalyzer,
	},
	{
		name: "open-groups-ipv4", resource: "ec2:describeSecurityGroups", paged: true,
		arguments: openGroups("ip-permission.cidr", "0.0.0.0/0"), action: "ec2:DescribeSecurityGroups",
	},
	{
		name: "open-groups-ipv6", resource: "ec2:describeSecurityGroups", paged: true,
		arguments: openGroups("ip-permission.ipv6-cidr", "::/0"), action: "ec2:DescribeSecurityGroups",
	},
	{
		name: "security-group-rules", resource: "ec2:describeSecurityGroupRules", paged: true,
		arguments: "{'MaxResults': 200}", action: "ec2:DescribeSecurityGroupRules",
	},
}

func activeFindings(analyzer string) string {
	return "{'AnalyzerArn': '" + analyzer + "', 'MaxResults': 100, 'Filter': {'status': {'Eq': ['ACTIVE']}}}"
}

func openGroups(filter, value string) string {
	return "{'MaxResults': 100, 'Filters': [{'Name': '" + filter + "', 'Values': ['" + value + "']}]}"
}

// wanted are the rows whose analyzers exist.
func (args *AccessReviewArgs) wanted() []collection {
	var rows []collection
	for _, row := range reviewCollections {
		if row.needs == "" || args.analyzer(row.needs) != "" {
			rows = append(rows, row)
		}
	}
	return rows
}

// analyzer resolves a placeholder of the table.
func (args *AccessReviewArgs) analyzer(placeholder string) string {
	switch placeholder {
	case externalAnalyzer:
		return args.ExternalAnalyzerArn
	case unusedAnalyzer:
		return args.UnusedAnalyzerArn
	default:
		return ""
	}
}
