package response

import "redoubt/infra/response/asl"

// containmentKind is how a kind of resource is contained, how that is proved,
// and how it comes back.
type containmentKind struct {
	kind Kind
	// contain starts at the kind's first state and ends at blockAddress.
	contain []asl.State
	// verify starts at "Verify<Kind>" and ends at verified or notContained.
	verify []asl.State
	// restore starts at "Restore<Kind>" and ends at restored; nil where nothing
	// comes back by itself.
	restore []asl.State
}

const (
	blockAddress  = "IsAddressKnown"
	verified      = "VerifyAddress"
	notContained  = "NotContained"
	restored      = "VerifyFunctionality"
	settleSeconds = 120
)

func (m *machine) kinds() []containmentKind {
	return []containmentKind{
		m.instance(), m.task(), m.function(), m.cluster(), m.bucket(),
		m.user(), m.role(), m.secret(), m.poolUser(),
	}
}

// containment marks the environment, contains the resource and the address,
// and proves both. The marker comes first: an update of the stack during
// containment would put back what is being contained (see CheckContainment).
func (m *machine) containment() []asl.State {
	marker := m.call("MarkContainment", "ssm:putParameter", asl.Payload{
		"Name.$": "States.Format('" + MarkerPath(m.args.Environment) + "/{}', $$.Execution.Name)", "Type": "String", "Overwrite": true,
		"Value.$":     "States.Format('{} on {} {}', $.incident.type, $.target.kind, $.target.id)",
		"Description": "Incident response is containing something; deployments wait until it is over",
	})
	contain := asl.Choice{Name: "Contain", Default: blockAddress}
	verify := asl.Choice{Name: "Verify", Default: verified}
	states := chain("Contain", marker)
	for _, k := range m.kinds() {
		test := asl.Text("$.target.kind", string(k.kind))
		contain.Rules = append(contain.Rules, asl.Rule{Test: test, Next: k.contain[0].StateName()})
		verify.Rules = append(verify.Rules, asl.Rule{Test: test, Next: k.verify[0].StateName()})
		states = join(states, k.contain, k.verify)
	}
	states = append(states, contain, verify,
		asl.Wait{Name: "Settle", Comment: "AWS's own changes take a moment", Seconds: settleSeconds, Next: "Verify"},
		m.complaint(notContained, "Redoubt.NotContained", "The resource is not contained though every step succeeded: contain it by hand"))
	return join(states, m.network(), chain("TellEradication",
		asl.Pass{Name: "Contained", Parameters: asl.Payload{"at.$": "$$.State.EnteredTime"}, ResultPath: "$.contained"},
		m.keep("PreserveContainment", "containment.json", "States.JsonToString($)"),
		m.record("RecordContained", "contained"),
		m.say("TellContained", "contained", "{} {} is contained; the stack refuses to deploy until recovery. Incident {}", "$.target.kind", "$.target.id", "$.incident.id"),
	))
}

// network blocks the other side's address at the web ACL and at the subnets,
// if it is known, and proves it.
func (m *machine) network() []asl.State {
	set := asl.Payload{"Name": m.args.ipSetName(), "Id.$": "$.targets.read.blockIpSetId", "Scope": "REGIONAL"}
	join := asl.Pass{Name: "JoinAddresses", ResultPath: "$.list.joined", Parameters: asl.Payload{
		"lists.$": "States.Array($.list.addresses, States.Array($.address.cidr))",
	}}
	write := m.call("WriteBlockList", "wafv2:updateIPSet", asl.Payload{
		"Name": m.args.ipSetName(), "Id.$": "$.targets.read.blockIpSetId", "Scope": "REGIONAL", "LockToken.$": "$.list.token",
		"Addresses.$": "States.ArrayUnique($.list.joined.lists[*][*])",
	})
	// A lost race needs a new lock token, not a repetition.
	write.Retry = nil
	write.Catch = append([]asl.Catch{{
		ErrorEquals: []string{"Wafv2.WafOptimisticLockException"}, ResultPath: asl.Discard, Next: "CountLostRace",
	}}, failing...)
	selector := asl.Payload{"addresses.$": "$.IpSet.Addresses", "token.$": "$.LockToken"}
	states := chain("Settle",
		asl.Pass{Name: "StartBlocking", Parameters: asl.Payload{"lost": 0}, ResultPath: "$.race"},
		m.read("ReadBlockList", "wafv2:getIPSet", set, "$.list", selector), join, write,
		m.read("FindNetworkAcls", "ec2:describeNetworkAcls", asl.Payload{"Filters": []any{
			asl.Payload{"Name": "vpc-id", "Values.$": "States.Array($.targets.read.vpcId)"},
			asl.Payload{"Name": "default", "Values": []any{"false"}},
		}}, "$.acls", asl.Payload{"ids.$": "$.NetworkAcls[*].NetworkAclId"}),
		m.denyAtSubnets())
	check := m.read("ReadBlockListAgain", "wafv2:getIPSet", set, "$.list", selector)
	check.Next = "CompareBlockList"
	return append(states, check,
		either(blockAddress, asl.Text("$.address.cidr", ""), "Settle", "StartBlocking"),
		asl.Pass{Name: "CountLostRace", Parameters: asl.Payload{"lost.$": "States.MathAdd($.race.lost, 1)"}, ResultPath: "$.race", Next: "MayTryAgain"},
		either("MayTryAgain", asl.Is("$.race.lost", "NumericGreaterThanEquals", 5), "BlockListBusy", "WaitForLock"),
		asl.Wait{Name: "WaitForLock", Seconds: 3, Next: "ReadBlockList"},
		m.complaint("BlockListBusy", "Redoubt.BlockListBusy", "Somebody else kept changing the web ACL's block list: add the address by hand"),
		either(verified, asl.Text("$.address.cidr", ""), "Contained", check.Name),
		asl.Pass{Name: "CompareBlockList", Parameters: asl.Payload{"blocked.$": "States.ArrayContains($.list.addresses, $.address.cidr)"}, ResultPath: "$.list", Next: "IsAddressBlocked"},
		either("IsAddressBlocked", asl.Is("$.list.blocked", "BooleanEquals", true), "Contained", notContained),
	)
}

// Entries of network ACLs from 1 to this number are incident response's own;
// infra/network starts above.
const lastEntry = 50

// denyAtSubnets puts deny entries at the first free number of each network ACL.
// Flows that a security group tracks survive a change of groups; a network ACL
// stops them.
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/security-group-connection-tracking.html
func (m *machine) denyAtSubnets() asl.State {
	deny := func(name string, egress bool) asl.Task {
		return m.nested(name, "ec2:createNetworkAclEntry", asl.Payload{
			"NetworkAclId.$": "$.acl", "RuleNumber.$": "$.free.number", "Protocol": "-1", "RuleAction": "deny", "Egress": egress, "CidrBlock.$": "$.cidr",
		})
	}
	used := m.nested("ReadEntries", "ec2:describeNetworkAcls", asl.Payload{"NetworkAclIds.$": "States.Array($.acl)"})
	used.ResultPath, used.ResultSelector = "$.used", asl.Payload{"numbers.$": "$.NetworkAcls[0].Entries[*].RuleNumber"}
	used.Next = "FirstNumber"
	number := func(name, expression string) asl.Pass {
		return asl.Pass{Name: name, Parameters: asl.Payload{"number.$": expression}, ResultPath: "$.free", Next: "IsNumberUsed"}
	}
	states := append([]asl.State{
		used,
		asl.Pass{Name: "FirstNumber", Parameters: asl.Payload{"number": 1}, ResultPath: "$.free", Next: "IsNumberUsed"},
		asl.Pass{Name: "IsNumberUsed", Parameters: asl.Payload{"yes.$": "States.ArrayContains($.used.numbers, $.free.number)"}, ResultPath: "$.taken", Next: "ChooseNumber"},
		asl.Choice{Name: "ChooseNumber", Rules: []asl.Rule{
			{Test: asl.Is("$.free.number", "NumericGreaterThanEquals", lastEntry+1), Next: "NoNumberLeft"},
			{Test: asl.Is("$.taken.yes", "BooleanEquals", true), Next: "NextNumber"},
		}, Default: "DenyInbound"},
		number("NextNumber", "States.MathAdd($.free.number, 1)"),
		asl.Fail{Name: "NoNumberLeft", Error: "Redoubt.NetworkAclFull", Cause: "Entries 1 to 50 of a network ACL are all used: remove old ones"},
	}, chain(asl.End, deny("DenyInbound", false), deny("DenyOutbound", true))...)
	return asl.Map{
		Name: "DenyAtSubnets", ItemsPath: "$.acls.ids", ResultPath: asl.Discard, MaxConcurrency: 1, Catch: failing,
		ItemSelector: asl.Payload{"acl.$": "$$.Map.Item.Value", "cidr.$": "$.address.cidr"},
		Each:         asl.Machine{StartAt: "ReadEntries", States: states},
	}
}
