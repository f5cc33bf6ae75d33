package response

import (
	"strings"

	"redoubt/infra/identity"
	"redoubt/infra/response/asl"
)

// escalate is the state that every failure leads to: it alerts, and then the
// execution fails.
const escalate = "Escalate"

// machine writes the states of one environment's response. Everything in it is
// known before anything is deployed: ids that AWS makes are read at run time
// from the parameter targetsParameter.
type machine struct {
	scope identity.Scope
	args  *ResponderArgs
}

// Definition returns the state machine that NewResponder deploys. An incident
// is one execution, from the finding to the report; its state has:
//
//	incident  id, type, title, severity, source, detectedAt, startedAt
//	event     what was sent, as it came
//	clock     times computed from the start
//	targets   ids of this environment, from the targets parameter
//	target    the resource: kind, id, arn, and how to find traces of it
//	address   the other side's IPv4 address, or ""
//	scope     exempt, class and owner, from the resource's tags
//	analysis  what the five analyses found, or why they could not
//	facts     the resource before containment, for recovery
//
// The error joins every finding in args.
func Definition(args *ResponderArgs) (asl.Machine, error) {
	if err := args.validate(); err != nil {
		return asl.Machine{}, err
	}
	m := &machine{scope: args.Scope, args: args}
	states := join(m.detection(), m.targets(), m.analysis(), m.gate(), m.escalation())
	if args.Mode != Notify {
		states = join(states, m.approval(), m.containment(), m.eradication(), m.recovery(), m.review())
	}
	return asl.Machine{
		Comment: "Incident response of " + args.Prefix + ": detection, analysis, containment, eradication, recovery, review",
		StartAt: "Normalise", States: states,
	}, nil
}

func join(parts ...[]asl.State) []asl.State {
	var out []asl.State
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}

// transient retries what may pass by itself. AWS's throttling errors have a
// name of their own in each service, so it takes every error of a task.
var transient = []asl.Retry{{ErrorEquals: []string{"States.TaskFailed"}, IntervalSeconds: 2, MaxAttempts: 3, BackoffRate: 2}}

// failing sends every error to people.
var failing = []asl.Catch{{ErrorEquals: []string{"States.ALL"}, ResultPath: "$.error", Next: escalate}}

// call is a Task of an SDK action, "ec2:createTags". It retries, and an error
// that stays escalates; the result is dropped.
func (m *machine) call(name, action string, parameters asl.Payload) asl.Task {
	service, operation, _ := strings.Cut(action, ":")
	return asl.Task{
		Name: name, Resource: asl.SDK(m.scope.Partition, service, operation), Parameters: parameters,
		ResultPath: asl.Discard, Retry: transient, Catch: failing,
	}
}

// read is a call of which the selected parts are kept at path.
func (m *machine) read(name, action string, parameters asl.Payload, path string, selector asl.Payload) asl.Task {
	t := m.call(name, action, parameters)
	t.ResultPath, t.ResultSelector = path, selector
	return t
}

// nested is a call inside a Map, whose own Catch takes the error.
func (m *machine) nested(name, action string, parameters asl.Payload) asl.Task {
	t := m.call(name, action, parameters)
	t.Catch = nil
	return t
}

// chain lets each state go to the one after it, and the last to next, where
// the state does not say so itself.
func chain(next string, states ...asl.State) []asl.State {
	for i := range states {
		follow := next
		if i+1 < len(states) {
			follow = states[i+1].StateName()
		}
		switch s := states[i].(type) {
		case asl.Task:
			s.Next = orElse(s.Next, follow)
			states[i] = s
		case asl.Pass:
			s.Next = orElse(s.Next, follow)
			states[i] = s
		case asl.Map:
			s.Next = orElse(s.Next, follow)
			states[i] = s
		case asl.Parallel:
			s.Next = orElse(s.Next, follow)
			states[i] = s
		case asl.Wait:
			s.Next = orElse(s.Next, follow)
			states[i] = s
		}
	}
	return states
}

func orElse(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// sequence is the machine of a Map: its states one after the other.
func sequence(states ...asl.State) asl.Machine {
	return asl.Machine{StartAt: states[0].StateName(), States: chain(asl.End, states...)}
}

// either is a Choice of two ways.
func either(name string, test asl.Test, yes, no string) asl.Choice {
	return asl.Choice{Name: name, Rules: []asl.Rule{{Test: test, Next: yes}}, Default: no}
}

// say tells the response topic. Values fill the {} of the text.
func (m *machine) say(name, subject, text string, values ...string) asl.Task {
	message := "States.Format('" + strings.ReplaceAll(text, "'", `\'`) + "'"
	for _, v := range values {
		message += ", " + v
	}
	return m.call(name, "sns:publish", asl.Payload{
		"TopicArn": m.args.topicARN(), "Subject": m.args.Prefix + ": " + subject, "Message.$": message + ")",
	})
}

// keep writes the state, as it is, into the evidence bucket. The object lock
// of the bucket keeps it; an upload under object lock needs a checksum.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock-managing.html
func (m *machine) keep(name, file, body string) asl.Task {
	return m.call(name, "s3:putObject", asl.Payload{
		"Bucket": m.args.EvidenceBucket.PhysicalName,
		"Key.$":  "States.Format('incidents/{}/" + file + "', $$.Execution.Name)",
		"Body.$": body, "ContentType": "application/json", "ChecksumAlgorithm": "SHA256",
	})
}

// record writes where the incident stands into the table.
func (m *machine) record(name, status string) asl.Task {
	return m.call(name, "dynamodb:updateItem", asl.Payload{
		"TableName": m.args.tableName(), "Key": asl.Payload{"id": asl.Payload{"S.$": "$.incident.id"}},
		"UpdateExpression":         "SET #status = :status, changedAt = :now",
		"ExpressionAttributeNames": asl.Payload{"#status": "status"},
		"ExpressionAttributeValues": asl.Payload{
			":status": asl.Payload{"S": status}, ":now": asl.Payload{"S.$": "$$.State.EnteredTime"},
		},
	})
}
