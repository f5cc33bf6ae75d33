package awskms_test

import (
	"crypto/rand"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/stretchr/testify/require"

	"redoubt/automation/awskms"
	"redoubt/automation/backend"
)

var _ backend.Keyring = (*awskms.Ring)(nil)

const (
	first  = "arn:aws:kms:eu-central-1:111122223333:key/first"
	second = "arn:aws:kms:eu-west-1:111122223333:key/second"
	third  = "arn:aws:kms:eu-west-1:444455556666:key/third"
)

// service is as much of AWS KMS as is needed, over its own protocol (AWS JSON
// 1.1). It keeps what it encrypts.
type service struct {
	mu    sync.Mutex
	kept  map[string]request
	calls []request
	// refuse is the error that it answers with, if any.
	refuse string
}

type request struct {
	Operation         string `json:"-"`
	Region            string `json:"-"`
	KeyID             string `json:"KeyId"`
	Plaintext         []byte
	CiphertextBlob    []byte
	EncryptionContext map[string]string
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	in := request{Operation: r.Header.Get("X-Amz-Target"), Region: r.Header.Get("Authorization")}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	fail := func(kind string) {
		w.WriteHeader(http.StatusBadRequest)
		_ = json.NewEncoder(w).Encode(map[string]string{"__type": kind, "message": "no"})
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		fail("SerializationException")
		return
	}
	s.calls = append(s.calls, in)
	if s.refuse != "" {
		fail(s.refuse)
		return
	}
	switch in.Operation {
	case "TrentService.Encrypt":
		blob := rand.Text()
		s.kept[blob] = in
		_ = json.NewEncoder(w).Encode(map[string]any{"KeyId": in.KeyID, "CiphertextBlob": []byte(blob)})
	case "TrentService.Decrypt":
		was, ok := s.kept[string(in.CiphertextBlob)]
		switch {
		case !ok || !maps.Equal(was.EncryptionContext, in.EncryptionContext):
			fail("InvalidCiphertextException")
		case was.KeyID != in.KeyID:
			fail("IncorrectKeyException")
		default:
			_ = json.NewEncoder(w).Encode(map[string]any{"KeyId": in.KeyID, "Plaintext": was.Plaintext})
		}
	default:
		fail("UnknownOperationException")
	}
}

func (s *service) open(t *testing.T, current string, older ...string) *awskms.Ring {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	ring, err := awskms.Open(t.Context(), current, older, func(o *kms.Options) {
		o.BaseEndpoint = aws.String(server.URL)
		o.Credentials = credentials.NewStaticCredentialsProvider("AKIAEXAMPLE", "secret", "")
		o.RetryMaxAttempts = 1
	})
	require.NoError(t, err)
	return ring
}

func TestKeysAreWrappedByKMSAndBoundToTheirLabel(t *testing.T) {
	t.Parallel()
	s := &service{kept: map[string]request{}}
	ring := s.open(t, first)
	require.NoError(t, ring.Check(t.Context()))

	wrapped, by, err := ring.Wrap(t.Context(), []byte("a key of a stack"), "data key of stk_1")
	require.NoError(t, err)
	require.Equal(t, "awskms:"+first, by)
	require.Equal(t, ring.Current(), by)
	require.NotContains(t, string(wrapped), "stack")
	plain, err := ring.Unwrap(t.Context(), wrapped, by, "data key of stk_1")
	require.NoError(t, err)
	require.Equal(t, "a key of a stack", string(plain))

	last := s.calls[len(s.calls)-1]
	require.Equal(t, map[string]string{"redoubt:label": "data key of stk_1"}, last.EncryptionContext)
	require.Contains(t, last.Region, "/eu-central-1/kms/", "the request is signed for the key's own region")

	_, err = ring.Unwrap(t.Context(), wrapped, by, "data key of stk_2")
	require.ErrorContains(t, err, "InvalidCiphertextException")
}

func TestOlderKeysOpenWhatTheyWrapped(t *testing.T) {
	t.Parallel()
	s := &service{kept: map[string]request{}}
	wrapped, by, err := s.open(t, first).Wrap(t.Context(), []byte("key"), "l")
	require.NoError(t, err)

	ring := s.open(t, second, first)
	plain, err := ring.Unwrap(t.Context(), wrapped, by, "l")
	require.NoError(t, err)
	require.Equal(t, "key", string(plain))
	_, now, err := ring.Wrap(t.Context(), plain, "l")
	require.NoError(t, err)
	require.Equal(t, "awskms:"+second, now)

	calls := len(s.calls)
	for _, foreign := range []string{"awskms:" + third, "file:abc", first} {
		_, err = ring.Unwrap(t.Context(), wrapped, foreign, "l")
		require.ErrorContains(t, err, "is not among the configured keys")
	}
	require.Len(t, s.calls, calls, "a key that is not ours is not even asked")
}

func TestErrorsSayWhichKeyAndPermission(t *testing.T) {
	t.Parallel()
	s := &service{kept: map[string]request{}, refuse: "AccessDeniedException"}
	err := s.open(t, first).Check(t.Context())
	require.ErrorContains(t, err, first)
	require.ErrorContains(t, err, "kms:Encrypt")
	require.ErrorContains(t, err, "AccessDeniedException")
	for _, bad := range []string{"", "alias/x", "arn:aws:kms:eu-central-1:111122223333:alias/x", "arn:aws:s3:::x", "arn:aws:kms::111122223333:key/x"} {
		_, err := awskms.Open(t.Context(), bad, nil)
		require.ErrorContains(t, err, "is no ARN of a KMS key", bad)
	}
}
