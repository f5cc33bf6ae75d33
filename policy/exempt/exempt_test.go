package exempt_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/policy/exempt"
)

var day = time.Date(2027, 3, 31, 0, 0, 0, 0, time.UTC)

func TestWhatIsWrittenIsReadAgain(t *testing.T) {
	t.Parallel()
	found := []exempt.Finding{
		{
			Rule: "s3-cross-region-replication", URN: "urn:pulumi:dev::shop::aws:s3/bucketV2:BucketV2::logs", Level: "mandatory", Severity: "medium",
			Message: "no rule copies it", Until: day, Owner: "paul", Reason: "it is copied elsewhere", ID: "wvr_01",
		},
		{
			Rule: "r", URN: `urn:pulumi:a::b::c::x" y` + "\n  mandatory", Level: "advisory", Severity: "low",
			Message: `a "quoted" \ text` + "\nof two lines", Until: day, Owner: `o: "p", because`, Reason: "ünïcode ✓ (\"no id\")",
		},
	}
	text := exempt.Format(found)
	require.Equal(t, 3, len(strings.Split(text, "\n")), "a finding a line: %s", text)
	require.Contains(t, text, `  mandatory medium s3-cross-region-replication on "urn:pulumi:dev::shop::aws:s3/bucketV2:BucketV2::logs": `+
		`exempt until 2027-03-31 by "paul" ("wvr_01"), because "it is copied elsewhere": "no rule copies it"`)
	again, ok := exempt.Parse(text)
	require.True(t, ok)
	require.Equal(t, found, again)
	require.True(t, strings.HasPrefix(exempt.Format(found[:1]), "1 finding is exempt:\n"))
	again, ok = exempt.Parse(exempt.Format(found[:1]))
	require.True(t, ok)
	require.Equal(t, found[:1], again)
}

func TestOtherTextsAreNoFindings(t *testing.T) {
	t.Parallel()
	good := exempt.Format([]exempt.Finding{{Rule: "r", URN: "u", Level: "mandatory", Severity: "low", Message: "m", Until: day, Owner: "o", Reason: "y"}})
	for _, text := range []string{
		"", "1 finding is exempt:", "2 exemptions matched no violation", good + "\nand more", strings.Replace(good, "2027-03-31", "2027-13-31", 1),
		strings.Replace(good, `"m"`, `"m`, 1), strings.Replace(good, `"m"`, `"\q"`, 1), strings.Replace(good, "1 finding", "a finding", 1),
	} {
		_, ok := exempt.Parse(text)
		require.False(t, ok, "%q", text)
	}
}

// FuzzParse holds the parser to: no panic, and what it takes is what Format writes.
func FuzzParse(f *testing.F) {
	f.Add(exempt.Format([]exempt.Finding{{Rule: "r", URN: "u", Level: "mandatory", Severity: "low", Message: "m", Until: day, Owner: "o", Reason: "y", ID: "i"}}))
	f.Add("1 finding is exempt:\n  a b c on \"d\": exempt until 2027-03-31 by \"\", because \"\": \"\"")
	f.Fuzz(func(t *testing.T, text string) {
		found, ok := exempt.Parse(text)
		if !ok {
			return
		}
		again, ok := exempt.Parse(exempt.Format(found))
		require.True(t, ok)
		require.Equal(t, found, again)
	})
}
