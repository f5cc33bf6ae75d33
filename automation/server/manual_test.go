package server

import (
	"log/slog"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"redoubt/automation/sql"
)

// The manual has each metric with its labels, and none that there is not.
func TestMetricsAreThoseOfTheManual(t *testing.T) {
	t.Parallel()
	manual, err := os.ReadFile("../../docs/serve.md")
	require.NoError(t, err)
	told := map[string]string{}
	for _, found := range regexp.MustCompile("`(redoubt_[a-z_]+)(?:\\{([a-z,]+)\\})?`").FindAllStringSubmatch(string(manual), -1) {
		told[found[1]] = sorted(found[2])
	}

	store, err := sql.Open(t.Context(), t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	m := newMetrics("1.2.3")
	m.works(4)
	m.watch(store)
	newDisk(Defaults(), slog.New(slog.DiscardHandler)).watch(m.registry)
	descriptions := make(chan *prometheus.Desc)
	go func() {
		defer close(descriptions)
		m.registry.Describe(descriptions)
	}()
	form := regexp.MustCompile(`fqName: "(redoubt_[a-z_]+)".*constLabels: \{(.*?)\}, variableLabels: \{(.*?)\}`)
	given := map[string]string{}
	for d := range descriptions {
		if found := form.FindStringSubmatch(d.String()); found != nil {
			constant := regexp.MustCompile(`="[^"]*"`).ReplaceAllString(found[2], "")
			given[found[1]] = sorted(strings.Trim(constant+","+found[3], ","))
		}
	}
	require.Equal(t, given, told)
}

func sorted(labels string) string {
	list := strings.Split(labels, ",")
	slices.Sort(list)
	return strings.Join(list, ",")
}
