package response

import "redoubt/infra/response/asl"

// ExemptTag is the tag whose value "true" keeps a resource from the machine's
// hands: people decide about it.
const ExemptTag = "ir:exempt"

// An execution's state holds 256 KiB: analyses keep ids and numbers, by which
// people find the whole of it in CloudTrail and CloudWatch Logs.
// https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html

// analysis finds out what the resource is worth, and what is known of it: five
// analyses side by side. An analysis that fails is noted in the evidence and
// does not keep the incident from being contained.
func (m *machine) analysis() []asl.State {
	analyse := asl.Parallel{
		Name: "Analyse", ResultPath: "$.analysis", Catch: failing,
		Branches: []asl.Machine{
			m.branch(m.read("CheckGuardDuty", "guardduty:listFindings", asl.Payload{
				"DetectorId.$": "$.targets.read.detectorId", "FindingCriteria.$": "$.target.criteria", "MaxResults": 50,
			}, "", asl.Payload{"findings.$": "$.FindingIds"})),
			m.branch(m.read("AnalyzeMetrics", "cloudwatch:getMetricData", asl.Payload{
				"StartTime.$": "$.clock.from", "EndTime.$": "$.incident.startedAt", "MaxDatapoints": 500, "MetricDataQueries": m.args.metricQueries(),
			}, "", asl.Payload{"series.$": "$.MetricDataResults"})),
			m.branch(m.read("ReviewLogs", "cloudwatchlogs:startQuery", asl.Payload{
				"LogGroupNames": toAny(m.args.LogGroupNames), "StartTime.$": "$.clock.fromSecond", "EndTime.$": "$.clock.toSecond", "Limit": 1000,
				"QueryString": savedQueries[0].text,
			}, "", asl.Payload{"query.$": "$.QueryId"})),
			m.branch(m.read("ReviewAuditLogs", "cloudtrail:lookupEvents", asl.Payload{
				"LookupAttributes.$": "$.target.lookup", "MaxResults": 50,
			}, "", asl.Payload{"ids.$": "$.Events[*].EventId", "names.$": "$.Events[*].EventName", "times.$": "$.Events[*].EventTime"})),
			m.branch(m.read("CheckConfigurations", "config:selectResourceConfig", asl.Payload{
				"Expression.$": `States.Format('SELECT resourceId, resourceType, configuration, configurationItemCaptureTime, tags WHERE resourceId = \'{}\'', $.target.id)`,
				"Limit":        1,
			}, "", asl.Payload{"configuration.$": "$.Results"})),
		},
		ResultSelector: asl.Payload{
			"guardduty.$": "$[0]", "metrics.$": "$[1]", "logs.$": "$[2]", "audit.$": "$[3]", "configuration.$": "$[4]",
		},
	}
	return join(m.scopeStates(), m.impact(), chain("IsExempt", analyse,
		m.keep("PreserveAnalysis", "analysis.json", "States.JsonToString($)"),
		m.say("TellAnalysis", "incident", "{}: {} on {} {}, impact {}. Evidence: incidents/{}/. Runbook: "+m.args.documentName("identify-scope"),
			"$.incident.type", "$.incident.title", "$.target.kind", "$.target.id", "$.impact.level", "$$.Execution.Name"),
	))
}

// branch is one analysis; its failure is its result.
func (m *machine) branch(t asl.Task) asl.Machine {
	missed := t.Name + "Missed"
	t.Catch = []asl.Catch{{ErrorEquals: []string{"States.ALL"}, Next: missed}}
	return asl.Machine{StartAt: t.Name, States: []asl.State{
		t, asl.Pass{Name: missed, Parameters: asl.Payload{"findings": []any{}, "missed.$": "$.Cause"}},
	}}
}

// scopeStates read the resource's tags: whether it is exempt, what it holds and
// whose it is.
func (m *machine) scopeStates() []asl.State {
	tags := func(name, action string, parameters asl.Payload, list string) asl.Task {
		t := m.read(name, action, parameters, "$.scope", asl.Payload{
			"exempt.$": list + "[?(@.Key=='" + ExemptTag + "' && @.Value=='true')].Key",
			"class.$":  list + "[?(@.Key=='data-class')].Value",
			"owner.$":  list + "[?(@.Key=='owner')].Value",
		})
		t.Next = "DetermineImpact"
		return t
	}
	none := asl.Payload{"exempt": []any{}, "class": []any{}, "owner": []any{}}
	return []asl.State{
		asl.Choice{Name: "IdentifyScope", Rules: []asl.Rule{
			{Test: asl.Text("$.target.kind", string(User)), Next: "ScopeOfUser"},
			{Test: asl.Text("$.target.kind", string(Role)), Next: "ScopeOfRole"},
			{Test: asl.Text("$.target.arn", ""), Next: "ScopeOfNothing"},
		}, Default: "ScopeOfResource"},
		tags("ScopeOfUser", "iam:listUserTags", asl.Payload{"UserName.$": "$.target.id"}, "$.Tags"),
		tags("ScopeOfRole", "iam:listRoleTags", asl.Payload{"RoleName.$": "$.target.id"}, "$.Tags"),
		tags("ScopeOfResource", "resourcegroupstaggingapi:getResources", asl.Payload{"ResourceARNList.$": "States.Array($.target.arn)"}, "$.ResourceTagMappingList[*].Tags"),
		asl.Pass{Name: "ScopeOfNothing", Comment: "An address or an alarm has no tags", Parameters: none, ResultPath: "$.scope", Next: "DetermineImpact"},
	}
}

// impact is high where the data is worth much or the finding is severe.
func (m *machine) impact() []asl.State {
	const class = "$.scope.class[0]"
	return []asl.State{
		asl.Choice{Name: "DetermineImpact", Rules: []asl.Rule{
			{Test: asl.All(asl.Present(class), asl.Any(asl.Text(class, "restricted"), asl.Text(class, "confidential"))), Next: "ImpactHigh"},
			{Test: asl.Is("$.incident.severity", "NumericGreaterThanEquals", 7), Next: "ImpactHigh"},
		}, Default: "ImpactMedium"},
		asl.Pass{Name: "ImpactHigh", Parameters: asl.Payload{"level": "high"}, ResultPath: "$.impact", Next: "Analyse"},
		asl.Pass{Name: "ImpactMedium", Parameters: asl.Payload{"level": "medium"}, ResultPath: "$.impact", Next: "Analyse"},
	}
}

func toAny(texts []string) []any {
	out := make([]any, len(texts))
	for i, t := range texts {
		out[i] = t
	}
	return out
}
