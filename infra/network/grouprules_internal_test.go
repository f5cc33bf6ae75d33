package network

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Descriptions are constants of this package; the check keeps the next one honest.
func TestDescriptionsFollowAws(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"HTTPS inbound":            "",
		"https":                    "has 5 characters",
		"The task's connections":   "characters that AWS refuses",
		"Größe der Antwort":        "characters that AWS refuses",
		strings.Repeat("long", 64): "has 256 characters",
	} {
		var f findings
		checkDescription(&f, "description", text)
		if want == "" {
			require.NoError(t, f.err(), text)
		} else {
			require.ErrorContains(t, f.err(), want, text)
		}
	}
}
