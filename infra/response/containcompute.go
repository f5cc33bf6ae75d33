package response

import "redoubt/infra/response/asl"

// isolated are the ids of the isolation group, as a list.
const isolated = "States.Array($.targets.read.isolationGroupId)"

// instance keeps the disks, keeps the instance from being ended, takes it out
// of its group and away from the network. It does not come back: recovery is a
// new instance, and this one is evidence.
func (m *machine) instance() containmentKind {
	id := asl.Payload{"InstanceIds.$": "States.Array($.target.id)"}
	tag := []any{asl.Payload{"Key": "ir:incident", "Value.$": "$.incident.id"}}
	const found = "$.Reservations[0].Instances[0]"
	detach := m.call("DetachInstance", "autoscaling:detachInstances", asl.Payload{
		"InstanceIds.$": "States.Array($.target.id)", "AutoScalingGroupName.$": "$.facts.group[0]", "ShouldDecrementDesiredCapacity": false,
	})
	detach.Next = "IsolateInterfaces"
	isolate := asl.Map{
		Name: "IsolateInterfaces", ItemsPath: "$.facts.interfaces", ResultPath: asl.Discard, MaxConcurrency: 1, Catch: failing, Next: blockAddress,
		ItemSelector: asl.Payload{"interface.$": "$$.Map.Item.Value", "groups.$": isolated},
		Each: sequence(m.nested("IsolateInterface", "ec2:modifyNetworkInterfaceAttribute", asl.Payload{
			"NetworkInterfaceId.$": "$.interface", "Groups.$": "$.groups",
		})),
	}
	contain := chain("IsInstanceInGroup",
		m.read("InstanceFacts", "ec2:describeInstances", id, "$.facts", asl.Payload{
			"interfaces.$": found + ".NetworkInterfaces[*].NetworkInterfaceId", "groups.$": found + ".NetworkInterfaces[*].Groups[*].GroupId",
			"group.$": found + ".Tags[?(@.Key=='aws:autoscaling:groupName')].Value",
		}),
		m.call("SnapshotInstance", "ec2:createSnapshots", asl.Payload{
			"InstanceSpecification": asl.Payload{"InstanceId.$": "$.target.id"}, "Description.$": "States.Format('Evidence of incident {}', $.incident.id)",
			"TagSpecifications": []any{asl.Payload{"ResourceType": "snapshot", "Tags": tag}},
		}),
		m.call("KeepInstance", "ec2:modifyInstanceAttribute", asl.Payload{"InstanceId.$": "$.target.id", "DisableApiTermination": asl.Payload{"Value": true}}),
		m.call("TagInstance", "ec2:createTags", asl.Payload{"Resources.$": "States.Array($.target.id)", "Tags": tag}),
	)
	verify := m.read("VerifyInstance", "ec2:describeNetworkInterfaces", asl.Payload{"Filters": []any{
		asl.Payload{"Name": "attachment.instance-id", "Values.$": "States.Array($.target.id)"},
		asl.Payload{"Name": "group-id", "Values.$": isolated},
	}}, "$.proof", asl.Payload{"isolated.$": "States.ArrayLength($.NetworkInterfaces[*].NetworkInterfaceId)"})
	return containmentKind{
		kind:    Instance,
		contain: append(contain, either("IsInstanceInGroup", asl.Present("$.facts.group[0]"), detach.Name, isolate.Name), detach, isolate),
		verify: append(chain("IsInstanceIsolated", verify, asl.Pass{
			Name: "CountInterfaces", Parameters: asl.Payload{"all.$": "States.ArrayLength($.facts.interfaces)"}, ResultPath: "$.expected",
		}), either("IsInstanceIsolated", asl.Is("$.proof.isolated", "NumericEqualsPath", "$.expected.all"), verified, notContained)),
	}
}

// task takes the task from the load balancer and stops it; the service starts
// another from the same image, which eradication replaces.
func (m *machine) task() containmentKind {
	describe := asl.Payload{"Cluster": m.args.ClusterName, "Tasks.$": "States.Array($.target.id)"}
	const attached = "$.Tasks[*].Attachments[*].Details"
	contain := chain(blockAddress,
		m.read("TaskFacts", "ecs:describeTasks", describe, "$.facts", asl.Payload{
			"addresses.$": attached + "[?(@.Name=='privateIPv4Address')].Value", "task.$": "$.Tasks[0]",
		}),
		m.call("TagTask", "ecs:tagResource", asl.Payload{
			"ResourceArn.$": "$.target.id", "Tags": []any{asl.Payload{"Key": "ir:incident", "Value.$": "$.incident.id"}},
		}),
		m.call("DeregisterTask", "elasticloadbalancingv2:deregisterTargets", asl.Payload{
			"TargetGroupArn.$": "$.targets.read.targetGroupArn", "Targets": []any{asl.Payload{"Id.$": "$.facts.addresses[0]"}},
		}),
		m.call("StopTask", "ecs:stopTask", asl.Payload{
			"Cluster": m.args.ClusterName, "Task.$": "$.target.id", "Reason.$": "States.Format('Contained: incident {}', $.incident.id)",
		}),
	)
	verify := chain("IsTaskStopped", m.read("VerifyTask", "ecs:describeTasks", describe, "$.proof", asl.Payload{
		"running.$": "$.Tasks[?(@.DesiredStatus!='STOPPED')].TaskArn",
	}))
	return containmentKind{
		kind: Task, contain: contain,
		verify: append(verify, either("IsTaskStopped", asl.Present("$.proof.running[0]"), notContained, verified)),
	}
}

// function stops new invocations by taking the function's concurrency.
func (m *machine) function() containmentKind {
	name := asl.Payload{"FunctionName.$": "$.target.id"}
	concurrency := func(state, path string) asl.Task {
		return m.read(state, "lambda:getFunctionConcurrency", name, path, asl.Payload{"reserved.$": "$"})
	}
	const reserved = "$.facts.reserved.ReservedConcurrentExecutions"
	return containmentKind{
		kind: Function,
		contain: chain(blockAddress, concurrency("FunctionFacts", "$.facts"),
			m.call("StopFunction", "lambda:putFunctionConcurrency", asl.Payload{"FunctionName.$": "$.target.id", "ReservedConcurrentExecutions": 0})),
		verify: append(chain("IsFunctionStopped", concurrency("VerifyFunction", "$.proof")),
			either("IsFunctionStopped", asl.All(asl.Present("$.proof.reserved.ReservedConcurrentExecutions"),
				asl.Is("$.proof.reserved.ReservedConcurrentExecutions", "NumericEquals", 0)), verified, notContained)),
		restore: append([]asl.State{either("RestoreFunction", asl.Present(reserved), "ReserveFunction", "ReleaseFunction")},
			join(
				chain(restored, m.call("ReserveFunction", "lambda:putFunctionConcurrency", asl.Payload{"FunctionName.$": "$.target.id", "ReservedConcurrentExecutions.$": reserved})),
				chain(restored, m.call("ReleaseFunction", "lambda:deleteFunctionConcurrency", name)),
			)...),
	}
}

// cluster moves the database into the isolation group, then takes a snapshot.
func (m *machine) cluster() containmentKind {
	id := asl.Payload{"DbClusterIdentifier.$": "$.target.id"}
	const groups = "$.DbClusters[0].VpcSecurityGroups[*].VpcSecurityGroupId"
	move := func(name, to string) asl.Task {
		return m.call(name, "rds:modifyDBCluster", asl.Payload{
			"DbClusterIdentifier.$": "$.target.id", "VpcSecurityGroupIds.$": to, "ApplyImmediately": true,
		})
	}
	return containmentKind{
		kind: Cluster,
		contain: chain(blockAddress,
			m.read("ClusterFacts", "rds:describeDBClusters", id, "$.facts", asl.Payload{"groups.$": groups}),
			move("IsolateCluster", isolated),
			m.call("SnapshotCluster", "rds:createDBClusterSnapshot", asl.Payload{
				"DbClusterIdentifier.$": "$.target.id", "DbClusterSnapshotIdentifier.$": "States.Format('{}-incident-{}', $.target.id, States.UUID())",
			})),
		verify: append(chain("IsClusterIsolated",
			m.read("VerifyCluster", "rds:describeDBClusters", id, "$.proof", asl.Payload{"groups.$": groups}),
			asl.Pass{Name: "CompareGroups", ResultPath: "$.proof", Parameters: asl.Payload{
				"count.$":    "States.ArrayLength($.proof.groups)",
				"isolated.$": "States.ArrayContains($.proof.groups, $.targets.read.isolationGroupId)",
			}}),
			either("IsClusterIsolated", asl.All(asl.Is("$.proof.count", "NumericEquals", 1), asl.Is("$.proof.isolated", "BooleanEquals", true)), verified, notContained)),
		restore: chain(restored, move("RestoreCluster", "$.facts.groups")),
	}
}

// bucket closes the bucket for everybody but the response.
func (m *machine) bucket() containmentKind {
	name := asl.Payload{"Bucket.$": "$.target.id"}
	closed := asl.Payload{"BlockPublicAcls": true, "BlockPublicPolicy": true, "IgnorePublicAcls": true, "RestrictPublicBuckets": true}
	policy := asl.Payload{
		"Version": "2012-10-17",
		"Statement": []any{asl.Payload{
			"Sid": "IncidentQuarantine", "Effect": "Deny", "Principal": "*", "Action": "s3:*",
			"Resource.$": "States.Array($.target.arn, States.Format('{}/*', $.target.arn))",
			"Condition":  asl.Payload{"ArnNotEquals": asl.Payload{"aws:PrincipalArn": toAny(m.args.quarantineExceptions())}},
		}},
	}
	write := func(state, text string) asl.Task {
		return m.call(state, "s3:putBucketPolicy", asl.Payload{"Bucket.$": "$.target.id", "Policy.$": text})
	}
	return containmentKind{
		kind: Bucket,
		contain: chain(blockAddress,
			m.read("BucketFacts", "s3:getBucketPolicy", name, "$.facts", asl.Payload{"policy.$": "$.Policy"}),
			m.call("BlockPublicAccess", "s3:putPublicAccessBlock", asl.Payload{"Bucket.$": "$.target.id", "PublicAccessBlockConfiguration": closed}),
			asl.Pass{Name: "WriteQuarantine", Parameters: policy, ResultPath: "$.quarantine"},
			write("QuarantineBucket", "States.JsonToString($.quarantine)")),
		verify: append(chain("IsBucketClosed",
			m.read("VerifyBucket", "s3:getBucketPolicy", name, "$.proof", asl.Payload{"policy.$": "$.Policy"})),
			either("IsBucketClosed", asl.Is("$.proof.policy", "StringMatches", "*IncidentQuarantine*"), verified, notContained)),
		restore: chain(restored, write("RestoreBucket", "$.facts.policy")),
	}
}
