package server_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/backend"
	"redoubt/automation/server"
)

// forget removes all but the current key from a key file.
func forget(t *testing.T, path string) {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	var file struct {
		Current string           `json:"current"`
		Keys    []map[string]any `json:"keys"`
	}
	require.NoError(t, json.Unmarshal(text, &file))
	require.Len(t, file.Keys, 2)
	file.Keys = slices.DeleteFunc(file.Keys, func(k map[string]any) bool { return k["id"] != file.Current })
	text, err = json.Marshal(file)
	require.NoError(t, err)
	replace(t, path, text)
}

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

	// The older key is needed no more, not even for a start.
	s.Stop()
	forget(t, path)
	c.url = start(t, config).URL()
	opens("after a restart without the older key")

	_, err = server.RotateKeyFile(t.TempDir())
	require.ErrorContains(t, err, "there is no key file")
	require.ErrorContains(t, err, "--data")
}
