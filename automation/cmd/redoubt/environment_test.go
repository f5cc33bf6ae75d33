package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/automation/client"
	"redoubt/automation/provision"
)

func TestProtectAndSchedule(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	o.does(t, "alice", "project", "create", "acme/shop")
	made := o.orders(t, "logs", "--no-protect")
	require.Contains(t, o.does(t, "alice", "environments", "protect", "acme/shop/logs"), "is protected")
	code, _, stderr := o.as(t, "alice", "", "environments", "destroy", "acme/shop/logs", "--confirm", "logs")
	require.Equal(t, exitError, code)
	require.Contains(t, stderr, "protected", made.ID)
	require.Contains(t, o.does(t, "alice", "environments", "unprotect", "acme/shop/logs"), "not protected")

	require.Contains(t, o.does(t, "alice", "environments", "schedule", "acme/shop/logs"), "has no schedules")
	require.Regexp(t, `drift +0 3 \* \* \* +20\d\d-\d\d-\d\d 03:0\d UTC +never +off`, o.does(t, "alice", "environments", "schedule", "acme/shop/logs", "--drift", "0 3 * * *"))
	var list []client.Schedule
	require.NoError(t, json.Unmarshal([]byte(o.does(t, "alice", "environments", "schedule", "acme/shop/logs", "--drift", "30 4 * * *", "--remediate", "propose", "--json")), &list))
	require.Len(t, list, 1, "it replaces the one before")
	require.Equal(t, []string{"30 4 * * *", "propose"}, []string{list[0].Cron, list[0].Remediate})
	require.Contains(t, o.does(t, "alice", "environments", "schedule", "acme/shop/logs", "--clear"), "has no schedules")
	for want, args := range map[string][]string{
		"five fields": {"--drift", "daily at three"}, "give both": {"--remediate", "auto"}, "either --drift": {"--drift", "0 3 * * *", "--clear"},
	} {
		code, stdout, stderr := o.as(t, "alice", "", append([]string{"environments", "schedule", "acme/shop/logs"}, args...)...)
		require.Equal(t, exitError, code)
		require.Empty(t, stdout)
		require.Contains(t, stderr, want)
	}
}

// What is given is merged into what there is; secrets stay.
func TestUpdateEnvironment(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	o.does(t, "alice", "project", "create", "acme/shop")
	secret := filepath.Join(t.TempDir(), "password")
	require.NoError(t, os.WriteFile(secret, []byte("hunter2\n"), 0o600))
	first := o.orders(t, "logs", "--set", "password=@"+secret, "--set", "days=7", "--set", "log.prefix=a", "--set", "log.level=low", "--set", "tags=x,y")
	o.move(t, first.ID, provision.Succeeded, nil)

	update := func(typed string, args ...string) (op client.Operation) {
		code, stdout, stderr := o.as(t, "alice", typed, append([]string{"environments", "update", "acme/shop/logs", "--json"}, args...)...)
		require.Equal(t, exitOK, code, stderr)
		require.NoError(t, json.Unmarshal([]byte(stdout), &op))
		require.Equal(t, "up", op.Kind)
		return op
	}
	op := update(`{"log":{"prefix":null},"tags":["z"]}`, "--inputs", "-", "--set", "log.level=high", "--message", "more")
	require.JSONEq(t, `{"name":"logs","days":7,"log":{"level":"high"},"tags":["z"],"password":"[secret]"}`, string(op.Inputs))
	require.Equal(t, "more", op.Options.Message)
	stored, secrets, err := o.service.Unsealed(t.Context(), o.operation(t, op.ID))
	require.NoError(t, err)
	require.Contains(t, string(stored), "hunter2", "the secret is the one from before")
	require.Contains(t, secrets, "hunter2")
	require.JSONEq(t, string(first.Inputs), string(update("").Inputs), "nothing is changed: those that were applied last")

	code, stdout, stderr := o.as(t, "alice", "", "environments", "update", "acme/shop/logs", "--set", "days=0", "--set", "colour=red")
	require.Equal(t, exitError, code)
	require.Empty(t, stdout)
	require.Contains(t, stderr, "/inputs/days")
	require.Contains(t, stderr, "/inputs/colour")
	for _, kind := range []string{"refresh", "recover"} {
		require.Contains(t, o.does(t, "alice", "environments", kind, "acme/shop/logs"), kind+" of acme/shop/logs is queued")
	}
}

func (o *office) operation(t *testing.T, id string) (op provision.Operation) {
	t.Helper()
	o.update(t, func(tx provision.Tx) (err error) { op, err = tx.Operation(id); return err })
	return op
}

// ordered waits until an operation of a kind is in a stack's queue, and returns its id.
func (o *office) ordered(t *testing.T, kind provision.OperationKind, stack string) (id string) {
	t.Helper()
	require.Eventually(t, func() bool {
		o.update(t, func(tx provision.Tx) error {
			list, err := tx.Operations(provision.OperationQuery{States: []provision.State{provision.Queued}})
			for _, op := range list {
				if op.Kind == kind && op.Stack.Stack == stack {
					id = op.ID
				}
			}
			return err
		})
		return id != ""
	}, patience, 20*time.Millisecond)
	return id
}

func TestDrift(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	o.does(t, "alice", "project", "create", "acme/shop")
	first := o.orders(t, "logs")
	o.move(t, first.ID, provision.Succeeded, nil)
	require.Contains(t, o.does(t, "alice", "environments", "drift", "acme/shop/logs", "--last"), "Nobody has looked")
	look := func(status string, urns ...string) (int, string) {
		p := begin(t, []string{"REDOUBT_URL=" + o.url, "REDOUBT_TOKEN=alice"}, "environments", "drift", "acme/shop/logs")
		id := o.ordered(t, provision.KindDrift, "logs")
		o.update(t, func(tx provision.Tx) error {
			env, err := tx.LockEnvironment(first.StackID)
			if err != nil {
				return err
			}
			env.Drift = provision.Drift{Status: status, CheckedAt: tx.Now(), Since: tx.Now(), Operation: id, Resources: urns}
			return tx.SaveEnvironment(&env)
		})
		o.move(t, id, provision.Succeeded, nil)
		return p.end(t), p.out.String()
	}
	code, out := look("clean")
	require.Equal(t, exitOK, code)
	require.Contains(t, out, "is as it was made")
	code, out = look("drifted", "urn:pulumi:prod::shop::aws:s3/bucketV2:BucketV2::logs")
	require.Equal(t, exitFailed, code)
	require.Contains(t, out, "changed by hand")
	require.Contains(t, out, "aws:s3/bucketV2:BucketV2::logs")
	code, stdout, _ := o.as(t, "alice", "", "environments", "drift", "acme/shop/logs", "--last", "--json")
	require.Equal(t, exitFailed, code)
	require.Contains(t, stdout, `"status": "drifted"`)
}

// A script that waits goes on when it is people's turn.
func TestWaitEndsWherePeopleMustAct(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	o.does(t, "alice", "project", "create", "acme/shop")
	order := func(name string, args ...string) (*process, string) {
		p := begin(t, []string{"REDOUBT_URL=" + o.url, "REDOUBT_TOKEN=alice"},
			append([]string{"order", "secure-bucket", "--project", "acme/shop", "--name", name, "--set", "name=x", "--wait"}, args...)...)
		return p, o.ordered(t, provision.KindUp, name)
	}
	p, id := order("logs")
	o.move(t, id, provision.AwaitingApproval, plan)
	require.Equal(t, exitOK, p.end(t), p.err)
	require.Contains(t, p.out.String(), "awaiting approval")
	for _, want := range []string{"rule prod: 1 more by any approver", "Somebody else than alice: redoubt approve " + id} {
		require.Contains(t, p.err.String(), want)
	}

	p, id = order("other", "--json")
	o.move(t, id, provision.NeedsRecovery, nil)
	require.Equal(t, exitOK, p.end(t), p.err)
	require.Contains(t, p.err.String(), "redoubt environments recover acme/shop/other")
	var op client.Operation
	require.NoError(t, json.Unmarshal([]byte(p.out.String()), &op), "JSON is the operation alone")
	require.Equal(t, "needs_recovery", op.State)

	// Nobody can order on a locked environment, but one may be locked after that.
	p, _ = order("third")
	o.does(t, "bob", "environments", "lock", "acme/shop/third", "--reason", "until Friday")
	require.Equal(t, exitOK, p.end(t), p.err)
	require.Contains(t, p.err.String(), "bob locked the environment: until Friday")

	// A freeze is a wait for a time.
	p, id = order("fourth")
	o.move(t, id, provision.Approved, nil, provision.Event{Type: provision.EventLog, Data: json.RawMessage(`{"message":"it waits: the project is frozen by its window \"year's end\""}`)})
	require.Equal(t, exitOK, p.end(t), p.err)
	require.Contains(t, p.err.String(), `frozen by its window "year's end"`)

	// It ends well, and it does not.
	for state, want := range map[provision.State]int{provision.Succeeded: exitOK, provision.Rejected: exitFailed} {
		p, id = order("end-" + strings.ToLower(string(state)))
		o.move(t, id, state, nil)
		require.Equal(t, want, p.end(t), p.err)
	}
}
