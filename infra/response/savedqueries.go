package response

// savedQuery is a query of CloudWatch Logs Insights that people find by name in
// the console, and that the response starts.
type savedQuery struct{ name, text string }

// savedQueries are what a review of logs starts with. The first is the one that
// the response runs over the two hours before the finding.
var savedQueries = []savedQuery{
	{"errors-and-denials", `fields @timestamp, @log, @message
| filter @message like /(?i)(error|denied|unauthorized|forbidden|invalid token)/
| sort @timestamp desc
| limit 1000`},
	{"requests-by-address", `fields @timestamp, httpRequest.clientIp, httpRequest.uri, action
| stats count() as requests by httpRequest.clientIp, action
| sort requests desc
| limit 100`},
	{"rejected-flows", `fields @timestamp, srcAddr, dstAddr, dstPort, action
| filter action = "REJECT"
| stats count() as flows by srcAddr, dstPort
| sort flows desc
| limit 100`},
	{"large-outbound-flows", `fields @timestamp, srcAddr, dstAddr, bytes
| stats sum(bytes) as total by srcAddr, dstAddr
| sort total desc
| limit 100`},
}
