// Package stack puts the layers together in the guide's order. It is the only
// place that knows them all, and the only one that knows the configuration.
package stack

import (
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/guide"
	"redoubt/infra/config"
	"redoubt/infra/data"
	"redoubt/infra/identity"
	"redoubt/infra/monitoring"
	"redoubt/infra/network"
	"redoubt/infra/response"
	"redoubt/infra/workload"
)

// Program returns the Pulumi program of a stack that sets these configuration
// keys ("redoubt:network").
func Program(keys []string) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error { return ProgramOf(ctx, keys)(ctx) }
}

// ProgramOf is the program of a stack whose configuration is in a source: that
// of the stack, or an order that was never written down. Secrets are read there
// too.
func ProgramOf(src config.Source, keys []string) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		c, err := Load(src, keys)
		if err != nil {
			return err
		}
		s, err := deploy(ctx, c, src)
		if err != nil {
			return err
		}
		s.export(ctx)
		return nil
	}
}

// Load reads and validates the configuration; the error lists everything that
// is wrong, the address plan's objections included.
func Load(src config.Source, keys []string) (config.Config, error) {
	c, err := config.Load(src, keys)
	var found config.Findings
	if err != nil && !errors.As(err, &found) {
		return c, err
	}
	if !slices.ContainsFunc(found, about("redoubt:network.cidr", "redoubt:network.availabilityZones", "aws:region")) {
		if _, err := network.NewPlan(c.Network.CIDR, zones(c)); err != nil {
			found = append(found, config.Finding{Field: config.Project + ":network", Reason: err.Error()})
		}
	}
	if len(found) > 0 {
		return c, found
	}
	return c, nil
}

// about tells whether a finding is of one of these fields or below it.
func about(fields ...string) func(config.Finding) bool {
	return func(f config.Finding) bool {
		return slices.ContainsFunc(fields, func(field string) bool { return strings.HasPrefix(f.Field, field) })
	}
}

// zones are the availability zones' names.
func zones(c config.Config) []string {
	names := make([]string, 0, len(c.Network.AvailabilityZones))
	for _, letter := range c.Network.AvailabilityZones {
		names = append(names, c.Region+letter)
	}
	return names
}

// KeysFromEnvironment are the configuration keys that a language host hands to
// a program that it runs.
func KeysFromEnvironment() ([]string, error) {
	text := os.Getenv("PULUMI_CONFIG")
	if text == "" {
		return nil, nil
	}
	var values map[string]string
	if err := json.Unmarshal([]byte(text), &values); err != nil {
		return nil, errors.New("PULUMI_CONFIG is not a JSON object of texts: the Pulumi CLI sets it; run this program with pulumi up")
	}
	keys := make([]string, 0, len(values))
	for k := range values {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys, nil
}

// Components are all components of all layers, and which bullets they serve.
func Components() []guide.Component {
	return slices.Concat(network.Components, data.Components, identity.Components, workload.Components, monitoring.Components, response.Components)
}
