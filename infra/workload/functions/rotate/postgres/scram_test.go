package postgres

import (
	"encoding/base64"
	"testing"

	"github.com/stretchr/testify/require"
)

// The keys of RFC 7677's example exchange: user "user", password "pencil".
func TestVerifierOfTheStandardsExample(t *testing.T) {
	t.Parallel()
	salt, err := base64.StdEncoding.DecodeString("W22ZaJ0SNY7soEsUEjb6gQ==")
	require.NoError(t, err)
	got, err := verifierWith("pencil", salt)
	require.NoError(t, err)
	require.Equal(t, "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=", got)
}

func TestVerifierIsSaltedAndASCII(t *testing.T) {
	t.Parallel()
	one, err := verifier("pencil")
	require.NoError(t, err)
	two, err := verifier("pencil")
	require.NoError(t, err)
	require.NotEqual(t, one, two)
	_, err = verifier("pencïl")
	require.ErrorContains(t, err, "printable ASCII")
	require.NotContains(t, err.Error(), "penc")
}
