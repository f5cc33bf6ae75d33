package guide_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/guide"
)

// Every bullet of guide.md outside its code fences has exactly one constant,
// in the guide's order, with the guide's own words.
func TestEveryBulletOfTheGuideHasAConstant(t *testing.T) {
	t.Parallel()
	var inGuide []string
	fence := false
	for _, line := range strings.Split(guide.Text, "\n") {
		if strings.HasPrefix(line, "```") {
			fence = !fence
		}
		if bullet, ok := strings.CutPrefix(line, "   * "); ok && !fence {
			inGuide = append(inGuide, strings.TrimSpace(bullet))
		}
	}
	var declared []string
	for _, b := range guide.All() {
		if !strings.HasPrefix(string(b.ID), "diagram.") && !strings.HasPrefix(string(b.ID), "configurations.") {
			declared = append(declared, b.Text)
		}
	}
	require.Equal(t, inGuide, declared)
}

// The arrows of the diagram are bullets too.
func TestEveryArrowOfTheDiagramHasAConstant(t *testing.T) {
	t.Parallel()
	label := regexp.MustCompile(`\[[^]]*\]`)
	var arrows int
	for _, line := range strings.Split(guide.Text, "\n") {
		from, to, ok := strings.Cut(strings.TrimSpace(line), " --> ")
		if !ok {
			continue
		}
		arrows++
		id := guide.ID("diagram." + strings.ToLower(from+"-"+label.ReplaceAllString(to, "")))
		_, found := guide.Lookup(id)
		require.True(t, found, "no constant for %s", id)
	}
	require.Equal(t, 7, arrows)
}

func TestIDsAreUniqueAndWellFormed(t *testing.T) {
	t.Parallel()
	shape := regexp.MustCompile(`^[a-z0-9-]+(\.[a-z0-9-]+)+$`)
	seen := map[guide.ID]bool{}
	for _, b := range guide.All() {
		require.Regexp(t, shape, string(b.ID))
		require.False(t, seen[b.ID], "%s is declared twice", b.ID)
		seen[b.ID] = true
		require.NotEmpty(t, b.Section)
	}
}

func TestStringCitesTheBullet(t *testing.T) {
	t.Parallel()
	require.Equal(t, "Security Groups: ALB: HTTPS inbound only", guide.ArchitectureSecurityGroupsALB.String())
	require.Equal(t, "no.such.bullet", guide.ID("no.such.bullet").String())
}
