package story

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/automation/client"
	"redoubt/automation/provision"
)

// replication is a rule that a bucket of secure-bucket does not follow.
const replication = "s3-cross-region-replication"

// waives has somebody let the rule pass on stacks of a project.
func (o *office) waives(t *testing.T, who string, p client.Project, stack, lifetime string) (client.Waiver, error) {
	t.Helper()
	return o.as(who).CreateWaiver(t.Context(), client.NewWaiver{
		ProjectID: p.ID, Policy: replication, Stack: stack, Resource: "*", Reason: "it is copied elsewhere", Lifetime: lifetime,
	})
}

// What the installation makes mandatory stops an order, until who owns the policy
// waives it, and only as long as that holds.
func TestPolicy(t *testing.T) {
	t.Parallel()
	config := filepath.Join(t.TempDir(), "policy.json")
	require.NoError(t, os.WriteFile(config, []byte(`{"`+replication+`":"mandatory"}`), 0o600))
	o := open(t, "--policy-config", config)
	p := o.project(t, "shop", client.ProjectSettings{})

	logs, brief := o.orders(t, p, "logs", nil), o.orders(t, p, "brief", nil)
	op := o.reaches(t, logs.Operation.ID, provision.PolicyBlocked)
	require.Equal(t, string(provision.CodePolicyBlocked), op.Failure.Code)
	require.Equal(t, int64(1), op.Policy.Mandatory)
	found, err := o.as(rita).GetPolicyResults(t.Context(), op.ID)
	require.NoError(t, err)
	require.NotEmpty(t, found.Packs)
	var finding client.Finding
	for _, f := range found.Findings {
		if f.Level == "mandatory" {
			finding = f
		}
	}
	require.Equal(t, replication, finding.Policy)
	require.Contains(t, finding.URN, "aws:s3/bucketV2:BucketV2")

	for _, who := range []string{rita, anna, omar} {
		_, err = o.waives(t, who, p, "logs", "1h")
		require.Equal(t, string(provision.CodeForbidden), client.CodeOf(err), "%s: %v", who, err)
	}
	waiver, err := o.waives(t, paul, p, "logs", "1h")
	require.NoError(t, err)
	again, err := o.as(rita).RetryOperation(t.Context(), op.ID, client.RetryOperationParams{})
	require.NoError(t, err)
	again = o.reaches(t, again.ID, provision.Succeeded)
	found, err = o.as(rita).GetPolicyResults(t.Context(), again.ID)
	require.NoError(t, err)
	require.Zero(t, again.Policy.Mandatory)
	require.Equal(t, int64(1), again.Policy.Waived)
	require.Equal(t, again.Policy, found.Count)
	passed := slices.IndexFunc(found.Findings, func(f client.Finding) bool { return f.Waiver != "" })
	require.GreaterOrEqual(t, passed, 0, "who looks at the plan sees the waiver: %s", text(found))
	require.Equal(t, replication, found.Findings[passed].Policy)
	require.Equal(t, finding.URN, found.Findings[passed].URN)
	require.Equal(t, waiver.ID, found.Findings[passed].Waiver)
	require.Equal(t, &client.Exemption{Until: waiver.ExpiresAt, Owner: paul, Reason: "it is copied elsewhere"}, found.Findings[passed].Exemption)

	// A name that no finding has is refused where it is given.
	_, err = o.as(paul).CreateWaiver(t.Context(), client.NewWaiver{
		ProjectID: p.ID, Policy: "s3-cross-region-replicaton", Stack: "*", Resource: "*", Reason: "a slip", Lifetime: "1h",
	})
	var problem *client.Problem
	require.ErrorAs(t, err, &problem)
	require.Equal(t, []client.ProblemField{{Pointer: "/policy", Message: `"s3-cross-region-replicaton" is no policy of the policy pack: did you mean ` + replication + "?"}}, problem.Errors)

	// A waiver that has ended, and one that was taken back, let nothing pass.
	short, err := o.waives(t, paul, p, "brief", "1s")
	require.NoError(t, err)
	require.Eventually(t, func() bool { return time.Now().After(short.ExpiresAt.Add(time.Second)) }, patience, often)
	op = o.reaches(t, brief.Operation.ID, provision.PolicyBlocked)
	retried, err := o.as(rita).RetryOperation(t.Context(), op.ID, client.RetryOperationParams{})
	require.NoError(t, err)
	o.reaches(t, retried.ID, provision.PolicyBlocked)
	_, err = o.as(paul).RevokeWaiver(t.Context(), waiver.ID)
	require.NoError(t, err)
	change := o.again(t, rita, logs.Stack.ID, client.NewOperation{Kind: "up", Inputs: bucket(500)})
	o.reaches(t, change.ID, provision.PolicyBlocked)
	seen, err := o.as(rita).GetStack(t.Context(), logs.Stack.ID)
	require.NoError(t, err)
	require.Contains(t, string(seen.Inputs), "400", "nothing was changed")
}
