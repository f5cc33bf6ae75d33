package config_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/infra/config"
	"redoubt/infra/singleton"
)

func claimed(c config.Config) []string {
	var out []string
	for _, cl := range c.Claims() {
		out = append(out, cl.Field)
	}
	return out
}

func TestClaimsOfTheDefaults(t *testing.T) {
	t.Parallel()
	identity := []string{"identity.accountGuards", "identity.externalAnalyzer", "identity.externalAnalyzerElsewhere"}
	require.Equal(t, slices.Concat([]string{"detection.guardDuty"}, identity, []string{"alerting.accountEvents"}), claimed(config.Defaults(config.Dev)))
	require.Equal(t, slices.Concat([]string{"detection.guardDuty", "detection.securityHub", "detection.config", "detection.inspector"}, identity, []string{"alerting.accountEvents"}),
		claimed(config.Defaults(config.Staging)))
}

// A claim that is made whether or not the thing is would refuse a neighbour for
// nothing.
func TestClaimsAreOfWhatIsMade(t *testing.T) {
	t.Parallel()
	manage := singleton.Singleton{Mode: singleton.Manage}
	rows := map[string]struct {
		change  func(*config.Config)
		field   string
		claimed bool
	}{
		"an API":           {func(c *config.Config) { c.API.Routes = []config.Route{{Method: "GET", Path: "/"}} }, "api.account", true},
		"no API":           {func(*config.Config) {}, "api.account", false},
		"backup":           {func(c *config.Config) { c.Backup = config.Backup{Enabled: true, RegionSettings: manage} }, "backup.regionSettings", true},
		"no backup":        {func(c *config.Config) { c.Backup = config.Backup{RegionSettings: manage} }, "backup.regionSettings", false},
		"a trail":          {func(c *config.Config) { c.Audit.Trail = manage }, "audit.trail", false},
		"root access":      {func(c *config.Config) { c.Identity.Organization = &config.Organization{RootAccess: manage} }, "identity.organization.rootAccess", true},
		"no organization":  {func(*config.Config) {}, "identity.organization.rootAccess", false},
		"subscription":     {func(c *config.Config) { c.Edge.Shield.Subscription = manage }, "edge.shield.subscription", true},
		"response team":    {func(c *config.Config) { c.Edge.Shield = config.Shield{Subscription: manage, ResponseTeamAccess: true} }, "edge.shield.responseTeamAccess", true},
		"adopted":          {func(c *config.Config) { c.Detection.GuardDuty = singleton.Singleton{Mode: singleton.Adopt} }, "detection.guardDuty", false},
		"events elsewhere": {func(c *config.Config) { c.Alerting.AccountEvents = false }, "alerting.accountEvents", false},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := config.Defaults(config.Dev)
			row.change(&c)
			require.Equal(t, row.claimed, slices.Contains(claimed(c), row.field))
		})
	}
}
