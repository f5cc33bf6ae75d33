package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"redoubt/infra/singleton"
)

var emailShape = regexp.MustCompile(`^[^@\s]+@[^@\s]+\.[^@\s]+$`)

// singletonField is one of them.
type singletonField struct {
	field string
	value func(Config) singleton.Singleton
}

// singletons are the fields that say what becomes of an account's singleton.
var singletons = []singletonField{
	{"audit.trail", func(c Config) singleton.Singleton { return c.Audit.Trail }},
	{"edge.shield.subscription", func(c Config) singleton.Singleton { return c.Edge.Shield.Subscription }},
	{"detection.guardDuty", func(c Config) singleton.Singleton { return c.Detection.GuardDuty }},
	{"detection.securityHub", func(c Config) singleton.Singleton { return c.Detection.SecurityHub }},
	{"detection.config", func(c Config) singleton.Singleton { return c.Detection.Config }},
	{"detection.inspector", func(c Config) singleton.Singleton { return c.Detection.Inspector }},
	{"detection.macie", func(c Config) singleton.Singleton { return c.Detection.Macie }},
	{"costs.monitor", func(c Config) singleton.Singleton { return c.Costs.Monitor }},
}

var levels = []string{"high", "medium", "low"}

func (c Config) validateOperations(fs *Findings) {
	for _, s := range slices.Concat(singletons, peopleSingletons) {
		if err := s.value(c).Validate(); err != nil {
			*fs = append(*fs, Finding{Field: Project + ":" + s.field, Reason: err.Error()})
		}
	}
	if c.Alerting.AccountEvents && !c.Audit.Trail.Used() {
		fs.add("alerting.accountEvents", "without a trail there are no events of calls to alert on", "audit.trail: {mode: adopt} or manage, or accountEvents: false")
	}
	for _, recorded := range []struct {
		field string
		on    bool
	}{
		{"audit.dataEvents", c.Audit.DataEvents},
		{"audit.functions", c.Audit.Functions},
		{"audit.insights", c.Audit.Insights},
		{"audit.dataBuckets", len(c.Audit.DataBuckets) > 0},
	} {
		if recorded.on && !c.Audit.Trail.Managed() {
			fs.add(recorded.field, "the trail is another stack's, or there is none: nothing would be recorded", "leave it to that stack, or audit.trail: {mode: manage}, because a region takes five trails")
		}
	}
	if c.Layer.Workload() && slices.Contains(c.Detection.Features, "RUNTIME_MONITORING") && c.Network.Endpoints != "all" {
		fs.add("detection.features", "RUNTIME_MONITORING without the guardduty-data endpoint makes one outside the stack, and the VPC can no longer be destroyed", "network.endpoints: all, or without RUNTIME_MONITORING")
	}
	c.validateChannels(fs)
}

// validateChannels wants every level heard by somebody, or kept.
func (c Config) validateChannels(fs *Findings) {
	heard := map[string]bool{}
	for i, ch := range c.Alerting.Channels {
		field := fmt.Sprintf("alerting.channels[%d]", i)
		if !emailShape.MatchString(ch.Email) {
			fs.add(field+".email", fmt.Sprintf("%q is not an address", ch.Email), "for example security@example.org")
		}
		if c.Environment == Prod && strings.HasSuffix(ch.Email, "@example.com") {
			fs.add(field+".email", ch.Email+" is the guide's placeholder: nobody would be told", "your security team's address")
		}
		checkLevels(fs, field, ch.Levels, heard)
	}
	if s := c.Alerting.Slack; s != nil {
		checkLevels(fs, "alerting.slack", s.Levels, heard)
	}
	if c.Alerting.ArchiveDays > 0 {
		return
	}
	for _, level := range levels {
		if !heard[level] {
			fs.add("alerting.channels", "nobody hears alerts of level "+level, "a channel for it, or archiveDays")
		}
	}
}

func checkLevels(fs *Findings, field string, given []string, heard map[string]bool) {
	if len(given) == 0 {
		fs.add(field+".levels", "it would hear nothing", "some of "+strings.Join(levels, ", "))
	}
	for _, l := range given {
		if !slices.Contains(levels, l) {
			fs.add(field+".levels", fmt.Sprintf("%q is not a level", l), "one of "+strings.Join(levels, ", "))
		}
		heard[l] = true
	}
}
