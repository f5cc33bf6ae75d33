package response

import "redoubt/infra/response/asl"

// The traces of an intruder show up late: half an hour after eradication, and
// for three days after recovery.
const (
	removalWaitSeconds = 30 * 60
	watchRoundSeconds  = 6 * 3600
	watchRounds        = 12
)

// moreFindings are findings that the analysis did not know.
var moreFindings = asl.Is("$.count.now", "NumericGreaterThanPath", "$.count.known")

// eradication removes what the intruder left, where that is the machine's to
// remove, and proves that nothing came since.
func (m *machine) eradication() []asl.State {
	again := m.findings("VerifyRemoval", "$.removal")
	return append(join(
		chain("WaitForTraces", m.call("PatchService", "ecs:updateService", asl.Payload{
			"Cluster": m.args.ClusterName, "Service": m.args.ServiceName, "ForceNewDeployment": true,
		})),
		chain("WaitForTraces", m.eachKey("RemoveKeys", m.nested("RemoveKey", "iam:deleteAccessKey", asl.Payload{"UserName.$": "$.user", "AccessKeyId.$": "$.key"}))),
		chain("AreThreatsGone", asl.Wait{Name: "WaitForTraces", Seconds: removalWaitSeconds}, again, m.countFindings("CountAfterRemoval", "$.removal")),
		chain("TellRecovery", m.keep("PreserveEradication", "eradication.json", "States.JsonToString($)")),
	),
		asl.Choice{Name: "Eradicate", Comment: "Keys are removed only where the approver says so", Default: "WaitForTraces", Rules: []asl.Rule{
			{Test: asl.Text("$.target.kind", string(Task)), Next: "PatchService"},
			{Test: asl.All(asl.Text("$.target.kind", string(User)), asl.Present("$.decision.removeKeys"), asl.Is("$.decision.removeKeys", "BooleanEquals", true)), Next: "RemoveKeys"},
		}},
		either("AreThreatsGone", moreFindings, "ThreatRemains", "PreserveEradication"),
		m.complaint("ThreatRemains", "Redoubt.ThreatRemains", "GuardDuty found more on the resource after eradication"),
	)
}

// findings lists what GuardDuty knows of the resource.
func (m *machine) findings(name, path string) asl.Task {
	return m.read(name, "guardduty:listFindings", asl.Payload{
		"DetectorId.$": "$.targets.read.detectorId", "FindingCriteria.$": "$.target.criteria", "MaxResults": 50,
	}, path, asl.Payload{"findings.$": "$.FindingIds"})
}

// countFindings counts the findings, and those that the analysis knew. An
// analysis that missed them knew none, so that the first counts as new and
// people look.
func (m *machine) countFindings(name, path string) asl.Pass {
	return asl.Pass{Name: name, ResultPath: "$.count", Parameters: asl.Payload{
		"now.$": "States.ArrayLength(" + path + ".findings)", "known.$": "States.ArrayLength($.analysis.guardduty.findings)",
	}}
}

// recovery gives back what was taken, proves that the service is well, lets the
// stack deploy again, and watches for three days.
func (m *machine) recovery() []asl.State {
	restore := asl.Choice{Name: "Restore", Default: restored, Comment: "Instances, tasks, secrets and blocked addresses do not come back by themselves"}
	var states []asl.State
	for _, k := range m.kinds() {
		if k.restore == nil {
			continue
		}
		restore.Rules = append(restore.Rules, asl.Rule{Test: asl.Text("$.target.kind", string(k.kind)), Next: k.restore[0].StateName()})
		states = join(states, k.restore)
	}
	healthy := m.read(restored, "cloudwatch:describeAlarms", asl.Payload{"AlarmNames": toAny(m.args.HealthAlarms), "AlarmTypes": []any{"MetricAlarm"}},
		"$.health", asl.Payload{"bad.$": "$.MetricAlarms[?(@.StateValue!='OK')].AlarmName"})
	watch := m.findings("WatchFindings", "$.watched")
	return join(states, chain("IsServiceHealthy", healthy), chain("WatchWait",
		m.call("ClearMarker", "ssm:deleteParameter", asl.Payload{"Name.$": "States.Format('" + MarkerPath(m.args.Environment) + "/{}', $$.Execution.Name)"}),
		asl.Pass{Name: "Recovered", Parameters: asl.Payload{"at.$": "$$.State.EnteredTime"}, ResultPath: "$.recovered"},
		m.record("RecordWatching", "watching"),
		m.say("TellRecovered", "recovered", "{} {} is back; the response watches it for 72 hours. Incident {}. Update the stack now: it is the source of truth", "$.target.kind", "$.target.id", "$.incident.id"),
		asl.Pass{Name: "StartWatch", Parameters: asl.Payload{"round": 0}, ResultPath: "$.watch"},
	), chain("IsQuiet",
		asl.Wait{Name: "WatchWait", Seconds: watchRoundSeconds}, watch, m.countFindings("CountWatched", "$.watched"),
		asl.Pass{Name: "CountRound", Parameters: asl.Payload{"round.$": "States.MathAdd($.watch.round, 1)"}, ResultPath: "$.watch"},
	), []asl.State{
		restore,
		either("IsServiceHealthy", asl.Present("$.health.bad[0]"), "ServiceUnhealthy", "ClearMarker"),
		m.complaint("ServiceUnhealthy", "Redoubt.ServiceUnhealthy", "Alarms of the service are not OK after recovery; the stack stays closed for deployments"),
		asl.Choice{Name: "IsQuiet", Default: "WatchWait", Rules: []asl.Rule{
			{Test: moreFindings, Next: "IntruderBack"},
			{Test: asl.Is("$.watch.round", "NumericGreaterThanEquals", watchRounds), Next: "MeasureResponse"},
		}},
		m.complaint("IntruderBack", "Redoubt.IntruderBack", "GuardDuty found more on the resource within 72 hours of recovery"),
	})
}

// review writes the report: the timeline, how long detection, containment and
// recovery took, and the questions of the review.
func (m *machine) review() []asl.State {
	since := func(from, to string) string {
		return "{% ($toMillis($states.input." + to + ") - $toMillis($states.input." + from + ")) / 1000 %}"
	}
	return chain("Closed",
		asl.Compute{Name: "MeasureResponse", Output: map[string]any{
			"incident": "{% $states.input.incident %}", "target": "{% $states.input.target %}", "decision": "{% $states.input.decision %}",
			"timeline": map[string]any{
				"detected": "{% $states.input.incident.detectedAt %}", "started": "{% $states.input.incident.startedAt %}",
				"contained": "{% $states.input.contained.at %}", "recovered": "{% $states.input.recovered.at %}",
				"closed": "{% $states.context.State.EnteredTime %}",
			},
			"seconds": map[string]any{
				"detectionToResponse": since("incident.detectedAt", "incident.startedAt"),
				"detectionToContain":  since("incident.detectedAt", "contained.at"),
				"containToRecover":    since("contained.at", "recovered.at"),
			},
			"review": []any{
				"What was known when, and what should have been known earlier?",
				"Which step waited for people, and for how long?",
				"Which runbook was wrong or missing? Change it in the repository.",
				"Which finding, filter or alarm would have found this earlier? Add it.",
			},
		}, Next: "WriteReport"},
		m.keep("WriteReport", "report.json", "States.JsonToString($)"),
		m.record("RecordClosed", "closed"),
		m.say("TellClosed", "closed", "Incident {} is closed. Contained after {} s. Report: incidents/{}/report.json. Review: "+m.args.documentName("review-response"),
			"$.incident.id", "$.seconds.detectionToContain", "$$.Execution.Name"),
		asl.Succeed{Name: "Closed"},
	)
}
