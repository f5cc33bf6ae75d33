package backend_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/backend"
)

// What was secret is in no file of the database, no log and no error, and
// neither is a credential.
func TestSecretsAreNowhereReadable(t *testing.T) {
	t.Parallel()
	const canary = "canary-Tweety-4711"
	folder := filepath.Join(t.TempDir(), "data")
	w := newWorld(t, folder)
	name := w.stack(t, "dev")
	var said []error
	note := func(err error) { said = append(said, err) }

	sealed, err := w.Encrypt(t.Context(), w.admin, name, [][]byte{[]byte(canary)})
	require.NoError(t, err)
	_, err = w.Decrypt(t.Context(), w.admin, name, sealed, "")
	require.NoError(t, err)
	ref := w.start(t, name, backend.NewUpdate{Kind: backend.KindUpdate, Config: json.RawMessage(`{"password":{"string":"` + canary + `"}}`)}, true)
	renewed, err := w.RenewLease(t.Context(), ref)
	require.NoError(t, err)
	entry := bytes.Replace(created(1, 1, "a"), []byte(`"type"`), []byte(`"outputs":{"p":"`+canary+`"},"type"`), 1)
	w.appended(t, ref, entry)
	require.NoError(t, w.PutEvents(t.Context(), ref, rows([]byte(`{"sequence":1,"diagnosticEvent":{"message":"`+canary+`"}}`))))
	note(w.AppendJournal(t.Context(), ref, rows(bytes.Replace(entry, []byte("id-a"), []byte("id-b"), 1))))
	note(w.AppendJournal(t.Context(), ref, rows([]byte(`{"version":1,"kind":1,"sequenceID":"`+canary+`"}`))))
	note(w.PutEvents(t.Context(), ref, rows([]byte(`{"sequence":"`+canary+`"}`))))
	require.NoError(t, w.CompleteUpdate(t.Context(), ref, backend.StatusSucceeded))
	require.Contains(t, string(w.exported(t, name, 0)), canary)
	whole := w.start(t, name, backend.NewUpdate{Kind: backend.KindUpdate}, false)
	state := bytes.Replace(stateOf("a"), []byte(`"custom"`), []byte(`"inputs":{"p":"`+canary+`"},"custom"`), 1)
	require.NoError(t, w.PutCheckpoint(t.Context(), whole, 1, state))
	note(w.PutCheckpoint(t.Context(), whole, 2, []byte(`{"version":"`+canary+`"}`)))
	require.NoError(t, w.CompleteUpdate(t.Context(), whole, backend.StatusFailed))
	_, err = w.Import(t.Context(), w.admin, name, state)
	require.NoError(t, err)
	_, err = w.Import(t.Context(), w.admin, name, []byte(`{"version":3,"deployment":"`+canary+`"}`))
	note(err)
	broken := w.begin(t, name)
	w.appended(t, broken, []byte(`{"version":1,"kind":1,"sequenceID":1,"operationID":1,"removeOld":99,"state":{"urn":"`+canary+`","type":"`+canary+`"}}`))
	note(w.CompleteUpdate(t.Context(), broken, backend.StatusSucceeded))

	credentials := []string{w.credential, ref.Token, renewed.Token, whole.Token}
	hidden := append(credentials, canary, base64.StdEncoding.EncodeToString([]byte(canary)), w.credential[len(w.credential)-20:])
	files, err := filepath.Glob(filepath.Join(folder, "*"))
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(files), 3, "the database, its log and the lock")
	for _, secret := range hidden {
		for _, file := range files {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			require.False(t, bytes.Contains(text, []byte(secret)), "%s in %s", secret, file)
		}
		require.NotContains(t, w.log.String(), secret)
		for _, err := range said {
			require.Error(t, err)
			require.NotContains(t, err.Error(), secret)
		}
	}
}
