package provision_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/provision"
)

// imported gives a stack a state with a bucket and outputs, one of them secret.
func (w *world) imported(t testing.TB, env provision.Environment, secret string) {
	t.Helper()
	sealed, err := w.backend.Encrypt(t.Context(), everything, env.Name, [][]byte{[]byte(secret)})
	require.NoError(t, err)
	state := fmt.Sprintf(`{"version":3,"deployment":{"manifest":{"time":"2026-01-01T00:00:00Z","magic":"","version":""},"resources":[
		{"urn":"urn:pulumi:logs::shop::pulumi:pulumi:Stack::shop-logs","custom":false,"type":"pulumi:pulumi:Stack","outputs":{
			"url":"https://x","count":9007199254740993,
			"login":{"user":"u","password":{"4dabf18193072939515e22adb298388d":"1b47061264138c4ac30d75fd1eb44270","ciphertext":%q}}}},
		{"urn":"urn:pulumi:logs::shop::aws:s3/bucket:Bucket::b","custom":true,"id":"b-1","type":"aws:s3/bucket:Bucket",
			"inputs":{"bucket":"b"},"outputs":{"bucket":"b"},"parent":"urn:pulumi:logs::shop::pulumi:pulumi:Stack::shop-logs"}]}}`,
		base64.StdEncoding.EncodeToString(sealed[0]))
	_, err = w.backend.Import(t.Context(), everything, env.Name, json.RawMessage(state))
	require.NoError(t, err)
}

var stateTests = []test{
	{"outputs are read with secrets masked, and revealed with a reason", func(t *testing.T, w *world) {
		env, _ := w.environment(t, "logs")
		none, err := w.Outputs(t.Context(), w.viewer, env.ID)
		require.NoError(t, err)
		require.Empty(t, none)
		w.imported(t, env, `{"of":["hunter2"]}`)
		masked, err := w.Outputs(t.Context(), w.viewer, env.ID)
		require.NoError(t, err)
		text, err := json.Marshal(masked)
		require.NoError(t, err)
		require.JSONEq(t, `{"url":"https://x","count":9007199254740993,"login":{"user":"u","password":"[secret]"}}`, string(text))

		w.unchanged(t, provision.CodeInvalid, "/reason", func() error { _, err := w.RevealOutputs(t.Context(), w.operator, env.ID, ""); return err })
		withoutFactor := w.operator
		withoutFactor.MFA = false
		w.unchanged(t, provision.CodeForbidden, "second factor", func() error {
			_, err := w.RevealOutputs(t.Context(), withoutFactor, env.ID, "an incident")
			return err
		})
		open, err := w.RevealOutputs(t.Context(), w.operator, env.ID, "an incident")
		require.NoError(t, err)
		text, err = json.Marshal(open)
		require.NoError(t, err)
		require.JSONEq(t, `{"url":"https://x","count":9007199254740993,"login":{"user":"u","password":{"of":["hunter2"]}}}`, string(text))
		entries := w.entries(t)
		reveal, decrypt := entries[len(entries)-2], entries[len(entries)-1]
		require.Equal(t, "outputs.reveal", reveal.Action)
		require.Equal(t, "an incident", reveal.Detail["reason"])
		require.Equal(t, "secrets.decrypt", decrypt.Action)
		require.Equal(t, "omar", decrypt.Principal)
		require.NotContains(t, fmt.Sprint(entries), "hunter2")
	}},
	{"resources are read without what they are made of", func(t *testing.T, w *world) {
		env, _ := w.environment(t, "logs")
		w.imported(t, env, `"x"`)
		found, err := w.Resources(t.Context(), w.viewer, env.ID)
		require.NoError(t, err)
		require.Equal(t, provision.StackResource{
			URN: "urn:pulumi:logs::shop::aws:s3/bucket:Bucket::b", Type: "aws:s3/bucket:Bucket", ID: "b-1", Custom: true,
			Parent: "urn:pulumi:logs::shop::pulumi:pulumi:Stack::shop-logs",
		}, found[1])
		history, err := w.History(t.Context(), w.viewer, env.ID, "", 10)
		require.NoError(t, err)
		require.Len(t, history, 1)
		require.Empty(t, history[0].SealedConfig)
	}},
}
