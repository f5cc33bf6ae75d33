package rehearsal

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/stretchr/testify/require"
)

func TestAccountIsKeptInItsFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "account.jsonl")
	a, err := Open(file)
	require.NoError(t, err)
	_, err = os.Stat(file)
	require.ErrorIs(t, err, os.ErrNotExist, "there is no file before the first change")
	p := configured(t, a, "eu-west-1")
	vpc := create(t, p, vpcToken, "main", props{"cidrBlock": "10.0.0.0/16", "tags": props{"a": "1"}})
	subnet := create(t, p, subnetToken, "app", props{"vpcId": string(vpc.id), "cidrBlock": "10.0.1.0/24"})
	secret := create(t, p, "aws:secretsmanager/secret:Secret", "s", nil)
	version := create(t, p, "aws:secretsmanager/secretVersion:SecretVersion", "v", props{
		"secretId": string(secret.id), "secretString": resource.MakeSecret(resource.NewProperty("hunter2")),
	})
	_, err = change(t, p, vpc, props{"cidrBlock": "10.0.0.0/16", "tags": props{"a": "2"}})
	require.NoError(t, err)
	before := a.Resources()
	require.NoError(t, a.Close())
	require.NoError(t, a.Close(), "closing twice is no error")

	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NotContains(t, string(text), "hunter2")
	info, err := os.Stat(file)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())

	b, err := Open(file)
	require.NoError(t, err)
	q := configured(t, b, "eu-west-1")
	require.Len(t, b.Resources(), len(before))
	for i, r := range b.Resources() {
		require.Equal(t, before[i].ID, r.ID)
	}
	require.Equal(t, []string{"DependencyViolation"}, Codes(remove(q, vpc)), "references are known again")
	require.True(t, read(t, q, version).Outputs["secretString"].DeepEquals(version.out["secretString"]), "the stack's state gives the secret back")
	require.NoError(t, remove(q, subnet))
	again := create(t, q, subnetToken, "app", props{"vpcId": string(vpc.id), "cidrBlock": "10.0.1.0/24"})
	require.NotEqual(t, subnet.id, again.id, "a second life has another id")
	require.NoError(t, b.Close())
}

func TestFileIsCompactedWhenOpened(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "account.jsonl")
	a, err := Open(file)
	require.NoError(t, err)
	p := configured(t, a, "eu-west-1")
	var last live
	for range 60 {
		last = create(t, p, vpcToken, "main", props{"cidrBlock": "10.0.0.0/16"})
		require.NoError(t, remove(p, last))
	}
	last = create(t, p, vpcToken, "main", props{"cidrBlock": "10.0.0.0/16"})
	require.NoError(t, a.Close())
	a, err = Open(file)
	require.NoError(t, err)
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, 2, strings.Count(string(text), "\n"), "a header and the one live resource")
	require.Equal(t, string(last.id), a.Resources()[0].ID)
	require.NoError(t, remove(configured(t, a, "eu-west-1"), last))
	require.NoError(t, a.Close())
	a, err = Open(file)
	require.NoError(t, err, "the new file takes changes")
	require.Empty(t, a.Resources())
	require.NoError(t, a.Close())
	left, err := filepath.Glob(file + ".*")
	require.NoError(t, err)
	require.Empty(t, left)
}

func TestDamagedFileIsRefusedAndKept(t *testing.T) {
	t.Parallel()
	header := `{"format":"redoubt-rehearsal-1","account":"123456789012"}` + "\n"
	for name, one := range map[string]struct{ text, because string }{
		"no JSON":       {header + "nonsense\n", "line 2 is not JSON"},
		"other file":    {`{"version":3}` + "\n", "not the file of a rehearsal account"},
		"other account": {`{"format":"redoubt-rehearsal-1","account":"999999999999"}` + "\n", "account 999999999999"},
		"unknown op":    {header + `{"op":"move","type":"a","id":"b"}` + "\n", `unknown change "move"`},
		"nothing":       {header + `{"op":"put"}` + "\n", "needs a type and an id"},
		"not there":     {header + `{"op":"remove","type":"a","id":"b"}` + "\n", "was not there"},
		"half a line":   {`{"format"`, "no complete line"},
	} {
		file := filepath.Join(t.TempDir(), "account.jsonl")
		require.NoError(t, os.WriteFile(file, []byte(one.text), 0o600))
		_, err := Open(file)
		require.ErrorContains(t, err, one.because, name)
		require.ErrorContains(t, err, file, name)
		require.ErrorContains(t, err, "remove it", name)
		kept, err := os.ReadFile(file)
		require.NoError(t, err)
		require.Equal(t, one.text, string(kept), name)
	}
}

func TestCrashInMidWriteLosesOneLine(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "account.jsonl")
	a, err := Open(file)
	require.NoError(t, err)
	create(t, configured(t, a, "eu-west-1"), vpcToken, "main", props{"cidrBlock": "10.0.0.0/16"})
	require.NoError(t, a.Close())
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, append(text, `{"op":"put","ty`...), 0o600))
	a, err = Open(file)
	require.NoError(t, err)
	require.Len(t, a.Resources(), 1)
	create(t, configured(t, a, "eu-west-1"), vpcToken, "other", props{"cidrBlock": "10.1.0.0/16"})
	require.NoError(t, a.Close())
	a, err = Open(file)
	require.NoError(t, err, "what was cut off must not spoil the next line")
	require.Len(t, a.Resources(), 2)
	require.NoError(t, a.Close())
}

func TestTwoProcessesCannotShareAFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "account.jsonl")
	a, err := Open(file)
	require.NoError(t, err)
	create(t, configured(t, a, "eu-west-1"), vpcToken, "main", props{"cidrBlock": "10.0.0.0/16"})
	_, err = Open(file)
	require.ErrorContains(t, err, "in use by another process")
	require.NoError(t, a.Close())
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	_, err := Open(filepath.Join(t.TempDir(), "none", "account.jsonl"))
	require.ErrorContains(t, err, "make it first")
	_, err = Open("", WithAccountID("12"))
	require.ErrorContains(t, err, "12 digits")
	_, err = Open(t.TempDir())
	require.Error(t, err)
}

// Whatever is in the file, opening it gives an account or an error.
func FuzzReadJournal(f *testing.F) {
	header := `{"format":"redoubt-rehearsal-1","account":"123456789012"}`
	f.Add(header + "\n")
	f.Add(header + "\n" + `{"op":"put","type":"aws:ec2/vpc:Vpc","id":"vpc-1","inputs":{"a":[1,"b",{"c":null}]},"outputs":{}}` + "\n")
	f.Add(header + "\n" + fmt.Sprintf(`{"op":"put","type":"t","id":"i","inputs":{"s":{%q:%q}}}`, resource.SigKey, resource.SecretSig) + "\n")
	f.Add(header + "\n" + fmt.Sprintf(`{"op":"put","type":"t","id":"i","inputs":{"s":{%q:%q}}}`, resource.SigKey, resource.AssetSig) + "\n")
	f.Fuzz(func(t *testing.T, text string) {
		live, _, _, err := readJournal([]byte(text), "123456789012")
		if err != nil {
			return
		}
		a := open(t)
		a.restore(live)
		require.Len(t, a.Resources(), len(live))
		for _, r := range live {
			e, err := putEntry(r)
			require.NoError(t, err)
			again := map[key]*record{}
			require.NoError(t, e.play(again, map[string]int{}))
			require.Equal(t, fmt.Sprint(r.inputs), fmt.Sprint(again[r.key].inputs))
		}
	})
}
