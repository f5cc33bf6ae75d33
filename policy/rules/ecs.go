package rules

import (
	"encoding/json"
	"fmt"
	"strings"

	"redoubt/guide"
	"redoubt/policy/rule"
)

// ecs holds the rules about ECS services and their containers.
var ecs = []rule.Rule{
	{
		Name:     "ecs-no-public-ip",
		Summary:  "An ECS service's tasks have no public address.",
		Guide:    []guide.ID{guide.ArchitectureVPCPrivateSubnets},
		Severity: rule.High, Level: rule.Mandatory,
		Controls: mapped(fsbp("ECS.2"), nist("SC-7")),
		Types:    []string{"ecs/service", "ecs/taskSet"},
		Check: func(r *rule.Resource, _ rule.Params) rule.Verdict {
			return r.Get("networkConfiguration.assignPublicIp").False("each task has a public address")
		},
		Fix:       `ecs.ServiceNetworkConfigurationArgs{AssignPublicIp: pulumi.Bool(false)}`,
		URL:       "https://docs.aws.amazon.com/securityhub/latest/userguide/ecs-controls.html#ecs-2",
		Remediate: rule.SetTo("networkConfiguration.assignPublicIp", false),
	},
	{
		Name:     "ecs-no-privileged-containers",
		Summary:  "No container runs with the rights of its host.",
		Guide:    []guide.ID{guide.PracticesIAMLeastPrivilege},
		Severity: rule.High, Level: rule.Mandatory,
		Controls: mapped(fsbp("ECS.4"), nist("AC-6"), pci("7.2.1", "7.2.2", "7.2.3")),
		Types:    []string{"ecs/taskDefinition"},
		Check: eachContainer(func(c container) rule.Verdict {
			if c.Privileged {
				return rule.Fail("%s is privileged: it has the rights of the host", c.label)
			}
			return rule.Pass()
		}),
		Fix: `"privileged": false in ecs.TaskDefinitionArgs.ContainerDefinitions`,
		URL: "https://docs.aws.amazon.com/securityhub/latest/userguide/ecs-controls.html#ecs-4",
	},
	{
		Name:     "ecs-readonly-root-filesystem",
		Summary:  "A container cannot change its own files.",
		Guide:    []guide.ID{guide.PracticesIAMLeastPrivilege},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls: mapped(fsbp("ECS.5"), nist("CM-7"), pci("3.5.1.3", "7.2.1", "7.2.2")),
		Types:    []string{"ecs/taskDefinition"},
		Check: eachContainer(func(c container) rule.Verdict {
			if c.ReadonlyRootFilesystem || c.windows {
				return rule.Pass()
			}
			return rule.Fail("%s has no readonlyRootFilesystem: an intruder can change its programs", c.label)
		}),
		Fix: `"readonlyRootFilesystem": true in ecs.TaskDefinitionArgs.ContainerDefinitions, and a volume for what must be written`,
		URL: "https://docs.aws.amazon.com/securityhub/latest/userguide/ecs-controls.html#ecs-5",
	},
	{
		Name:     "ecs-non-root-user",
		Summary:  "A container names the user that it runs as, and that is not root.",
		Guide:    []guide.ID{guide.PracticesIAMLeastPrivilege},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls: mapped(nist("AC-6")),
		Types:    []string{"ecs/taskDefinition"},
		Check: eachContainer(func(c container) rule.Verdict {
			user, _, _ := strings.Cut(c.User, ":")
			switch {
			case c.windows:
				return rule.Pass()
			case user == "":
				return rule.Fail("%s has no user: the image decides, and most images say root", c.label)
			case user == "root" || strings.Trim(user, "0") == "":
				return rule.Fail("%s runs as root", c.label)
			default:
				return rule.Pass()
			}
		}),
		Fix: `"user": "1000:1000" in ecs.TaskDefinitionArgs.ContainerDefinitions`,
		URL: "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_definition_parameters.html",
	},
}

// container is what the rules read of a container definition.
type container struct {
	Name, User, Image                  string
	Privileged, ReadonlyRootFilesystem bool
	Environment                        []variable
	LogConfiguration                   struct{ LogDriver string }

	label           string
	windows, secret bool
}

// variable is one plain variable of a container's environment.
type variable struct {
	Name string
	// Value is a string for ECS; a definition that says something else is
	// refused there, and not by us.
	Value any
}

// eachContainer makes a check of task definitions from one of containers.
func eachContainer(check func(container) rule.Verdict) func(*rule.Resource, rule.Params) rule.Verdict {
	return func(r *rule.Resource, _ rule.Params) rule.Verdict {
		v := r.Get("containerDefinitions")
		text, known := v.Str()
		if !known {
			return rule.Unsure("containerDefinitions is unknown")
		}
		var list []container
		if err := json.Unmarshal([]byte(text), &list); err != nil {
			return rule.Unreadable("containerDefinitions is not a JSON list of container definitions")
		}
		system := r.Get("runtimePlatform.operatingSystemFamily")
		family, _ := system.Str()
		out := rule.Skip()
		for i, c := range list {
			c.windows = strings.HasPrefix(family, "WINDOWS")
			c.label = fmt.Sprintf("container %q", c.Name)
			if c.secret = v.Secret(); c.secret {
				c.label = fmt.Sprintf("container %d", i+1)
			}
			judged := check(c)
			if c.windows = true; system.Unknown() && check(c).Outcome != judged.Outcome {
				judged = rule.Unsure("%s is unknown", system.Path())
			}
			out = rule.All(out, judged)
		}
		return out
	}
}
