package provision_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/automation/provision"
)

func TestFrozen(t *testing.T) {
	t.Parallel()
	at := func(text string) time.Time {
		when, err := time.Parse("2006-01-02 15:04", text)
		require.NoError(t, err)
		return when
	}
	once := provision.FreezeWindow{Name: "fair", From: at("2026-11-26 00:00"), To: at("2026-11-30 00:00")}
	weekend := provision.FreezeWindow{Name: "weekend", Cron: "0 18 * * 5", Duration: 60 * time.Hour} // from Friday 18:00 to Monday 06:00
	nights := provision.FreezeWindow{Name: "nights", Cron: "0 22 * * *", Duration: 8 * time.Hour}
	overlapping := provision.FreezeWindow{Name: "hours", Cron: "0 8-10 * * *", Duration: 90 * time.Minute}
	always := provision.FreezeWindow{Name: "always", Cron: "0 * * * *", Duration: 2 * time.Hour}
	for name, c := range map[string]struct {
		windows []provision.FreezeWindow
		at      time.Time
		window  string
		until   time.Time
	}{
		"no windows":               {nil, at("2026-11-27 12:00"), "", time.Time{}},
		"before it":                {[]provision.FreezeWindow{once}, at("2026-11-25 23:59"), "", time.Time{}},
		"at its beginning":         {[]provision.FreezeWindow{once}, at("2026-11-26 00:00"), "fair", at("2026-11-30 00:00")},
		"at its end":               {[]provision.FreezeWindow{once}, at("2026-11-30 00:00"), "", time.Time{}},
		"before the weekend":       {[]provision.FreezeWindow{weekend}, at("2026-11-27 17:59"), "", time.Time{}},
		"as the weekend begins":    {[]provision.FreezeWindow{weekend}, at("2026-11-27 18:00"), "weekend", at("2026-11-30 06:00")},
		"on Sunday":                {[]provision.FreezeWindow{weekend}, at("2026-11-29 12:00"), "weekend", at("2026-11-30 06:00")},
		"as the weekend ends":      {[]provision.FreezeWindow{weekend}, at("2026-11-30 06:00"), "", time.Time{}},
		"over midnight":            {[]provision.FreezeWindow{nights}, at("2026-11-28 02:00"), "nights", at("2026-11-28 06:00")},
		"at noon":                  {[]provision.FreezeWindow{nights}, at("2026-11-28 12:00"), "", time.Time{}},
		"windows that go over":     {[]provision.FreezeWindow{overlapping}, at("2026-11-28 08:30"), "hours", at("2026-11-28 11:30")},
		"the one that ends last":   {[]provision.FreezeWindow{nights, weekend}, at("2026-11-28 02:00"), "weekend", at("2026-11-30 06:00")},
		"in another place's time":  {[]provision.FreezeWindow{nights}, at("2026-11-28 02:00").In(time.FixedZone("far", 10*3600)), "nights", at("2026-11-28 06:00")},
		"one that is always open":  {[]provision.FreezeWindow{always}, at("2026-11-28 02:30"), "always", at("2026-12-02 08:00")},
		"a window nobody can read": {[]provision.FreezeWindow{{Name: "x", Cron: "x", Duration: time.Hour}}, at("2026-11-28 02:30"), "", time.Time{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			window, until, frozen := provision.ProjectSettings{FreezeWindows: c.windows}.Frozen(c.at)
			require.Equal(t, c.window != "", frozen)
			require.Equal(t, c.window, window.Name)
			if frozen && name != "one that is always open" {
				require.True(t, c.until.Equal(until), until)
			}
			if frozen {
				require.True(t, until.After(c.at))
			}
		})
	}
}
