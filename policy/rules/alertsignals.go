package rules

import (
	"bytes"
	"encoding/json"
	"maps"
)

// signal is something that somebody must hear of, in every form in which AWS
// tells it. A pattern is tried on these forms, so that its spelling, its order
// and its wildcards do not matter, only what it matches.
type signal struct {
	// name is what a message calls it.
	name string
	// global says that the event is in us-east-1 and nowhere else: IAM and
	// sign-in have no regions. A multi-region trail has it in its log group all
	// the same.
	// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html
	global bool
	// forms are the ways to hear of it; one is enough.
	forms []form
}

// form is one event: as EventBridge sends it, and as the trail's log group has it.
type form struct{ bus, log map[string]any }

// caller is what a CloudTrail record says about who called, from where: a person
// outside AWS, not a role of a deployment.
var caller = map[string]any{
	"eventVersion": "1.11", "eventType": "AwsApiCall", "eventCategory": "Management", "managementEvent": true, "readOnly": false,
	"awsRegion": "eu-central-1", "sourceIPAddress": "203.0.113.9", "userAgent": "aws-cli/2", "recipientAccountId": "111122223333",
	"userIdentity": map[string]any{
		"type": "IAMUser", "userName": "ann", "accountId": "111122223333", "principalId": "AIDAEXAMPLE",
		"arn": "arn:aws:iam::111122223333:user/ann",
	},
}

// record is a CloudTrail record with the fields over the usual ones.
func record(service, event string, fields map[string]any) map[string]any {
	out := maps.Clone(caller)
	out["eventSource"], out["eventName"] = service+".amazonaws.com", event
	maps.Copy(out, fields)
	return out
}

// trailed is a record as both ways have it.
func trailed(service, kind string, rec map[string]any) form {
	return form{bus: busEvent("aws."+service, kind, rec), log: decoded(rec)}
}

func busEvent(source, kind string, detail map[string]any) map[string]any {
	return decoded(map[string]any{
		"version": "0", "id": "e", "account": "111122223333", "region": "eu-central-1", "time": "2026-07-01T12:00:00Z",
		"source": source, "detail-type": kind, "detail": detail, "resources": []any{},
	})
}

// decoded is the event as it is after the wire: numbers are json.Number.
func decoded(event map[string]any) map[string]any {
	text, err := json.Marshal(event)
	if err != nil {
		panic(err) // the events are constants
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var out map[string]any
	if err := d.Decode(&out); err != nil {
		panic(err)
	}
	return out
}

const (
	apiCall = "AWS API Call via CloudTrail"
	signIn  = "AWS Console Sign In via CloudTrail"
)

// calls are API calls, one signal each.
func calls(service string, events ...string) []signal {
	out := make([]signal, len(events))
	for i, e := range events {
		out[i] = signal{name: e, global: service == "iam", forms: []form{trailed(service, apiCall, record(service, e, nil))}}
	}
	return out
}

// consoleSignIn is a sign-in to the console.
func consoleSignIn(name string, fields map[string]any) signal {
	rec := record("signin", "ConsoleLogin", map[string]any{"eventType": "AwsConsoleSignIn"})
	maps.Copy(rec, fields)
	return signal{name: name, global: true, forms: []form{trailed("signin", signIn, rec)}}
}

// onBus is an event that only EventBridge tells.
func onBus(name, source, kind string, detail map[string]any) signal {
	return signal{name: name, forms: []form{{bus: busEvent(source, kind, detail)}}}
}

func rootUserActs() map[string]any {
	return map[string]any{"userIdentity": map[string]any{
		"type": "Root", "accountId": "111122223333", "principalId": "111122223333", "arn": "arn:aws:iam::111122223333:root",
	}}
}

func rootSignals() []signal {
	api := record("ec2", "RunInstances", rootUserActs())
	console := rootUserActs()
	console["responseElements"] = map[string]any{"ConsoleLogin": "Success"}
	console["additionalEventData"] = map[string]any{"MFAUsed": "Yes"}
	return []signal{
		{name: "calls of the root user", global: true, forms: []form{trailed("ec2", apiCall, api)}},
		consoleSignIn("sign-ins of the root user", console),
	}
}

func deniedSignals() []signal {
	var out []signal
	for _, code := range []string{"Client.UnauthorizedOperation", "AccessDenied"} {
		rec := record("ec2", "RunInstances", map[string]any{"errorCode": code, "errorMessage": "not authorized"})
		out = append(out, signal{name: code, forms: []form{trailed("ec2", apiCall, rec)}})
	}
	return out
}

// guardDutySignals have one severity of each class from 7: high, and critical,
// which there is since 2024 and which patterns that list 7.0 to 8.9 miss.
func guardDutySignals() []signal {
	var out []signal
	for _, severity := range []string{"7", "8.5", "9.5"} {
		out = append(out, onBus("findings of severity "+severity, "aws.guardduty", "GuardDuty Finding", map[string]any{
			"severity": json.Number(severity), "type": "Impact:EC2/WinRMBruteForce", "accountId": "111122223333", "region": "eu-central-1",
			"service": map[string]any{"archived": false, "count": 1},
		}))
	}
	return out
}

func inventorySignals() []signal {
	created := trailed("ec2", apiCall, record("ec2", "RunInstances", nil))
	item := map[string]any{"messageType": "ConfigurationItemChangeNotification", "configurationItem": map[string]any{
		"configurationItemStatus": "ResourceDiscovered", "resourceType": "AWS::EC2::Instance",
	}}
	tags := map[string]any{"service": "ec2", "resource-type": "instance", "changed-tag-keys": []any{"owner"}, "tags": map[string]any{}}
	return []signal{
		{name: "new resources", forms: []form{created, {bus: busEvent("aws.config", "Config Configuration Item Change", item)}}},
		{name: "changed tags", forms: []form{
			{bus: busEvent("aws.tag", "Tag Change on Resource", tags)},
			trailed("ec2", apiCall, record("ec2", "CreateTags", nil)),
		}},
	}
}
