package server

import (
	"bytes"
	"log/slog"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"redoubt/automation/provision"
)

func TestIntakeStopsBelowTheLowWaterMark(t *testing.T) {
	t.Parallel()
	var text bytes.Buffer
	config := Defaults()
	config.Data = t.TempDir()
	d := newDisk(config, slog.New(slog.NewTextHandler(&text, nil)))
	registry := prometheus.NewRegistry()
	d.watch(registry)
	stopped := func(want float64) {
		t.Helper()
		families, err := registry.Gather()
		require.NoError(t, err)
		got := map[string]float64{}
		for _, f := range families {
			got[f.GetName()] = f.GetMetric()[0].GetGauge().GetValue()
		}
		require.Equal(t, want, got["redoubt_intake_stopped"])
		require.Positive(t, got["redoubt_disk_free_bytes"])
	}
	require.Positive(t, d.free())
	d.least = 1
	require.NoError(t, d.check())
	stopped(0)
	require.Empty(t, text.String())

	d.least = math.MaxInt64
	for range 3 {
		err := d.check()
		require.Equal(t, provision.CodeUnavailable, provision.CodeOf(err))
		require.ErrorContains(t, err, "limits.diskFree")
	}
	stopped(1)
	require.Equal(t, 1, strings.Count(text.String(), "a disk is nearly full"), "the log is told once")
	d.least = 1
	require.NoError(t, d.check())
	require.Contains(t, text.String(), "there is room again")

	d.least = 0
	require.NoError(t, d.check(), "no bound")
	d.folders, d.least = []string{filepath.Join(config.Data, "missing")}, 1
	require.NoError(t, d.check(), "a disk that does not say is not full")
}
