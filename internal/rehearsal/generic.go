package rehearsal

import (
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// genericID is the id template of a type without one: its name, as most AWS
// services use, else something made up.
func (c *call) genericID() string {
	if n, ok := autonameOf(c.kind.token); ok && has(c.in, n.property) {
		return "{" + n.property + "}"
	}
	return "{hex17}"
}

// genericARN is the ARN template of a type without one.
func (c *call) genericARN() string {
	service, name := splitToken(c.kind.token)
	region := "{region}"
	if c.kind.global {
		region = ""
	}
	last := "{id}"
	if n, ok := autonameOf(c.kind.token); ok && has(c.in, n.property) {
		last = "{" + n.property + "}"
	}
	return "arn:{partition}:" + service + ":" + region + ":{account}:" + strings.ToLower(name) + "/" + last
}

// genericOutputs say what an output that no table knows is, by the end of its
// name; the first that fits counts.
var genericOutputs = []struct{ suffix, template string }{
	{"arn", "{arn}"},
	{"ownerId", "{account}"},
	{"accountId", "{account}"},
	{"registryId", "{account}"},
	{"region", "{region}"},
	{"partition", "{partition}"},
	{"status", "ACTIVE"},
	{"state", "ACTIVE"},
	{"versionId", "{alnum32:version}"},
	{"hostedZoneId", "Z{upper13:zone}"},
	{"zoneId", "Z{upper13:zone}"},
}

// genericSuffixes apply to camel-case endings of longer names.
var genericSuffixes = []struct{ suffix, template string }{
	{"Id", "{hex17:%s}"},
	{"Arn", "{arn}/%s"},
	{"Date", "2026-01-01T00:00:00Z"},
	{"Time", "2026-01-01T00:00:00Z"},
	{"At", "2026-01-01T00:00:00Z"},
	{"Timestamp", "2026-01-01T00:00:00Z"},
	{"Endpoint", "{id}.{region}.{dns}"},
	{"Url", "https://{id}.{region}.{dns}"},
	{"DomainName", "{id}.{region}.{dns}"},
	{"Fingerprint", "{hex40:%s}"},
	{"Etag", "{hex32:%s}"},
	{"Version", "1"},
}

// generic fills in an output that nothing else gave, with the zero value of its
// type if its name says nothing.
func (c *call) generic(name string, p property) {
	key := resource.PropertyKey(name)
	if v, set := c.out[key]; set && !plain(v).IsNull() {
		return
	}
	switch p.kind {
	case 'S':
		c.out[key] = resource.NewProperty(c.genericText(name))
	case 'B':
		c.out[key] = resource.NewProperty(false)
	case 'N':
		c.out[key] = resource.NewProperty(0.0)
	case 'L':
		c.out[key] = resource.NewProperty([]resource.PropertyValue{})
	case 'M':
		c.out[key] = resource.NewProperty(resource.PropertyMap{})
	}
}

func (c *call) genericText(name string) string {
	// What refers to something else stays empty unless it is given: a made-up
	// reference would name nothing.
	if slices.ContainsFunc(c.kind.refs, func(r ref) bool { return strings.TrimSuffix(r.path, "[*]") == name }) {
		return ""
	}
	template := ""
	for _, g := range genericOutputs {
		if g.suffix == name {
			template = g.template
		}
	}
	for _, g := range genericSuffixes {
		if template == "" && (strings.HasSuffix(name, g.suffix) || strings.EqualFold(name, g.suffix)) {
			template = strings.ReplaceAll(g.template, "%s", name)
		}
	}
	s, ok := c.expand(template)
	if !ok {
		return ""
	}
	return s
}
