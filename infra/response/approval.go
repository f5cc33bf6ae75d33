package response

import "redoubt/infra/response/asl"

// gate is what stands before containment: exempt and protected resources, and
// resources of no kind that the machine can contain, are left to people.
func (m *machine) gate() []asl.State {
	var protected []asl.Test
	for _, b := range m.args.protectedBuckets() {
		protected = append(protected, asl.Text("$.target.id", b))
	}
	for _, r := range m.args.protectedRoles() {
		protected = append(protected, asl.Text("$.target.id", r))
	}
	next, tell := "AutoContain", "NotifyOnly"
	if m.args.Mode == Notify {
		next = tell
	}
	states := []asl.State{
		either("IsExempt", asl.Present("$.scope.exempt[0]"), "TellExempt", "IsProtected"),
		either("IsProtected", asl.Any(protected...), "TellExempt", "IsForPeople"),
		either("IsForPeople", asl.All(asl.Text("$.target.kind", string(unknown)), asl.Text("$.address.cidr", "")), "TellPeople", next),
		asl.Succeed{Name: "LeftToPeople", Comment: "The incident stays open in the table until people close it"},
	}
	states = append(states, chain("LeftToPeople",
		m.say("TellExempt", "people decide", "{} {} is exempt from automatic containment ("+ExemptTag+", or part of the response itself) and was not touched. Incident {}",
			"$.target.kind", "$.target.id", "$.incident.id"))...)
	states = append(states, chain("LeftToPeople",
		m.say("TellPeople", "people decide", "{} names nothing that can be contained automatically. Follow the runbook "+m.args.documentName("isolate-resources")+". Incident {}",
			"$.incident.type", "$.incident.id"))...)
	if m.args.Mode == Notify {
		return append(states, chain("LeftToPeople",
			m.say(tell, "people decide", "Nothing was contained: the response only notifies here. {} {}, incident {}. Runbook: "+m.args.documentName("isolate-resources"),
				"$.target.kind", "$.target.id", "$.incident.id"))...)
	}
	return append(states, m.autoContain())
}

// autoContain asks nobody for the types on the list.
func (m *machine) autoContain() asl.State {
	c := asl.Choice{Name: "AutoContain", Default: "TellContainment", Comment: "Types that are contained without asking"}
	for _, prefix := range m.args.AutoContain {
		c.Rules = append(c.Rules, asl.Rule{Test: asl.Is("$.incident.type", "StringMatches", prefix+"*"), Next: "MarkContainment"})
	}
	if len(c.Rules) == 0 {
		// A Choice has at least one rule; no incident has an empty id.
		c.Rules = []asl.Rule{{Test: asl.Text("$.incident.id", ""), Next: "MarkContainment"}}
	}
	return c
}

// approval asks people three times in the life of an incident.
func (m *machine) approval() []asl.State {
	minutes, days := m.args.ApprovalTimeoutMinutes*60, 7*24*3600
	return join(
		m.ask("Containment", "contain", minutes, "MarkContainment", "TellDenied"),
		m.ask("Eradication", "eradicate", days, "Eradicate", "TellDenied"),
		m.ask("Recovery", "recover", days, "Restore", "TellDenied"),
		chain("LeftToPeople", m.say("TellDenied", "people decide", "{} decided against the next step of incident {} on {} {}. What was done stays as it is; people go on",
			"$.decision.by", "$.incident.id", "$.target.kind", "$.target.id")),
	)
}

// ask tells the topic that a decision is due and waits for it. The message on
// the queue holds the task token; whoever has it decides, so it is only on the
// queue, which approvers alone may read, and never on the topic.
func (m *machine) ask(step, verb string, timeout int, yes, no string) []asl.State {
	asked := asl.Task{
		Name: "Ask" + step, Resource: asl.WaitForToken(m.scope.Partition),
		Parameters: asl.Payload{"QueueUrl": m.args.queueURL(), "MessageBody": asl.Payload{
			"taskToken.$": "$$.Task.Token", "question": verb, "incident.$": "$.incident", "target.$": "$.target",
			"address.$": "$.address", "scope.$": "$.scope", "impact.$": "$.impact", "evidence.$": "States.Format('incidents/{}/', $$.Execution.Name)",
			"answers": asl.Payload{"decision": []any{"approve", "deny"}, "by": "who decides"},
		}},
		ResultPath: "$.decision", TimeoutSeconds: timeout,
		Catch: append([]asl.Catch{{ErrorEquals: []string{"States.Timeout"}, ResultPath: "$.error", Next: step + "Unanswered"}}, failing...),
		Next:  "Decide" + step,
	}
	tell := m.say("Tell"+step, "decision needed", "May the response "+verb+"? {} on {} {}, incident {}. Answer the message on the queue "+m.args.queueName()+
		" as the runbook "+m.args.documentName("monitor-alerts")+" says", "$.incident.type", "$.target.kind", "$.target.id", "$.incident.id")
	tell.Next = asked.Name
	approved, denied := "$.decision.decision", asl.Present("$.decision.by")
	return []asl.State{
		tell, asked,
		asl.Choice{Name: "Decide" + step, Rules: []asl.Rule{
			{Test: asl.All(asl.Present(approved), denied, asl.Text(approved, "approve")), Next: yes},
			{Test: asl.All(asl.Present(approved), denied, asl.Text(approved, "deny")), Next: no},
		}, Default: step + "Unreadable"},
		m.complaint(step+"Unanswered", "Redoubt.Unanswered", "Nobody decided in time whether to "+verb+": the incident goes on"),
		m.complaint(step+"Unreadable", "Redoubt.UnreadableDecision", `The answer was not {"decision":"approve" or "deny","by":"who"}: nothing was done`),
	}
}

// complaint puts an error of our own in place and escalates.
func (m *machine) complaint(name, code, cause string) asl.State {
	return asl.Pass{Name: name, Parameters: asl.Payload{"Error": code, "Cause": cause}, ResultPath: "$.error", Next: escalate}
}

// escalation alerts people and fails the execution, so that the alarm on failed
// executions speaks even if the topic does not.
func (m *machine) escalation() []asl.State {
	tell := m.say(escalate, "ESCALATION", "The response to incident {} ({}) on {} stopped: {}: {}. Go on by hand: "+m.args.documentName("isolate-resources"),
		"$.incident.id", "$.incident.type", "$$.Execution.Name", "$.error.Error", "$.error.Cause")
	silent := []asl.Catch{{ErrorEquals: []string{"States.ALL"}, ResultPath: asl.Discard, Next: "NeedsPeople"}}
	failed := m.record("RecordFailure", "failed")
	tell.Catch, failed.Catch = silent, silent
	return append(chain("NeedsPeople", tell, failed),
		asl.Fail{Name: "NeedsPeople", Error: "Redoubt.NeedsPeople", Cause: "The response could not finish a step; the escalation and the execution's history say which"})
}
