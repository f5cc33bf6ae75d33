package rules

import (
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"redoubt/guide"
	"redoubt/policy/rule"
)

// ecsService holds the rules about clusters and the services in them.
var ecsService = []rule.Rule{
	{
		Name:     "ecs-container-insights",
		Summary:  "A cluster measures its tasks with Container Insights.",
		Guide:    []guide.ID{guide.OperationsMetricsErrorRates, guide.OperationsMetricsRequestLatency},
		Severity: rule.Low, Level: rule.Advisory,
		Controls:  mapped(fsbp("ECS.12"), nist("SI-4")),
		Types:     []string{"ecs/cluster"},
		Check:     measured,
		Fix:       `ecs.ClusterSettingArgs{Name: pulumi.String("containerInsights"), Value: pulumi.String("enhanced")}`,
		URL:       "https://docs.aws.amazon.com/securityhub/latest/userguide/ecs-controls.html#ecs-12",
		Remediate: measure,
	},
	{
		Name:     "ecs-fargate-latest-platform",
		Summary:  "A Fargate service runs on the newest platform, which AWS patches.",
		Guide:    []guide.ID{guide.ResponseEradicationApplyPatches},
		Severity: rule.Low, Level: rule.Advisory,
		Controls: mapped(fsbp("ECS.10"), nist("SI-2"), pci("6.3.3")),
		Types:    []string{"ecs/service"},
		Params: []rule.Param{{
			// 1.4.0 is the newest for Linux, 1.0.0 the only one for Windows.
			Name: "versions", Kind: rule.Strings, Default: []string{"LATEST", "1.4.0", "1.0.0"},
			Description: "The platform versions that pass; a service without one has LATEST.",
		}},
		Check: func(r *rule.Resource, p rule.Params) rule.Verdict {
			launch, _ := r.Get("launchType").Str()
			version := r.Get("platformVersion")
			switch {
			case launch != "FARGATE" && version.Empty():
				return rule.Skip()
			case version.Empty():
				return rule.Pass()
			default:
				return oneOf(version, p.Strs("versions"), "an old platform gets no patches")
			}
		},
		Fix:       `ecs.ServiceArgs{PlatformVersion: pulumi.String("LATEST")}`,
		URL:       "https://docs.aws.amazon.com/securityhub/latest/userguide/ecs-controls.html#ecs-10",
		Remediate: rule.SetTo("platformVersion", "LATEST"),
	},
	{
		Name:     "ecs-exec-logged-and-encrypted",
		Summary:  "Shell sessions in containers are recorded, and encrypted with a key of our own.",
		Guide:    []guide.ID{guide.OperationsLogsAuditLogs},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls:   mapped(nist("AU-12", "AC-17")),
		Types:      []string{"ecs/cluster"},
		CheckStack: sessionsRecorded,
		Fix: `ecs.ClusterConfigurationExecuteCommandConfigurationArgs{KmsKeyId: key.Arn, Logging: pulumi.String("OVERRIDE"), ` +
			`LogConfiguration: &ecs.ClusterConfigurationExecuteCommandConfigurationLogConfigurationArgs{CloudWatchLogGroupName: group.Name, ` +
			`CloudWatchEncryptionEnabled: pulumi.Bool(true)}}`,
		URL: "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-exec.html",
	},
	{
		Name:     "ecs-service-attached-to-alb",
		Summary:  "The target group of a service gets its requests from a listener.",
		Guide:    []guide.ID{guide.DiagramALBECS},
		Severity: rule.Low, Level: rule.Advisory,
		Controls:   mapped(nist("SC-7")),
		Types:      []string{"ecs/service"},
		CheckStack: attachedToListener,
		Fix:        `lb.ListenerDefaultActionArgs{Type: pulumi.String("forward"), TargetGroupArn: group.Arn} in lb.ListenerArgs`,
		URL:        "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-load-balancing.html",
	},
}

const insights = "containerInsights"

func isInsights(v rule.Value) bool { s, _ := v.Get("name").Str(); return s == insights }

func measured(r *rule.Resource, _ rule.Params) rule.Verdict {
	for _, v := range r.Get("settings").Items() {
		switch {
		case v.Get("name").Unknown():
			return rule.Unsure("settings is unknown")
		case isInsights(v):
			return oneOf(v.Get("value"), []string{"enabled", "enhanced"}, "nobody sees how the tasks do")
		}
	}
	return rule.Fail("settings has no %s: the account's default decides, which is off unless somebody changed it", insights)
}

func measure(r *rule.Resource, p rule.Params) (resource.PropertyMap, bool) {
	if r.Get("settings").Empty() {
		return rule.SetTo("settings", []any{map[string]any{"name": insights, "value": "enabled"}})(r, p)
	}
	return rule.SetInList("settings", "value", "enabled", isInsights)(r, p)
}

func sessionsRecorded(s *rule.Stack, cluster *rule.Resource, _ rule.Params) rule.Verdict {
	exec := cluster.Get("configuration.executeCommandConfiguration")
	switch {
	case exec.Unknown():
		return rule.Unsure("%s is unknown", exec.Path())
	case exec.Absent():
		return noSessions(s, cluster)
	}
	out := exec.Get("kmsKeyId").Set("the sessions are not encrypted with a key of ours")
	logging := exec.Get("logging")
	switch mode, _ := logging.Str(); {
	case logging.Unknown():
		out = rule.All(out, rule.Unsure("%s is unknown", logging.Path()))
	case mode == "NONE":
		out = rule.All(out, rule.Fail("%s is %s: what people do in containers leaves no record", logging.Path(), logging.Show()))
	case mode == "OVERRIDE":
		out = rule.All(out, sessionLog(exec.Get("logConfiguration")))
	}
	return out
}

// noSessions is the verdict of a cluster that says nothing about sessions: it
// matters where a service allows them.
func noSessions(s *rule.Stack, cluster *rule.Resource) rule.Verdict {
	out := rule.Skip()
	for _, service := range s.Pointing(cluster, "cluster", "ecs/service") {
		allowed := service.Get("enableExecuteCommand")
		switch b, _ := allowed.Bool(); {
		case b:
			out = rule.All(out, rule.Fail(
				"%s allows sessions, and configuration.executeCommandConfiguration does not say how they are recorded and encrypted", service.Label()))
		case allowed.Unknown():
			out = rule.All(out, rule.Unsure("whether %s allows sessions is unknown", service.Label()))
		}
	}
	return out
}

func sessionLog(log rule.Value) rule.Verdict {
	group, bucket := log.Get("cloudWatchLogGroupName"), log.Get("s3BucketName")
	switch {
	case log.Unknown():
		return rule.Unsure("%s is unknown", log.Path())
	case group.Empty() && bucket.Empty():
		return rule.Fail("%s names neither a log group nor a bucket", log.Path())
	}
	out := rule.Pass()
	if !group.Empty() {
		out = rule.All(out, log.Get("cloudWatchEncryptionEnabled").True("the record is not encrypted"))
	}
	if !bucket.Empty() {
		out = rule.All(out, log.Get("s3BucketEncryptionEnabled").True("the record is not encrypted"))
	}
	return out
}

func attachedToListener(s *rule.Stack, service *rule.Resource, _ rule.Params) rule.Verdict {
	out := rule.Skip()
	for _, v := range service.Each("loadBalancers.elbName") {
		if v.Unknown() {
			out = rule.All(out, rule.Unsure("%s is unknown", v.Path()))
			continue
		}
		out = rule.All(out, rule.Fail("%s is set: no web ACL can stand before a Classic Load Balancer", v.Path()))
	}
	groups := s.Refs(service, "loadBalancers.targetGroupArn", "lb/targetGroup")
	for _, group := range groups.Targets {
		out = rule.All(out, listenedTo(s, group))
	}
	if !groups.Complete() {
		out = rule.All(out, rule.Unsure("loadBalancers names a target group that is not in this stack"))
	}
	return out
}

// forwards are the places where a load balancer says which target group gets a
// request.
var forwards = []struct{ typ, property string }{
	{"lb/listener", "defaultActions.targetGroupArn"},
	{"lb/listener", "defaultActions.forward.targetGroups.arn"},
	{"lb/listenerRule", "actions.targetGroupArn"},
	{"lb/listenerRule", "actions.forward.targetGroups.arn"},
}

func listenedTo(s *rule.Stack, group *rule.Resource) rule.Verdict {
	loose := false
	for _, f := range forwards {
		if len(s.Pointing(group, f.property, f.typ)) > 0 {
			return rule.Pass()
		}
		loose = loose || s.Loose(f.property, f.typ, group.Type)
	}
	if loose {
		return rule.Unsure("a listener forwards to an unknown target group")
	}
	return rule.Fail("no listener forwards to %s", group.Label())
}
