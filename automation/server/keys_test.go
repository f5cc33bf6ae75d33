package server_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/backend"
	"redoubt/automation/server"
)

var prod = backend.StackName{Org: "main", Project: "shop", Stack: "prod"}

// The key file is rotated under the running server, the stacks' keys are
// wrapped anew, and nothing is lost, before or after a restart.
func TestKeyFileIsRotatedUnderTheServer(t *testing.T) {
	t.Parallel()
	config := configure(t)
	s, client := bootstrap(t, config)
	c := &cli{url: s.URL(), token: client.Token}
	c.person(t, "POST", "/api/stacks/main/shop", map[string]any{"stackName": "prod"}, nil)
	var sealed struct {
		Ciphertext []byte `json:"ciphertext"`
	}
	c.person(t, "POST", aStack+"/encrypt", map[string]any{"plaintext": []byte("hunter2")}, &sealed)
	opens := func(when string) {
		t.Helper()
		var opened struct {
			Plaintext []byte `json:"plaintext"`
		}
		c.person(t, "POST", aStack+"/decrypt", map[string]any{"ciphertext": sealed.Ciphertext}, &opened)
		require.Equal(t, "hunter2", string(opened.Plaintext), when)
	}

	wrapped, err := client.Rewrap(t.Context())
	require.NoError(t, err)
	require.Zero(t, wrapped.Keys, "all are wrapped by the current key")
	id, err := server.RotateKeyFile(config.Data)
	require.NoError(t, err)
	opens("after the rotation")
	wrapped, err = client.Rewrap(t.Context())
	require.NoError(t, err)
	require.Positive(t, wrapped.Keys)
	require.Contains(t, s.Log.String(), id)
	opens("after the keys were wrapped anew")

	require.NoError(t, client.RotateKey(t.Context(), prod))
	opens("after the stack's own key was rotated")
	_, metrics := get(t, s.URL()+"/metrics")
	require.Contains(t, metrics, "redoubt_secrets_decrypted_total 3\n")

	// A file that was damaged does not take the keys from a running server.
	path := filepath.Join(config.Data, "keys.json")
	good, err := os.ReadFile(path)
	require.NoError(t, err)
	replace(t, path, []byte("{"))
	require.NoError(t, client.RotateKey(t.Context(), prod))
	require.Contains(t, s.Log.String(), "the keys from before are used")
	replace(t, path, good)

	s.Stop()
	c.url = start(t, config).URL()
	opens("after a restart")

	_, err = server.RotateKeyFile(t.TempDir())
	require.ErrorContains(t, err, "there is no key file")
	require.ErrorContains(t, err, "--data")
}
