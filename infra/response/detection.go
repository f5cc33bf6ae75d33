package response

import "redoubt/infra/response/asl"

// expiresAfterSeconds is how long the table remembers a closed incident: 400 days.
const expiresAfterSeconds = "34560000"

// detection makes an incident of what was sent, and stops where the incident
// is being handled already: GuardDuty sends a finding again each time that it
// happens again.
func (m *machine) detection() []asl.State {
	incident := func(id, kind, title, severity, at string) asl.Payload {
		return asl.Payload{
			"incident": asl.Payload{
				"id.$": id, "type.$": kind, "title.$": title, "severity.$": severity, "source.$": "$.source",
				"detectedAt.$": at, "startedAt.$": "$$.Execution.StartTime",
			},
			"event.$": "$.detail",
		}
	}
	alarm := incident("States.Format('{}@{}', $.detail.alarmName, $.time)", "States.Format('Alarm:{}', $.detail.alarmName)",
		"$.detail.state.reason", "$.defaults.severity", "$.time")
	remember := m.call("Remember", "dynamodb:putItem", asl.Payload{
		"TableName": m.args.tableName(),
		"Item": asl.Payload{
			"id": asl.Payload{"S.$": "$.incident.id"}, "type": asl.Payload{"S.$": "$.incident.type"},
			"execution": asl.Payload{"S.$": "$$.Execution.Id"}, "openedAt": asl.Payload{"S.$": "$.incident.startedAt"},
			"status": asl.Payload{"S": "open"}, "expires": asl.Payload{"N.$": "States.Format('{}', $.clock.expires)"},
		},
		"ConditionExpression":       "attribute_not_exists(id) OR #status = :closed",
		"ExpressionAttributeNames":  asl.Payload{"#status": "status"},
		"ExpressionAttributeValues": asl.Payload{":closed": asl.Payload{"S": "closed"}},
	})
	// A failed condition is an answer, not a fault: no retry.
	remember.Retry = nil
	remember.Catch = append([]asl.Catch{{
		ErrorEquals: []string{"DynamoDb.ConditionalCheckFailedException"}, ResultPath: asl.Discard, Next: "Duplicate",
	}}, failing...)
	return []asl.State{
		asl.Choice{Name: "Normalise", Rules: []asl.Rule{
			{Test: asl.Text("$.source", "aws.guardduty"), Next: "NormaliseFinding"},
			{Test: asl.Text("$.source", "aws.cloudwatch"), Next: "AlarmSeverity"},
			{Test: asl.Text("$.source", OperatorSource), Next: "NormaliseRequest"},
		}, Default: "RefuseEvent"},
		asl.Fail{Name: "RefuseEvent", Error: "Redoubt.UnknownEvent", Cause: "The event is no finding, alarm or request of an operator: correct the rule or the request"},
		asl.Pass{Name: "NormaliseFinding", Parameters: incident("$.detail.id", "$.detail.type", "$.detail.title", "$.detail.severity", "$.time"), Next: "ReadClock"},
		asl.Pass{Name: "AlarmSeverity", Comment: "An alarm on the list is urgent", Parameters: asl.Payload{"severity": 7}, ResultPath: "$.defaults", Next: "NormaliseAlarm"},
		asl.Pass{Name: "NormaliseAlarm", Parameters: alarm, Next: "ReadClock"},
		asl.Pass{Name: "NormaliseRequest", Parameters: incident("$.detail.id", "$.detail.type", "$.detail.title", "$.detail.severity", "$.time"), Next: "ReadClock"},
		asl.Compute{Name: "ReadClock", Output: map[string]any{
			"incident": "{% $states.input.incident %}", "event": "{% $states.input.event %}",
			"clock": map[string]any{
				"expires":    "{% $floor($toMillis($states.context.Execution.StartTime) / 1000) + " + expiresAfterSeconds + " %}",
				"from":       "{% $fromMillis($toMillis($states.context.Execution.StartTime) - 7200000) %}",
				"fromSecond": "{% $floor($toMillis($states.context.Execution.StartTime) / 1000) - 7200 %}",
				"toSecond":   "{% $floor($toMillis($states.context.Execution.StartTime) / 1000) %}",
			},
		}, Next: "Remember"},
		chain("ReadTargets", remember)[0],
		asl.Succeed{Name: "Duplicate", Comment: "The incident is being handled by another execution"},
		m.readTargets(),
	}
}

// readTargets reads the ids that AWS made.
func (m *machine) readTargets() asl.State {
	t := m.read("ReadTargets", "ssm:getParameter", asl.Payload{"Name": m.args.targetsParameter()}, "$.targets",
		asl.Payload{"read.$": "States.StringToJson($.Parameter.Value)"})
	return chain("Classify", t)[0]
}
