package worker_test

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/automation/awssts"
	"redoubt/automation/awssts/ststest"
	"redoubt/automation/operate"
	"redoubt/automation/provision"
)

// ownSecret is of the server's own credentials, which no run may have.
const ownSecret = "own-secret-5d1b"

// inAWS is an installation whose orders go to AWS: shop1 and shop2 have accounts.
func inAWS(t *testing.T, lasts time.Duration) (*world, *ststest.Service) {
	t.Helper()
	seerOnPath(t)
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
	t.Setenv("AWS_SECRET_ACCESS_KEY", ownSecret)
	s := &ststest.Service{Lasts: lasts}
	account := func(project, id string) awssts.Account {
		return awssts.Account{
			Stacks: []string{org + "/" + project}, ID: id, ExternalID: "external-" + project, Region: "eu-central-1",
			PreviewRole: "redoubt-preview", LaunchRole: "redoubt-launch-{blueprint}", Session: time.Hour,
		}
	}
	w := newWorld(t, "", func(o *setup) {
		o.Account, o.Provider, o.STS, o.LogFile = operate.AWS, 0, s.Serve(t), filepath.Join(o.Data, "log")
		o.Accounts = awssts.Accounts{account("shop1", "111122223333"), account("shop2", "444455556666")}
	})
	w.works(t)
	return w, s
}

// A preview has the preview role, an update the launch role, and only after its
// approval; a project has its own account, and one without an account nothing.
func TestEachRunHasItsOwnRole(t *testing.T) {
	w, s := inAWS(t, 0)
	record := filepath.Join(t.TempDir(), "sights")
	reviewed := provision.ProjectSettings{ApprovalRules: []provision.ApprovalRule{{Name: "review", Required: 1}}}
	// roles are those that the provider had since it was last asked, by call.
	roles := func() map[string][]string {
		all := map[string][]string{}
		for _, sight := range sights(t, record) {
			call := sight.Call
			if sight.Dry {
				call = "dry " + call
			}
			role := s.Role(sight.Key)
			require.NotEmpty(t, role, "%s saw credentials that STS has not given: %q", call, sight.Key)
			require.NotContains(t, strings.Join(sight.Environment, "\n"), ownSecret)
			require.Contains(t, sight.Environment, "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION=true")
			require.NotContains(t, strings.Join(sight.Environment, "\n"), sight.Secret, "the environment has an address, not the credentials")
			all[call] = append(all[call], role)
		}
		return all
	}
	only := func(all map[string][]string, call, role string) {
		t.Helper()
		require.NotEmpty(t, all[call], "%s: %v", call, all)
		for _, had := range all[call] {
			require.Equal(t, role, had, call)
		}
	}
	for i, account := range []string{"111122223333", "444455556666"} {
		preview, launch := "arn:aws:iam::"+account+":role/redoubt-preview", "arn:aws:iam::"+account+":role/redoubt-launch-seen"
		project := w.project(t, reviewed)
		before := len(s.Calls())
		env, o := w.stack(t, project, "dev", "seen", inputs{Record: record})
		o = w.reaches(t, o.ID, provision.AwaitingApproval)
		all := roles()
		only(all, "dry create", preview)
		require.Len(t, all, 1)
		for _, c := range s.Calls()[before:] {
			require.Equal(t, preview, c.Role, "before the approval the launch role is not even asked for")
			require.Equal(t, o.ID, c.Tags["redoubt:operation"])
			require.Equal(t, project.Name, c.Tags["redoubt:project"])
			require.Equal(t, "external-"+project.Name, c.ExternalID)
		}
		w.approve(t, o)
		w.reaches(t, o.ID, provision.Succeeded)
		all = roles()
		only(all, "create", launch)
		only(all, "dry create", preview)
		told := w.told(t, o.ID)
		require.Contains(t, told, `{"message":"it runs as `+preview+`","phase":"preview"}`)
		require.Contains(t, told, `{"message":"it runs as `+launch+`","phase":"up"}`)

		check := w.order(t, env, provision.NewOperation{Kind: provision.KindDrift})
		w.reaches(t, check.ID, provision.Succeeded)
		all = roles()
		only(all, "dry read", preview)
		require.Len(t, all, 1)

		end := w.order(t, env, provision.NewOperation{Kind: provision.KindDestroy, Confirm: "dev"})
		end = w.reaches(t, end.ID, provision.AwaitingApproval)
		w.approve(t, end)
		w.reaches(t, end.ID, provision.Succeeded)
		only(roles(), "delete", launch)
		require.Equal(t, i+1, int(w.n.Load()))
	}

	before := len(s.Calls())
	_, o := w.stack(t, w.project(t, free), "dev", "seen", inputs{Record: record})
	o = w.reaches(t, o.ID, provision.Failed)
	require.Equal(t, provision.CodeEngineUnavailable, o.Failure.Code)
	require.Contains(t, o.Failure.Message, "no AWS account is allowed for stack acme/shop3/dev")
	require.Empty(t, sights(t, record), "nothing ran")
	require.Len(t, s.Calls(), before)

	w.unknown(t, s)
}

// unknown sees that no credentials are in what is kept.
func (w *world) unknown(t *testing.T, s *ststest.Service) {
	t.Helper()
	var secrets []string
	for _, c := range s.Calls() {
		secrets = append(secrets, c.Secret, c.Token)
	}
	require.NotEmpty(t, secrets)
	read := 0
	require.NoError(t, filepath.WalkDir(w.Data, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		for _, secret := range append(secrets, ownSecret) {
			require.NotContains(t, string(text), secret, path)
		}
		read++
		return err
	}))
	require.GreaterOrEqual(t, read, 3, "database, keys, log")
}

// Credentials that a provider prints are masked, those that it got in the middle of
// the run too.
func TestCredentialsAreNotTold(t *testing.T) {
	for name, lasts := range map[string]time.Duration{"from the start": 0, "renewed": 5 * time.Minute} {
		t.Run(name, func(t *testing.T) {
			w, s := inAWS(t, lasts)
			record := filepath.Join(t.TempDir(), "sights")
			_, o := w.stack(t, w.project(t, free), "dev", "seen", inputs{Record: record, Leak: true})
			o = w.reaches(t, o.ID, provision.Failed)
			text, err := json.Marshal(o)
			require.NoError(t, err)
			told := w.told(t, o.ID)
			require.Contains(t, told, "are refused")
			seen := sights(t, record)
			require.NotEmpty(t, seen)
			for _, sight := range seen {
				for _, secret := range []string{sight.Secret, sight.Token} {
					require.NotEmpty(t, secret)
					require.NotContains(t, told, secret)
					require.NotContains(t, string(text), secret)
				}
			}
			w.unknown(t, s)
		})
	}
}

// Where STS refuses, an order fails with what to do about it.
func TestARefusedRole(t *testing.T) {
	w, s := inAWS(t, 0)
	s.Refuse("AccessDenied")
	_, o := w.stack(t, w.project(t, free), "dev", "seen", inputs{})
	o = w.reaches(t, o.ID, provision.Failed)
	require.Equal(t, provision.CodeEngineUnavailable, o.Failure.Code)
	for _, want := range []string{"arn:aws:iam::111122223333:role/redoubt-preview", "account 111122223333", "redoubt roles aws"} {
		require.Contains(t, o.Failure.Message, want)
	}
	require.NotContains(t, o.Failure.Message, ststest.Said)
	eventually(t, "the log has what AWS said", func() bool {
		log, err := os.ReadFile(filepath.Join(w.Data, "log"))
		return err == nil && strings.Contains(string(log), "is not authorized")
	})
}
