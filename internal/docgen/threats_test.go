package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// testLink is a Markdown link to a test.
var testLink = regexp.MustCompile(`\[([^\]]+)\]\(\.\./([^)]+_test\.go)\)`)

// Every threat has a number of its own, a control, and tests that there are.
func TestEveryThreatHasItsTests(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join(root, "docs", "threats.md"))
	require.NoError(t, err)
	next := 1
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(line, " | ")
		number, err := strconv.Atoi(strings.TrimPrefix(cells[0], "| "))
		if err != nil {
			continue
		}
		require.Equal(t, next, number)
		next++
		require.Len(t, cells, 4, "threat %d", number)
		require.NotEmpty(t, cells[2], "threat %d", number)
		tests := testLink.FindAllStringSubmatch(cells[3], -1)
		require.NotEmpty(t, tests, "threat %d", number)
		for _, test := range tests {
			source, err := os.ReadFile(filepath.Join(root, test[2]))
			require.NoError(t, err, "threat %d", number)
			function := strings.Contains(string(source), "func "+test[1]+"(")
			require.True(t, function || strings.Contains(string(source), `"`+test[1]+`"`), "threat %d: there is no test %q in %s", number, test[1], test[2])
		}
	}
	require.Equal(t, 24, next, "there are 23 threats")
}
