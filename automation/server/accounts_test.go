package server_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/server"
)

// Orders go to AWS with roles from a list, or with the server's own credentials where
// that is said in so many words.
func TestAccountAWSNeedsTheListOfRoles(t *testing.T) {
	t.Parallel()
	good := write(t, "accounts.yaml", "accounts:\n  - {stacks: [acme], account: \"111122223333\", externalId: redoubt-acme, region: eu-central-1}\n")
	bad := write(t, "bad.yaml", "accounts:\n  - {stacks: [acme], account: \"1\", externalId: redoubt-acme}\n")
	for _, row := range []struct {
		flags map[string]any
		want  []string
	}{
		{map[string]any{"account": "aws", "provisioning-accounts": good}, nil},
		{map[string]any{"account": "ambient"}, nil},
		{map[string]any{"account": "aws", "role": "api", "database": "postgres://db/x?sslmode=verify-full"}, nil},
		{map[string]any{"account": "aws"}, []string{"provisioning.accounts: account aws needs the list", "--account ambient"}},
		{map[string]any{"account": "aws", "provisioning-accounts": bad}, []string{`accounts[0].account: "1"`, `accounts[0].region: ""`, "[flag --provisioning-accounts]"}},
		{map[string]any{"account": "aws", "provisioning-accounts": "/no/such.yaml"}, []string{"cannot be read"}},
		{map[string]any{"account": "ambient", "provisioning-accounts": good}, []string{"is for provisioning.account aws, and that is ambient"}},
		{map[string]any{"account": "azure"}, []string{`"azure" is none of rehearsal, aws, ambient`}},
	} {
		_, _, err := server.Load(server.Sources{Flags: row.flags})
		if row.want == nil {
			require.NoError(t, err, row.flags)
			continue
		}
		for _, want := range row.want {
			require.ErrorContains(t, err, want)
		}
	}
}
