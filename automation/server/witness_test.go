package server

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/stretchr/testify/require"

	"redoubt/automation/backend"
	"redoubt/automation/provision"
)

// nothing can be ordered in these tests.
type nothing struct{}

func (nothing) Blueprints() []provision.Blueprint { return nil }

func (nothing) Blueprint(string, string) (provision.Blueprint, error) {
	return provision.Blueprint{}, errors.New("none")
}

// locker is as much of Amazon S3 as a bucket with Object Lock needs.
type locker struct {
	mu      sync.Mutex
	objects map[string]string
	puts    int
	broken  bool
	wrong   []string
}

func (l *locker) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.puts++
	text, _ := io.ReadAll(r.Body)
	if !signedWell(r) {
		l.wrong = append(l.wrong, "the signature")
	}
	until, err := time.Parse(time.RFC3339, r.Header.Get("X-Amz-Object-Lock-Retain-Until-Date"))
	if err != nil || time.Until(until) < 47*time.Hour || r.Header.Get("X-Amz-Object-Lock-Mode") != "COMPLIANCE" || r.Header.Get("X-Amz-Checksum-Sha256") == "" {
		l.wrong = append(l.wrong, "the lock")
	}
	switch {
	case r.Method != http.MethodPut:
		w.WriteHeader(http.StatusMethodNotAllowed)
	case l.broken:
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, "<Error><Code>InvalidRequest</Code><Message>Bucket is missing Object Lock Configuration</Message></Error>")
	case l.objects[r.URL.Path] != "":
		w.WriteHeader(http.StatusPreconditionFailed)
	default:
		l.objects[r.URL.Path] = string(text)
	}
}

// signedWell signs the request again, and compares.
func signedWell(r *http.Request) bool {
	_, list, _ := strings.Cut(r.Header.Get("Authorization"), "SignedHeaders=")
	list, _, _ = strings.Cut(list, ",")
	again, err := http.NewRequest(r.Method, "http://"+r.Host+r.URL.Path, nil)
	if err != nil {
		return false
	}
	again.ContentLength = r.ContentLength
	for _, name := range strings.Split(list, ";") {
		if value := r.Header.Get(name); value != "" && name != "content-length" {
			again.Header.Set(name, value)
		}
	}
	at, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	if err != nil {
		return false
	}
	signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true })
	err = signer.SignHTTP(r.Context(), aws.Credentials{AccessKeyID: "AKIAEXAMPLE", SecretAccessKey: "secret"}, again, r.Header.Get("X-Amz-Content-Sha256"), "s3", "eu-central-1", at)
	return err == nil && again.Header.Get("Authorization") == r.Header.Get("Authorization")
}

// Checkpoints go to a file and to a bucket, each once, and those that were missed
// later.
func TestCheckpointsAreKeptElsewhere(t *testing.T) {
	s3 := &locker{objects: map[string]string{}, broken: true}
	fake := httptest.NewServer(s3)
	t.Cleanup(fake.Close)
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL_S3": fake.URL, "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "eu-central-1",
		"AWS_SESSION_TOKEN": "", "AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
	} {
		t.Setenv(name, value)
	}
	folder := t.TempDir()
	config := Defaults()
	config.Listen, config.Data, config.Provisioning.Role = "127.0.0.1:0", filepath.Join(folder, "data"), roleAll
	config.Provisioning.PolicyPack = "none"
	config.Audit = Audit{File: filepath.Join(folder, "checkpoints.jsonl"), Bucket: "s3://locked.example/redoubt", Retention: 48 * time.Hour}
	s, err := Open(t.Context(), config, WithCatalog(nothing{}))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	_, err = s.Bootstrap(t.Context())
	require.NoError(t, err)

	err = s.provisioning.checkpoint(t.Context())
	require.ErrorContains(t, err, "s3://locked.example/redoubt refused an object with Object Lock: 400 Bad Request InvalidRequest")
	lines := func() (list []provision.SavedCheckpoint) {
		text, err := os.ReadFile(config.Audit.File)
		require.NoError(t, err)
		for line := range strings.Lines(string(text)) {
			var c provision.SavedCheckpoint
			if json.Unmarshal([]byte(line), &c) == nil {
				list = append(list, c)
			}
		}
		return list
	}
	require.Len(t, lines(), 1, "the file has it whatever the bucket says")

	// Another entry, and another checkpoint; the machine died while it was written.
	require.NoError(t, s.service.CreateOrganization(t.Context(), backend.Caller{Token: backend.Token{Principal: "root", Grants: []backend.Grant{{Stacks: "*/*/*", Verbs: []backend.Verb{backend.Admin}}}}}, "acme"))
	_, err = s.provisioning.service.CheckpointAudit(t.Context(), true)
	require.NoError(t, err)
	file, err := os.OpenFile(config.Audit.File, os.O_APPEND|os.O_WRONLY, 0o600)
	require.NoError(t, err)
	_, err = file.WriteString(`{"sequence":99,"ha`)
	require.NoError(t, errors.Join(err, file.Close()))
	s3.broken = false
	for range 2 {
		require.NoError(t, s.provisioning.checkpoint(t.Context()))
	}
	kept := lines()
	require.Len(t, kept, 2)
	require.Less(t, kept[0].Sequence, kept[1].Sequence)
	require.Equal(t, 3, s3.puts, "the one that was refused, and each once")
	require.Len(t, s3.objects, 2)
	require.Empty(t, s3.wrong)
	var in provision.SavedCheckpoint
	require.NoError(t, json.Unmarshal([]byte(s3.objects["/locked.example/redoubt/checkpoint-00000000000000000001.json"]), &in))
	require.Equal(t, kept[0], in)

	// Another node has a file of its own, with all of them; and a bucket that has one
	// already keeps it.
	other := fileWitness{filepath.Join(folder, "other.jsonl")}
	require.NoError(t, s.provisioning.tell(t.Context(), other))
	last, err := other.last(t.Context())
	require.NoError(t, err)
	require.Equal(t, kept[1].Sequence, last)
	again, err := openBucket(t.Context(), config.Audit.Bucket, config.Audit.Retention)
	require.NoError(t, err)
	require.NoError(t, again.put(t.Context(), "checkpoint-00000000000000000001.json", []byte("{}")))
	require.NotEqual(t, "{}", s3.objects["/locked.example/redoubt/checkpoint-00000000000000000001.json"])
}
