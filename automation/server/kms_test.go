package server_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/server"
)

// kms is as much of AWS KMS as a key needs.
type kms struct {
	mu   sync.Mutex
	kept []sealed
}

type sealed struct {
	KeyID             string `json:"KeyId"`
	Plaintext         []byte
	CiphertextBlob    []byte
	EncryptionContext map[string]string
}

func (k *kms) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	k.mu.Lock()
	defer k.mu.Unlock()
	var in sealed
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if r.Header.Get("X-Amz-Target") == "TrentService.Encrypt" {
		k.kept = append(k.kept, in)
		_ = json.NewEncoder(w).Encode(map[string]any{"KeyId": in.KeyID, "CiphertextBlob": []byte{byte(len(k.kept) - 1)}})
		return
	}
	was := k.kept[in.CiphertextBlob[0]]
	if was.KeyID != in.KeyID || !maps.Equal(was.EncryptionContext, in.EncryptionContext) {
		w.WriteHeader(http.StatusBadRequest)
		_ = json.NewEncoder(w).Encode(map[string]string{"__type": "InvalidCiphertextException"})
		return
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"KeyId": in.KeyID, "Plaintext": was.Plaintext})
}

// A database goes from the key file to AWS KMS, to another key there, and back:
// each time one setting and one rewrap.
func TestKeysMoveBetweenFileAndKMS(t *testing.T) {
	fake := httptest.NewServer(&kms{})
	t.Cleanup(fake.Close)
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL_KMS": fake.URL, "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
	} {
		t.Setenv(name, value)
	}
	const one, two = "awskms://arn:aws:kms:eu-central-1:111122223333:key/one", "awskms://arn:aws:kms:eu-central-1:111122223333:key/two"
	config := configure(t)
	s, client := bootstrap(t, config)
	c := &cli{url: s.URL(), token: client.Token}
	c.person(t, "POST", "/api/stacks/main/shop", map[string]any{"stackName": "prod"}, nil)
	var secret, opened struct {
		Ciphertext []byte `json:"ciphertext"`
		Plaintext  []byte `json:"plaintext"`
	}
	c.person(t, "POST", aStack+"/encrypt", map[string]any{"plaintext": []byte("hunter2")}, &secret)
	s.Stop()
	for _, step := range []server.Keys{
		{Source: one},
		{Source: two, Older: []string{one}},
		{Source: two},
		{Source: "file", Older: []string{two}},
		{Source: "file"},
	} {
		config.Keys = step
		s = start(t, config)
		client.URL, c.url = s.URL(), s.URL()
		_, err := client.Rewrap(t.Context())
		require.NoError(t, err)
		c.person(t, "POST", aStack+"/decrypt", map[string]any{"ciphertext": secret.Ciphertext}, &opened)
		require.Equal(t, "hunter2", string(opened.Plaintext), "%+v", step)
		s.Stop()
	}
	// A key that is still needed and not configured is named.
	config.Keys = server.Keys{Source: two}
	s = start(t, config)
	client.URL = s.URL()
	_, err := client.Rewrap(t.Context())
	require.NoError(t, err)
	s.Stop()
	config.Keys = server.Keys{Source: "file"}
	_, err = server.Open(t.Context(), config)
	require.ErrorContains(t, err, "signing key cannot be opened")
}
