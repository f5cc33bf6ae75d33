package cedar_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/cedar"
	"redoubt/automation/provision"
)

func manual(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/identity.md")
	require.NoError(t, err)
	return string(text)
}

// TestManualsPolicies: what the manual shows can be copied.
func TestManualsPolicies(t *testing.T) {
	t.Parallel()
	found := regexp.MustCompile("(?s)```\n(@id.*?)```").FindStringSubmatch(manual(t))
	require.NotNil(t, found)
	_, err := cedar.New(cedar.Options{Folder: folder(t, "own.cedar", found[1])})
	require.NoError(t, err)
}

// TestManualsTable holds the manual's table of roles to the matrix.
func TestManualsTable(t *testing.T) {
	t.Parallel()
	rows := map[string][]string{}
	for line := range strings.SplitSeq(manual(t), "\n") {
		if !strings.HasPrefix(line, "|") {
			continue
		}
		cells := strings.Split(strings.Trim(line, "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		rows[strings.TrimSuffix(cells[0], " ²")] = cells[1:]
	}
	var header []string
	for _, r := range provision.Roles {
		header = append(header, string(r))
	}
	require.Equal(t, header, rows[""])
	// What depends on whose it is.
	exceptions := map[string]string{
		"requester destroy": "own, with a TTL", "requester reveal": "own", "requester cancel": "own", "approver approve": "not own",
	}
	for _, action := range provision.Actions {
		row := rows[string(action)]
		require.Len(t, row, len(provision.Roles), "%s", action)
		for i, role := range provision.Roles {
			want, ok := exceptions[string(role)+" "+string(action)]
			if !ok && slices.Contains(strings.Fields(may[role]), string(action)) {
				want = "✓"
			}
			require.Equal(t, want, row[i], "%s %s", role, action)
		}
	}
}
