package rules

import (
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"redoubt/guide"
	"redoubt/policy/rule"
)

// ecsTask holds the rules about what a task shares with its machine, with other
// tasks and with ECS itself.
var ecsTask = []rule.Rule{
	{
		Name:     "ecs-awsvpc-no-host-network",
		Summary:  "A task has a network interface, and so security groups, of its own.",
		Guide:    []guide.ID{guide.ArchitectureSecurityGroupsECS},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls: mapped(fsbp("ECS.1"), nist("AC-3", "CM-5"), pci("7.2.1", "7.2.2", "7.2.3")),
		Types:    []string{"ecs/taskDefinition"},
		Check:    ownNetwork,
		Fix:      `ecs.TaskDefinitionArgs{NetworkMode: pulumi.String("awsvpc")}`,
		URL:      "https://docs.aws.amazon.com/securityhub/latest/userguide/ecs-controls.html#ecs-1",
	},
	{
		Name:     "ecs-no-host-pid-ipc",
		Summary:  "A task sees neither the processes nor the shared memory of its machine.",
		Guide:    []guide.ID{guide.PracticesIAMLeastPrivilege},
		Severity: rule.High, Level: rule.Mandatory,
		Controls: mapped(fsbp("ECS.3"), nist("AC-6"), pci("1.4.5")),
		Types:    []string{"ecs/taskDefinition"},
		Check: func(r *rule.Resource, _ rule.Params) rule.Verdict {
			out := rule.Pass()
			for _, key := range hostNamespaces {
				switch v := r.Get(key); {
				case v.Unknown():
					out = rule.All(out, rule.Unsure("%s is unknown", key))
				case isHost(v):
					out = rule.All(out, rule.Fail("%s is %s: the containers reach into what else runs on the machine", key, v.Show()))
				}
			}
			return out
		},
		Fix:       `ecs.TaskDefinitionArgs without PidMode and IpcMode, or with "task"`,
		URL:       "https://docs.aws.amazon.com/securityhub/latest/userguide/ecs-controls.html#ecs-3",
		Remediate: withoutHostNamespaces,
	},
	{
		Name:     "ecs-container-logging",
		Summary:  "A container sends its log away from the machine that it runs on.",
		Guide:    []guide.ID{guide.OperationsLogsApplicationLogs},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls: mapped(fsbp("ECS.9"), nist("AU-12"), pci("5.3.4", "10.2.1", "10.2.1.1")),
		Types:    []string{"ecs/taskDefinition"},
		Check: eachContainer(func(c container) rule.Verdict {
			switch driver := c.LogConfiguration.LogDriver; {
			case driver == "":
				return rule.Fail("%s has no logConfiguration: what it prints is lost", c.label)
			case slices.Contains(localDrivers, driver):
				return rule.Fail("%s logs to a file of the machine, and ends with it", c.label)
			default:
				return rule.Pass()
			}
		}),
		Fix: `"logConfiguration": {"logDriver": "awslogs", "options": {…}} in ecs.TaskDefinitionArgs.ContainerDefinitions`,
		URL: "https://docs.aws.amazon.com/securityhub/latest/userguide/ecs-controls.html#ecs-9",
	},
	{
		Name:     "ecs-task-and-execution-roles-differ",
		Summary:  "The application does not have the role with which ECS starts it.",
		Guide:    []guide.ID{guide.PracticesIAMLeastPrivilege},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls:   mapped(nist("AC-6")),
		Types:      []string{"ecs/taskDefinition"},
		CheckStack: rolesDiffer,
		Fix:        `ecs.TaskDefinitionArgs{TaskRoleArn: task.Arn, ExecutionRoleArn: execution.Arn}`,
		URL:        "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html",
	},
	{
		Name:     "ecs-efs-transit-encryption",
		Summary:  "A task speaks TLS with its EFS file systems.",
		Guide:    []guide.ID{guide.OverviewDataTLS},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls: mapped(nist("SC-8")),
		Types:    []string{"ecs/taskDefinition"},
		Check: func(r *rule.Resource, _ rule.Params) rule.Verdict {
			out := rule.Skip()
			for _, v := range r.Each("volumes.efsVolumeConfiguration") {
				out = rule.All(out, oneOf(v.Get("transitEncryption"), []string{"ENABLED"}, "the files cross the network in the clear"))
			}
			return out
		},
		Fix: `ecs.TaskDefinitionVolumeEfsVolumeConfigurationArgs{TransitEncryption: pulumi.String("ENABLED")}`,
		URL: "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/efs-volumes.html",
		Remediate: rule.SetInList("volumes", "efsVolumeConfiguration.transitEncryption", "ENABLED", func(v rule.Value) bool {
			return v.Get("efsVolumeConfiguration").Present()
		}),
	},
}

// localDrivers keep a container's log on its machine.
var localDrivers = []string{"json-file", "journald", "local", "none"}

// hostNamespaces are the properties that share a namespace of the machine's kernel.
var hostNamespaces = []string{"pidMode", "ipcMode"}

func isHost(v rule.Value) bool { s, _ := v.Str(); return s == "host" }

// withoutHostNamespaces leaves each container its own namespace, which is what
// ECS does where nothing is said.
func withoutHostNamespaces(r *rule.Resource, _ rule.Params) (resource.PropertyMap, bool) {
	out := r.Inputs.Copy()
	for _, key := range hostNamespaces {
		if isHost(r.Get(key)) {
			delete(out, resource.PropertyKey(key))
		}
	}
	return out, true
}

func ownNetwork(r *rule.Resource, _ rule.Params) rule.Verdict {
	mode := r.Get("networkMode")
	switch s, _ := mode.Str(); {
	case mode.Unknown():
		return rule.Unsure("networkMode is unknown")
	case s == "awsvpc" || s == "none":
		return rule.Pass()
	case s == "host":
		return rule.Fail("networkMode is %s: the containers share the network of the machine, its local services too", mode.Show())
	}
	for _, v := range r.Get("requiresCompatibilities").Items() {
		switch s, _ := v.Str(); {
		case v.Unknown():
			return rule.Unsure("requiresCompatibilities is unknown")
		case s == "EXTERNAL":
			return rule.Skip() // machines outside AWS have no VPC
		}
	}
	return rule.Fail("networkMode is %s: the tasks have no security group of their own", mode.Show())
}

func rolesDiffer(s *rule.Stack, r *rule.Resource, _ rule.Params) rule.Verdict {
	task, execution := s.Refs(r, "taskRoleArn", "iam/role"), s.Refs(r, "executionRoleArn", "iam/role")
	if task.Empty() || execution.Empty() {
		return rule.Skip()
	}
	const what = "what starts the containers, reads their secrets and writes their logs is in the application's hands"
	for _, role := range task.Targets {
		if execution.Has(role) {
			return rule.Fail("taskRoleArn and executionRoleArn are both %s: %s", role.Label(), what)
		}
	}
	a, b := roleName(task), roleName(execution)
	switch {
	case task.Complete() && execution.Complete(), a != "" && b != "" && a != b:
		return rule.Pass()
	case len(task.Targets) == 0 && len(execution.Targets) == 0 && a != "" && a == b:
		return rule.Fail("taskRoleArn and executionRoleArn are the same role: %s", what)
	default:
		return rule.Unsure("taskRoleArn or executionRoleArn is not in this stack")
	}
}

// roleName is the name of the one role that is referred to, where it is known.
func roleName(refs rule.Refs) string {
	switch {
	case refs.Unknown || len(refs.Targets)+len(refs.External) != 1:
		return ""
	case len(refs.Targets) == 1:
		name, _ := refs.Targets[0].Get("name").Str()
		return name
	default:
		arn, _ := refs.External[0].Str()
		return arn[strings.LastIndex(arn, "/")+1:]
	}
}
