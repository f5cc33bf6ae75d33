package monitoring

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/guide"
	"redoubt/infra/identity"
)

// alarmGuides are the bullets that alarms answer.
func alarmGuides(t *testing.T) []guide.ID {
	t.Helper()
	filters, err := metricFilters()
	require.NoError(t, err)
	var out []guide.ID
	for _, m := range filters {
		if m.Guide != "" && m.Threshold > 0 {
			out = append(out, m.Guide)
		}
	}
	for _, a := range workloadAlarms {
		if a.serves != "" {
			out = append(out, a.serves)
		}
	}
	return out
}

var queryID = regexp.MustCompile(`^[a-z][a-zA-Z0-9_]*$`)

// What PutMetricAlarm would refuse, or what would never go off.
func TestAlarmsAreWellFormed(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, a := range append(slices.Clone(workloadAlarms), (&Alerts{RuleNames: []string{"a", "b"}}).deliveryAlarms("redoubt-dev")...) {
		t.Run(a.name, func(t *testing.T) {
			require.False(t, seen[a.name], "twice")
			seen[a.name] = true
			require.Contains(t, Levels, a.level)
			require.NotEmpty(t, a.about)
			require.LessOrEqual(t, len(a.about), 1024)
			require.Contains(t, []int{60, 300, 86400}, a.period)
			require.LessOrEqual(t, a.period*max(a.periods, 1), 86400, "an alarm looks back a day at most")
			require.LessOrEqual(t, a.breaches, max(a.periods, 1))
			require.True(t, a.threshold > 0 || a.band > 0, "an alarm without a threshold")
			require.Equal(t, a.expression == "", a.metric.name != "", "either a metric or an expression")
			require.LessOrEqual(t, len(a.parts), alarmMetrics)
			for id := range a.parts {
				require.Regexp(t, queryID, id)
				require.Contains(t, a.expression, id)
			}
			if a.serves != "" {
				_, ok := guide.Lookup(a.serves)
				require.True(t, ok, string(a.serves))
			}
		})
	}
}

func TestMetricFiltersAreWellFormed(t *testing.T) {
	t.Parallel()
	filters, err := metricFilters()
	require.NoError(t, err)
	names, metricNames, controls := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, m := range filters {
		require.False(t, names[m.Name] || metricNames[m.Metric], m.Name)
		names[m.Name], metricNames[m.Metric], controls[m.Control] = true, true, true
		require.LessOrEqual(t, len(m.Pattern), 1024, "PutMetricFilter takes 1024 characters: %s", m.Name)
		require.Contains(t, logSources, m.Group, m.Name)
		require.Equal(t, m.Threshold > 0, m.Level != "", m.Name)
		require.Equal(t, strings.Count(m.Pattern, "("), strings.Count(m.Pattern, ")"), m.Name)
		if m.Group == FlowLog {
			// Our flow logs have more fields than version 2's.
			require.True(t, strings.HasPrefix(m.Pattern, "[") && strings.HasSuffix(m.Pattern, ", ...]"), m.Name)
			continue
		}
		require.True(t, strings.HasPrefix(m.Pattern, "{") && strings.HasSuffix(m.Pattern, "}"), m.Name)
	}
	for n := 1; n <= 14; n++ {
		require.True(t, controls["CloudWatch."+strconv.Itoa(n)], "CloudWatch.%d", n)
	}
}

// Security Hub compares the patterns with CIS's, letter by letter. These three
// are the ones that people most often improve, and fail with.
func TestCISPatternsAreVerbatim(t *testing.T) {
	t.Parallel()
	filters, err := metricFilters()
	require.NoError(t, err)
	got := map[string]string{}
	for _, m := range filters {
		got[m.Control] = m.Pattern
	}
	for control, want := range map[string]string{
		"CloudWatch.1": `{$.userIdentity.type="Root" && $.userIdentity.invokedBy NOT EXISTS && $.eventType !="AwsServiceEvent"}`,
		"CloudWatch.2": `{($.errorCode="*UnauthorizedOperation") || ($.errorCode="AccessDenied*")}`,
		"CloudWatch.3": `{ ($.eventName = "ConsoleLogin") && ($.additionalEventData.MFAUsed != "Yes") && ($.userIdentity.type = "IAMUser") && ($.responseElements.ConsoleLogin = "Success") }`,
		"CloudWatch.6": `{($.eventName=ConsoleLogin) && ($.errorMessage="Failed authentication")}`,
		"CloudWatch.7": `{($.eventSource=kms.amazonaws.com) && (($.eventName=DisableKey) || ($.eventName=ScheduleKeyDeletion))}`,
	} {
		require.Equal(t, want, got[control], control)
	}
}

func TestSubjectsOfAnAlarm(t *testing.T) {
	t.Parallel()
	var all []string
	for _, a := range workloadAlarms {
		all = append(all, a.subjects()...)
	}
	slices.Sort(all)
	known := Workload{Replication: &Replication{}}.subjects(identity.Scope{})
	known["function"], known["natGateway"] = nil, nil
	require.Equal(t, slices.Sorted(maps.Keys(known)), slices.Compact(all), "each subject is used, each placeholder is known")
}

// Alarms and graphs on our own metrics name ones that a filter makes.
func TestOwnMetricsAreCounted(t *testing.T) {
	t.Parallel()
	filters, err := metricFilters()
	require.NoError(t, err)
	counted := map[string]bool{}
	for _, m := range filters {
		counted[m.Metric] = true
	}
	var used []series
	for _, a := range workloadAlarms {
		used = append(used, a.metric)
	}
	for _, g := range graphs {
		used = append(used, g.lines...)
	}
	own := 0
	for _, s := range used {
		if s.namespace == metrics {
			own++
			require.True(t, counted[s.name], "no filter makes %s", s.name)
		}
	}
	require.Positive(t, own)
}

// The longest prefix still leaves names that AWS takes.
func TestNamesFitTheLongestPrefix(t *testing.T) {
	t.Parallel()
	longest := strings.Repeat("p", 26)
	require.Regexp(t, prefixForm, longest)
	rules, err := alertRules()
	require.NoError(t, err)
	for _, r := range rules {
		require.LessOrEqual(t, len(ruleName(longest, r.Name)), 64, "EventBridge takes 64 characters")
		_, known := shapes[r.Shape]
		require.True(t, known, r.Name)
	}
	require.LessOrEqual(t, len(longest+"-ap-northeast-1-forwarding-dead-letters"), 80, "SQS takes 80 characters")
	for _, c := range configRules {
		require.LessOrEqual(t, len(longest+"-"+c.name()), 128, "AWS Config takes 128 characters")
	}
}
