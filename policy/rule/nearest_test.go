package rule

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNearest(t *testing.T) {
	t.Parallel()
	known := []string{"fsbp", "kms-key-policy-exists", "kms-key-rotation-enabled", "s3-versioning", "s3-versioning-mfa"}
	for name, want := range map[string]string{
		"fsb":                      "fsbp",
		"fspb":                     "fsbp",
		"FSBP":                     "fsbp",
		"kms-key-rotation":         "kms-key-rotation-enabled",
		"kms-key-rotation-enabeld": "kms-key-rotation-enabled",
		"s3-versioning-m":          "s3-versioning-mfa",
		"s3-versionning":           "s3-versioning",
		"aurora-multi-az":          "",
		"":                         "",
	} {
		require.Equal(t, want, Nearest(name, known), name)
	}
	require.Empty(t, Nearest("fsbp", nil))
}
