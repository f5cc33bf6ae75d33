package transfer_test

import (
	"crypto/sha256"
	"encoding/json"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/transfer"
	"redoubt/internal/postgrestest"
)

const passphrase = "correct horse battery staple"

// files are the contents of a folder.
func files(t *testing.T, folder string) map[string][32]byte {
	t.Helper()
	out := map[string][32]byte{}
	require.NoError(t, filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		out[path] = sha256.Sum256(text)
		return err
	}))
	return out
}

// From files into Redoubt, and back into other files.
func TestThereAndBack(t *testing.T) {
	t.Parallel()
	const canary = "canary-there-and-back"
	address, folder := diy(t)
	source := newMachine(t, address, "", passphrase)
	source.fill(t, "rich", resources(t, "shop", "rich", 200, canary))
	source.fill(t, "killed", resources(t, "shop", "killed", 3, canary))
	addPending(t, folder, "killed")
	source.run(t, "", "stack", "init", "empty", "--no-select")
	source.run(t, "", "stack", "tag", "set", "--stack", "rich", "team", "payments & more")
	before := files(t, folder)

	r := newRedoubt(t)
	opts := transfer.Options{
		From: transfer.Side{URL: address}, To: r.side(), All: true,
		Passphrases: phrase(passphrase), DryRun: true,
	}
	target := newMachine(t, r.url, r.token, "")

	dry := run(t, opts)
	require.True(t, dry.OK, "%+v", dry)
	require.Equal(t, 3, dry.Count(transfer.WouldMove))
	require.Equal(t, "[]\n", target.run(t, "", "stack", "ls", "--all", "--json"), "a dry run makes nothing")
	require.Equal(t, before, files(t, folder))

	opts.DryRun = false
	watch := watchFor(t, canary, passphrase, r.folder)
	moved := run(t, opts)
	watch()
	require.True(t, moved.OK, "%+v", moved)
	require.Equal(t, 3, moved.Count(transfer.Moved))
	rich := result(t, moved, "rich")
	require.Equal(t, 202, rich.Resources)
	require.Equal(t, 201, rich.Secrets)
	require.Equal(t, "acme/shop/rich", rich.Target)
	require.NotNil(t, rich.LastUpdate)
	require.Equal(t, 1, result(t, moved, "killed").Pending)
	require.Equal(t, before, files(t, folder), "the source is never changed")
	for _, stack := range []string{"rich", "killed", "empty"} {
		require.Equal(t, source.exported(t, stack), target.exported(t, "acme/shop/"+stack), stack)
	}
	var tags map[string]string
	require.NoError(t, json.Unmarshal([]byte(target.run(t, "", "stack", "tag", "ls", "--json", "--stack", "acme/shop/rich")), &tags))
	require.Equal(t, "payments & more", tags["team"])
	require.Equal(t, address, tags["moved:from"])
	require.Equal(t, rich.LastUpdate.Format("2006-01-02T15:04:05Z"), tags["moved:last-update"])
	stored := target.run(t, "", "stack", "export", "--stack", "acme/shop/rich")
	require.Contains(t, stored, `"type": "service"`)
	require.NotContains(t, stored, "salt")
	require.NotContains(t, r.log.String(), canary)
	require.NotContains(t, r.log.String(), passphrase)

	again := run(t, opts)
	require.True(t, again.OK, "%+v", again)
	require.Equal(t, 3, again.Count(transfer.Equal))

	const other = "another passphrase"
	backAddress, backFolder := diy(t)
	back := transfer.Options{From: r.side(), To: transfer.Side{URL: backAddress}, All: true, Passphrases: phrase(other)}
	watch = watchFor(t, canary, other, backFolder)
	out := run(t, back)
	watch()
	require.False(t, out.OK)
	require.Equal(t, 2, out.Count(transfer.Moved), "%+v", out)
	killed := result(t, out, "killed")
	require.Equal(t, transfer.Refused, killed.Outcome)
	require.Contains(t, killed.Problem, "--drop-pending")
	require.NoFileExists(t, filepath.Join(backFolder, ".pulumi/stacks/shop/killed.json"))

	back.DropPending = true
	out = run(t, back)
	require.True(t, out.OK, "%+v", out)
	require.Equal(t, transfer.Moved, result(t, out, "killed").Outcome)
	require.Equal(t, []string{"1 pending operations were left out"}, result(t, out, "killed").Notes)
	require.Equal(t, transfer.Equal, result(t, out, "rich").Outcome)

	end := newMachine(t, backAddress, "", other)
	for _, stack := range []string{"rich", "killed", "empty"} {
		want := source.exported(t, stack)
		delete(want, "pending_operations")
		require.Equal(t, want, end.exported(t, stack), stack)
	}
	require.Contains(t, end.run(t, "", "stack", "tag", "ls", "--stack", "rich"), "payments & more")
}

// From the CLI's own tables in PostgreSQL.
func TestFromPostgres(t *testing.T) {
	t.Parallel()
	const canary = "canary-postgres"
	server := postgrestest.Start(t)
	address := server.URL(t, "postgres")
	source := newMachine(t, address, "", passphrase)
	for _, stack := range []string{"dev", "prod"} {
		source.fill(t, stack, resources(t, "shop", stack, 5, canary))
	}
	r := newRedoubt(t)
	opts := transfer.Options{From: transfer.Side{URL: address}, To: r.side(), Project: "shop", All: true, Passphrases: phrase(passphrase)}
	moved := run(t, opts)
	require.True(t, moved.OK, "%+v", moved)
	require.Equal(t, 2, moved.Count(transfer.Moved))
	require.NotContains(t, moved.From, server.Password)
	target := newMachine(t, r.url, r.token, "")
	require.Equal(t, source.exported(t, "prod"), target.exported(t, "acme/shop/prod"))
	require.NotContains(t, target.run(t, "", "stack", "tag", "ls", "--stack", "acme/shop/prod"), "@", "the tag has no user")

	// A lock is a row there.
	query(t, address, `INSERT INTO pulumi_state (key, data) VALUES ('.pulumi/locks/organization/shop/dev/x.json', '{"data":"e30="}')`)
	locked := run(t, opts)
	require.Equal(t, transfer.Refused, result(t, locked, "dev").Outcome)
	require.Contains(t, result(t, locked, "dev").Problem, "pulumi cancel")
	require.Equal(t, transfer.Equal, result(t, locked, "prod").Outcome)

	// And back there.
	back := run(t, transfer.Options{
		From: r.side(), To: transfer.Side{URL: address}, Stacks: []string{"prod"},
		Renames: []transfer.Rename{{From: "prod", To: "old"}}, Passphrases: phrase(passphrase),
	})
	require.True(t, back.OK, "%+v", back)
	require.Equal(t, "organization/shop/old", back.Stacks[0].Target)
	_ = source.exported(t, "old")

	server.Stop(t)
	_, err := transfer.Run(t.Context(), opts)
	require.ErrorContains(t, err, "the source postgres://postgres@")
	require.NotContains(t, err.Error(), server.Password)
}

func TestPassphrases(t *testing.T) {
	t.Parallel()
	const canary = "canary-passphrases"
	address, _ := diy(t)
	for stack, text := range map[string]string{"one": "first", "two": "second"} {
		newMachine(t, address, "", text).fill(t, stack, resources(t, "shop", stack, 1, canary))
	}
	r := newRedoubt(t)
	opts := transfer.Options{From: transfer.Side{URL: address}, To: r.side(), All: true, Passphrases: phrase("first")}
	report := run(t, opts)
	require.False(t, report.OK)
	require.Equal(t, transfer.Moved, result(t, report, "one").Outcome, "%+v", report)
	two := result(t, report, "two")
	require.Equal(t, transfer.Failed, two.Outcome)
	require.Contains(t, two.Problem, "incorrect passphrase")
	require.NotContains(t, two.Problem, "first")
	require.NotContains(t, newMachine(t, r.url, r.token, "").run(t, "", "stack", "ls", "--all"), "two", "nothing half-done")

	nobody := &transfer.Passphrases{Lookup: func(string) (string, bool) { return "", false }}
	opts.Passphrases = nobody
	require.Contains(t, result(t, run(t, opts), "two").Problem, "--passphrase-file")

	file := filepath.Join(t.TempDir(), "phrase")
	require.NoError(t, os.WriteFile(file, []byte("second\n"), 0o600))
	nobody.Files = map[string]string{"shop/two": file}
	var asked []string
	nobody.Ask = func(stack string) (string, error) {
		asked = append(asked, stack)
		return "first", nil
	}
	report = run(t, opts)
	require.True(t, report.OK, "%+v", report)
	require.Equal(t, []string{"organization/shop/one"}, asked, "once")
}

func TestAnotherStateIsNotOverwritten(t *testing.T) {
	t.Parallel()
	const canary = "canary-overwrite"
	address, folder := diy(t)
	source := newMachine(t, address, "", passphrase)
	source.fill(t, "dev", resources(t, "shop", "dev", 3, canary))
	r := newRedoubt(t)
	opts := transfer.Options{From: transfer.Side{URL: address}, To: r.side(), Stacks: []string{"dev"}, Passphrases: phrase(passphrase)}
	require.True(t, run(t, opts).OK)

	changed := resources(t, "shop", "dev", 3, "another-canary")
	changed[2].(map[string]any)["inputs"].(map[string]any)["n"] = 99
	source.replace(t, "dev", changed[:4])
	for _, dry := range []bool{true, false} {
		opts.DryRun = dry
		refused := run(t, opts)
		require.False(t, refused.OK)
		require.Equal(t, transfer.Refused, refused.Stacks[0].Outcome)
		require.Contains(t, refused.Stacks[0].Problem, "--force")
		text, err := json.Marshal(refused)
		require.NoError(t, err)
		require.Contains(t, string(text), `"path":"resource","what":"only in the target"`)
		require.NotContains(t, string(text), "canary", "differences never hold values")
	}
	target := newMachine(t, r.url, r.token, "")
	require.Len(t, target.exported(t, "acme/shop/dev")["resources"], 5)

	opts.DryRun, opts.Force = true, true
	require.Equal(t, transfer.WouldReplace, run(t, opts).Stacks[0].Outcome)
	opts.DryRun = false
	require.Equal(t, transfer.Moved, run(t, opts).Stacks[0].Outcome)
	require.Equal(t, source.exported(t, "dev"), target.exported(t, "acme/shop/dev"))

	// Updates that run, on either side.
	lock := filepath.Join(folder, ".pulumi/locks/organization/shop/dev")
	require.NoError(t, os.MkdirAll(lock, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(lock, "x.json"), []byte("{}"), 0o600))
	refused := run(t, opts)
	require.Equal(t, transfer.Refused, refused.Stacks[0].Outcome)
	require.Contains(t, refused.Stacks[0].Problem, "holds a lock")
	require.NoError(t, os.RemoveAll(lock))

	post(t, r, "/api/stacks/acme/shop/dev/update", `{"name":"shop","options":{}}`, func(text []byte) {
		var made struct{ UpdateID string }
		require.NoError(t, json.Unmarshal(text, &made))
		post(t, r, "/api/stacks/acme/shop/dev/update/"+made.UpdateID, `{"journalVersion":1}`, nil)
	})
	refused = run(t, opts)
	require.Equal(t, transfer.Refused, refused.Stacks[0].Outcome, "%+v", refused)
	require.Contains(t, refused.Stacks[0].Problem, "pulumi cancel")
}

// post asks the service as the administrator.
func post(t *testing.T, r *redoubt, path, body string, then func([]byte)) {
	t.Helper()
	q, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.url+path, strings.NewReader(body))
	require.NoError(t, err)
	q.Header.Set("Authorization", "token "+r.token)
	text := ask(t, q)
	if then != nil {
		then(text)
	}
}

// Nothing is half-done: a stack whose state does not get there is not there.
func TestAFailureLeavesNothing(t *testing.T) {
	t.Parallel()
	address, _ := diy(t)
	newMachine(t, address, "", passphrase).fill(t, "dev", resources(t, "shop", "dev", 2, "canary-failure"))
	r := newRedoubt(t)
	opts := transfer.Options{From: transfer.Side{URL: address}, To: r.side(), All: true, Passphrases: phrase(passphrase)}
	for _, path := range []string{"/import", "/batch-encrypt"} {
		r.failWith(func(w http.ResponseWriter, q *http.Request) bool {
			if !strings.HasSuffix(q.URL.Path, path) {
				return false
			}
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = w.Write([]byte(`{"code":503,"message":"the disk is full"}`))
			return true
		})
		report := run(t, opts)
		require.Equal(t, transfer.Failed, report.Stacks[0].Outcome)
		require.Contains(t, report.Stacks[0].Problem, "the disk is full")
		require.Equal(t, "[]\n", newMachine(t, r.url, r.token, "").run(t, "", "stack", "ls", "--all", "--json"))
	}
	r.failWith(nil)
	require.True(t, run(t, opts).OK)
}

// A target that tells another story than it was told is found out.
func TestVerification(t *testing.T) {
	t.Parallel()
	address, _ := diy(t)
	source := newMachine(t, address, "", passphrase)
	source.fill(t, "dev", resources(t, "shop", "dev", 2, "canary-verification"))
	r := newRedoubt(t)
	r.failWith(func(w http.ResponseWriter, q *http.Request) bool {
		if !strings.HasSuffix(q.URL.Path, "/export") {
			return false
		}
		_, _ = w.Write([]byte(`{"version":3,"deployment":{"manifest":{"time":"2024-01-01T00:00:00Z","magic":"","version":""},"resources":[]}}`))
		return true
	})
	report := run(t, transfer.Options{From: transfer.Side{URL: address}, To: r.side(), All: true, Passphrases: phrase(passphrase)})
	require.False(t, report.OK)
	require.Equal(t, transfer.Differs, report.Stacks[0].Outcome)
	require.Len(t, report.Stacks[0].Differences, 4)
}

func TestRenames(t *testing.T) {
	t.Parallel()
	const canary = "canary-renames"
	address, _ := diy(t)
	source := newMachine(t, address, "", passphrase)
	source.fill(t, ".dev", resources(t, "shop", ".dev", 3, canary))
	source.fill(t, "live", resources(t, "shop", "live", 3, canary))
	r := newRedoubt(t)
	opts := transfer.Options{From: transfer.Side{URL: address}, To: r.side(), All: true, Passphrases: phrase(passphrase)}
	opts.Renames = []transfer.Rename{{From: "nobody", To: "x"}}
	opts.To.Org = "strangers"
	_, err := transfer.Run(t.Context(), opts)
	require.ErrorContains(t, err, "--rename shop/.dev=shop/dev")
	require.ErrorContains(t, err, `no stack "nobody" is moved`)
	require.ErrorContains(t, err, `organization "strangers"`)

	opts.To.Org = org
	opts.Renames = []transfer.Rename{{From: ".dev", To: "store/dev"}, {From: "live", To: "prod"}}
	report := run(t, opts)
	require.True(t, report.OK, "%+v", report)
	target := newMachine(t, r.url, r.token, "")
	text, err := json.Marshal(target.exported(t, "acme/store/dev"))
	require.NoError(t, err)
	require.Contains(t, string(text), "urn:pulumi:dev::store::aws:s3/bucket:Bucket::b001")
	require.Contains(t, string(text), "store-dev")
	require.NotContains(t, string(text), "::shop::")
	require.Contains(t, string(text), canary)
	require.Equal(t, 2, run(t, opts).Count(transfer.Equal))
}

func TestWhatCannotBegin(t *testing.T) {
	t.Parallel()
	address, _ := diy(t)
	r := newRedoubt(t)
	for name, c := range map[string]struct {
		opts transfer.Options
		want []string
	}{
		"no service":      {transfer.Options{From: transfer.Side{URL: address}, To: transfer.Side{URL: address}, All: true}, []string{"pulumi stack migrate"}},
		"no stacks named": {transfer.Options{From: transfer.Side{URL: address}, To: r.side()}, []string{"--stack NAME"}},
		"both addresses are wrong": {
			transfer.Options{From: transfer.Side{URL: "ftp://u:hunter2@x"}, To: transfer.Side{URL: r.url}, All: true},
			[]string{`source "ftp://u@x" is not a backend`, "wants an access token"},
		},
		"both sides are unreachable": {
			transfer.Options{From: transfer.Side{URL: "file:///nowhere/at/all"}, To: transfer.Side{URL: r.url, Token: "wrong"}, All: true},
			[]string{"the source file:///nowhere/at/all cannot be read", "the service does not know the access token"},
		},
		"an empty source": {transfer.Options{From: transfer.Side{URL: address}, To: r.side(), All: true}, []string{"the source has no stacks"}},
		"no such stack":   {transfer.Options{From: transfer.Side{URL: address}, To: r.side(), Stacks: []string{"dev"}}, []string{`the source has no stack "dev" (it has: none)`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := transfer.Run(t.Context(), c.opts)
			for _, want := range c.want {
				require.ErrorContains(t, err, want)
			}
			require.NotContains(t, err.Error(), "hunter2")
		})
	}
}

// Between services a state keeps what the CLI does not understand; a backend that
// the CLI writes does not, and that is said.
func TestWhatTheCLIDoesNotKeep(t *testing.T) {
	t.Parallel()
	first, second := newRedoubt(t), newRedoubt(t)
	post(t, first, "/api/stacks/acme/shop", `{"stackName":"dev"}`, nil)
	post(t, first, "/api/stacks/acme/shop/dev/import", `{"version":3,"deployment":{"manifest":{"time":"2024-05-06T07:08:09Z","magic":"","version":""},`+
		`"resources":[{"urn":"urn:pulumi:dev::shop::pulumi:pulumi:Stack::shop-dev","type":"pulumi:pulumi:Stack","custom":false,"new":"field","outputs":{"n":9007199254740993}}]}}`, nil)

	report := run(t, transfer.Options{From: first.side(), To: second.side(), All: true})
	require.True(t, report.OK, "%+v", report)
	q, err := http.NewRequestWithContext(t.Context(), http.MethodGet, second.url+"/api/stacks/acme/shop/dev/export", nil)
	require.NoError(t, err)
	q.Header.Set("Authorization", "token "+second.token)
	text := string(ask(t, q))
	require.Contains(t, text, "9007199254740993")
	require.Contains(t, text, `"new":"field"`)

	address, _ := diy(t)
	report = run(t, transfer.Options{From: first.side(), To: transfer.Side{URL: address}, All: true, Passphrases: phrase(passphrase)})
	require.False(t, report.OK)
	require.Equal(t, transfer.Differs, report.Stacks[0].Outcome)
	urn := "urn:pulumi:dev::shop::pulumi:pulumi:Stack::shop-dev"
	require.Equal(t, []transfer.Difference{
		{URN: urn, Path: "new", What: "only in the source"},
		{URN: urn, Path: "outputs.n", What: "different"},
	}, report.Stacks[0].Differences)
}
