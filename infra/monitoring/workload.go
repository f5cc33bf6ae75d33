package monitoring

import (
	"maps"
	"slices"
	"strconv"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/infra/identity"
)

// Workload is what a stack has that can be watched, by the names that its
// metrics have. What is nil is not there.
type Workload struct {
	// LoadBalancer and TargetGroup are the suffixes of their ARNs, "app/…" and
	// "targetgroup/…", as the metrics have them.
	LoadBalancer, TargetGroup pulumi.StringInput
	// WebACLMetric is the name of the web ACL's own metric.
	WebACLMetric pulumi.StringInput
	// Database is a cluster's identifier, Search a domain's name.
	Database, Search pulumi.StringInput
	// Cluster and Service are an ECS service's.
	Cluster, Service pulumi.StringInput
	// API and APIStage are the names of a REST API and its stage.
	API, APIStage pulumi.StringInput
	// Functions and NATGateways are watched each, by a name for the alarm.
	Functions, NATGateways map[string]pulumi.StringInput
	// Replication is the bucket that is copied, and Copies are others that are,
	// watched each, by a name for the alarm.
	Replication *Replication
	Copies      map[string]Replication
	// Protected is the ARN of what Shield Advanced protects.
	Protected pulumi.StringInput
}

// Replication is a replication rule with metrics.
type Replication struct{ SourceBucket, DestinationBucket, RuleID pulumi.StringInput }

func (w Workload) check(f *findings) {
	f.refuse(w.TargetGroup != nil && w.LoadBalancer == nil, "workload.loadBalancer", "missing with a target group, whose metrics name both", "pass the load balancer's ARN suffix")
	f.refuse((w.Cluster == nil) != (w.Service == nil), "workload.cluster, workload.service", "one without the other", "pass both names")
	f.refuse((w.API == nil) != (w.APIStage == nil), "workload.api, workload.apiStage", "one without the other", "pass both names")
	if r := w.Replication; r != nil {
		r.check(f, "workload.replication")
	}
	for _, key := range slices.Sorted(maps.Keys(w.Copies)) {
		w.Copies[key].check(f, "workload.copies["+strconv.Quote(key)+"]")
	}
}

func (r Replication) check(f *findings, field string) {
	f.refuse(r.SourceBucket == nil || r.DestinationBucket == nil || r.RuleID == nil, field, "a metric without all of its names", "pass source, destination and rule")
}

// name puts the rule's names among the subjects.
func (r Replication) name(all subjects) {
	all["source"], all["copy"], all["copyRule"] = r.SourceBucket, r.DestinationBucket, r.RuleID
}

// subject is what one alarm is made for; key tells several of a kind apart.
type subject struct {
	key   string
	names subjects
}

// each returns what the alarm is made for: nothing where the stack has no such
// thing, several for functions, NAT gateways and copies.
func (w Workload) each(a alarm, scope identity.Scope) []subject {
	all := w.subjects(scope)
	out := []subject{{names: all}}
	needed := a.subjects()
	for placeholder, many := range map[string]map[string]pulumi.StringInput{"function": w.Functions, "natGateway": w.NATGateways} {
		if !slices.Contains(needed, placeholder) {
			continue
		}
		out = nil
		for _, key := range slices.Sorted(maps.Keys(many)) {
			names := maps.Clone(all)
			names[placeholder] = many[key]
			out = append(out, subject{key: key, names: names})
		}
	}
	if slices.Contains(needed, "source") {
		for _, key := range slices.Sorted(maps.Keys(w.Copies)) {
			names := maps.Clone(all)
			w.Copies[key].name(names)
			out = append(out, subject{key: key, names: names})
		}
	}
	return slices.DeleteFunc(out, func(s subject) bool {
		return slices.ContainsFunc(needed, func(placeholder string) bool { return s.names[placeholder] == nil })
	})
}

// subjects are the names for the braces; nil for what the stack has not.
func (w Workload) subjects(scope identity.Scope) subjects {
	all := subjects{
		"account": pulumi.String(scope.AccountID), "region": pulumi.String(scope.Region),
		"loadBalancer": w.LoadBalancer, "targetGroup": w.TargetGroup, "webACL": w.WebACLMetric,
		"database": w.Database, "search": w.Search, "cluster": w.Cluster, "service": w.Service,
		"api": w.API, "apiStage": w.APIStage, "protected": w.Protected,
	}
	if r := w.Replication; r != nil {
		r.name(all)
	}
	return all
}
