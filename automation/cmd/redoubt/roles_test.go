package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/launch"
)

func TestRolesAWS(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "accounts.yaml")
	require.NoError(t, os.WriteFile(file, []byte(`accounts:
  - {stacks: [acme/shop], account: "111122223333", externalId: redoubt-acme, region: eu-central-1}
  - {stacks: [acme], account: "444455556666", externalId: redoubt-acme, region: eu-west-1, previewRole: look}
`), 0o600))
	const server = "arn:aws:iam::999988887777:role/redoubt"
	code, out, errs := redoubt(t, "roles", "aws", "--accounts", file, "--server", server, "secure-bucket")
	require.Zero(t, code, errs)
	var accounts []launch.Account
	require.NoError(t, json.Unmarshal([]byte(out), &accounts))
	require.Len(t, accounts, 2)
	require.Equal(t, "111122223333", accounts[0].ID)
	require.Equal(t, "redoubt-launch-boundary", accounts[0].Boundary.Name)
	require.Equal(t, []string{"redoubt-preview", "redoubt-launch-secure-bucket"}, []string{accounts[0].Roles[0].Name, accounts[0].Roles[1].Name})
	require.Equal(t, "look", accounts[1].Roles[0].Name)
	require.Equal(t, []string{server}, accounts[1].Roles[1].Trust[0].Principals.AWS)

	for want, args := range map[string][]string{
		"has no account 12":                   {"--accounts", file, "--server", server, "--account", "12"},
		"is no ARN of a role":                 {"--accounts", file, "--server", "arn:aws:sts::999988887777:assumed-role/redoubt/i-0"},
		`there is no blueprint "secure-bukt"`: {"--accounts", file, "--server", server, "secure-bukt"},
		"cannot be read":                      {"--accounts", file + "s", "--server", server},
	} {
		code, _, errs := redoubt(t, append([]string{"roles", "aws"}, args...)...)
		require.Equal(t, exitError, code)
		require.Contains(t, errs, want)
	}
}
