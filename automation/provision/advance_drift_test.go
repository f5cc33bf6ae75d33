package provision

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWhatDriftIgnores(t *testing.T) {
	t.Parallel()
	const urn = "urn:pulumi:prod::shop::aws:s3/bucket:Bucket::data"
	for pattern, want := range map[string]bool{
		"": false, "*": true, urn: true, "urn:*": true, "*::data": true, "*::aws:s3/*": true, "*s3*Bucket*": true, "**": true,
		"*::logs": false, "data": false, "urn:pulumi:prod::shop": false, "*data*data": false, "*:Bucket::*": true, "*x": false, "x*": false,
	} {
		require.Equal(t, want, wild(pattern, urn), pattern)
	}
	d := Drift{Ignore: []string{"*::data"}}
	require.Equal(t, []string{"a", "b"}, d.found([]Change{{URN: "b", Op: "update"}, {URN: urn, Op: "update"}, {URN: "a", Op: "delete"}, {URN: "c", Op: "same"}, {URN: "b", Op: "update"}}))
}

func TestTheStrongestRemediationCounts(t *testing.T) {
	t.Parallel()
	e := Environment{}
	require.Equal(t, RemediateOff, e.remediation())
	e.Schedules = []Schedule{{Kind: ScheduleDrift}, {Kind: ScheduleUp, Remediate: RemediateAuto}, {Kind: ScheduleDrift, Remediate: RemediatePropose}}
	require.Equal(t, RemediatePropose, e.remediation())
	e.Schedules = append(e.Schedules, Schedule{Kind: ScheduleDrift, Remediate: RemediateAuto})
	require.Equal(t, RemediateAuto, e.remediation())
}
