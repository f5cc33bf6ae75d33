package search_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/stretchr/testify/require"

	"redoubt/infra/workload/functions/search-bootstrap/search"
)

var (
	keys = credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "example", "token")
	noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
)

// opensearch answers as a domain does, and keeps what was written.
type opensearch struct {
	*httptest.Server
	t *testing.T

	mu    sync.Mutex
	parts map[string]map[string]any
	seq   int
	log   []string
	// refuse answers every PUT with a status.
	refuse int
}

func start(t *testing.T) (*opensearch, *search.Domain) {
	t.Helper()
	o := &opensearch{t: t, parts: map[string]map[string]any{}}
	o.Server = httptest.NewTLSServer(http.HandlerFunc(o.serve))
	t.Cleanup(o.Close)
	return o, &search.Domain{
		Endpoint: o.URL, Region: "eu-central-1", Credentials: keys, Client: o.Client(), Now: func() time.Time { return noon },
	}
}

func (o *opensearch) serve(w http.ResponseWriter, r *http.Request) {
	o.mu.Lock()
	defer o.mu.Unlock()
	body, err := io.ReadAll(r.Body)
	if err != nil || !signed(r, body) {
		reply(w, http.StatusForbidden, map[string]any{"message": "the signature does not match"})
		return
	}
	o.log = append(o.log, r.Method+" "+r.URL.RequestURI())
	part, known := o.parts[r.URL.Path]
	if r.Method == http.MethodGet {
		if !known {
			reply(w, http.StatusNotFound, map[string]any{"status": "NOT_FOUND"})
			return
		}
		reply(w, http.StatusOK, part)
		return
	}
	version := fmt.Sprintf("if_primary_term=1&if_seq_no=%d", o.seq)
	switch {
	case o.refuse != 0:
		reply(w, o.refuse, map[string]any{"message": "no permissions"})
		return
	case known && strings.Contains(r.URL.Path, "_ism") && r.URL.RawQuery != version:
		reply(w, http.StatusConflict, map[string]any{"error": "version_conflict_engine_exception"})
		return
	}
	o.seq++
	o.parts[r.URL.Path] = o.stored(r.URL.Path, body)
	reply(w, http.StatusCreated, map[string]any{"status": "CREATED"})
}

// stored is what a GET returns afterwards: wrapped, and with the domain's own
// additions.
func (o *opensearch) stored(path string, body []byte) map[string]any {
	var part map[string]any
	require.NoError(o.t, json.Unmarshal(body, &part))
	name := path[strings.LastIndex(path, "/")+1:]
	switch {
	case strings.Contains(path, "_ism"):
		policy := part["policy"].(map[string]any)
		policy["schema_version"] = 21
		return map[string]any{"_id": name, "_seq_no": o.seq, "_primary_term": 1, "policy": policy}
	case strings.Contains(path, "_index_template"):
		settings := part["template"].(map[string]any)["settings"].(map[string]any)
		settings["number_of_replicas"] = fmt.Sprint(settings["number_of_replicas"])
		return map[string]any{"index_templates": []any{map[string]any{"name": name, "index_template": part}}}
	}
	part["reserved"], part["hidden"] = false, false
	return map[string]any{name: part}
}

// signed computes the signature again, from what arrived.
func signed(r *http.Request, body []byte) bool {
	sum := sha256.Sum256(body)
	hash := hex.EncodeToString(sum[:])
	again, err := http.NewRequest(r.Method, "https://"+r.Host+r.URL.RequestURI(), bytes.NewReader(body))
	if err != nil || r.Header.Get("X-Amz-Content-Sha256") != hash {
		return false
	}
	for _, name := range []string{"Content-Type", "X-Amz-Content-Sha256"} {
		if v := r.Header.Get(name); v != "" {
			again.Header.Set(name, v)
		}
	}
	who := aws.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "example", SessionToken: "token"}
	if err := v4.NewSigner().SignHTTP(r.Context(), who, again, hash, "es", "eu-central-1", noon); err != nil {
		return false
	}
	return r.Header.Get("Authorization") == again.Header.Get("Authorization")
}

func reply(w http.ResponseWriter, status int, body map[string]any) {
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client reports a lost answer
}

func setup(days string) search.Setup {
	return search.Setup{
		Roles:        map[string]json.RawMessage{"log_reader": json.RawMessage(`{"index_permissions":[{"index_patterns":["logs-*"],"allowed_actions":["read"]}]}`)},
		RoleMappings: map[string]json.RawMessage{"log_reader": json.RawMessage(`{"backend_roles":["arn:aws:iam::123456789012:role/redoubt-dev-app-task"]}`)},
		Policies:     map[string]json.RawMessage{"logs": json.RawMessage(`{"policy":{"default_state":"hot","states":[{"name":"hot","transitions":[{"state_name":"gone","conditions":{"min_index_age":"` + days + `"}}]}]}}`)},
		Templates:    map[string]json.RawMessage{"logs": json.RawMessage(`{"index_patterns":["logs-*"],"template":{"settings":{"number_of_replicas":1}}}`)},
	}
}

func TestApplyWritesOnceAndThenWhatDiffers(t *testing.T) {
	t.Parallel()
	o, d := start(t)
	r, err := d.Apply(t.Context(), setup("30d"))
	require.NoError(t, err)
	require.Equal(t, []string{"role log_reader", "role mapping log_reader", "policy logs", "template logs"}, r.Written)
	require.Equal(t, []string{
		"GET /_plugins/_security/api/roles/log_reader", "PUT /_plugins/_security/api/roles/log_reader",
		"GET /_plugins/_security/api/rolesmapping/log_reader", "PUT /_plugins/_security/api/rolesmapping/log_reader",
		"GET /_plugins/_ism/policies/logs", "PUT /_plugins/_ism/policies/logs",
		"GET /_index_template/logs", "PUT /_index_template/logs",
	}, o.log)

	o.log = nil
	r, err = d.Apply(t.Context(), setup("30d"))
	require.NoError(t, err)
	require.Empty(t, r.Written)
	require.Len(t, r.Unchanged, 4)
	require.Len(t, o.log, 4, "reads only")

	// The policy was the third of four that were written.
	o.seq, o.log = 3, nil
	o.parts["/_plugins/_ism/policies/logs"]["_seq_no"] = 3
	r, err = d.Apply(t.Context(), setup("90d"))
	require.NoError(t, err)
	require.Equal(t, []string{"policy logs"}, r.Written)
	require.Contains(t, o.log, "PUT /_plugins/_ism/policies/logs?if_primary_term=1&if_seq_no=3")
}

// Who changed something by hand gets it changed back; what the setup does not
// speak of stays.
func TestApplyRepairsWhatDrifted(t *testing.T) {
	t.Parallel()
	o, d := start(t)
	_, err := d.Apply(t.Context(), setup("30d"))
	require.NoError(t, err)
	mapping := o.parts["/_plugins/_security/api/rolesmapping/log_reader"]["log_reader"].(map[string]any)
	mapping["backend_roles"] = []any{"arn:aws:iam::123456789012:role/somebody"}
	o.parts["/_plugins/_security/api/roles/other"] = map[string]any{"other": map[string]any{}}
	r, err := d.Apply(t.Context(), setup("30d"))
	require.NoError(t, err)
	require.Equal(t, []string{"role mapping log_reader"}, r.Written)
	require.Contains(t, o.parts, "/_plugins/_security/api/roles/other")
}

func TestApplySaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	t.Run("not the master user", func(t *testing.T) {
		t.Parallel()
		o, d := start(t)
		o.refuse = http.StatusForbidden
		r, err := d.Apply(t.Context(), setup("30d"))
		require.ErrorContains(t, err, "role log_reader: PUT answered 403: no permissions")
		require.ErrorContains(t, err, "master user")
		require.Empty(t, r.Written)
	})
	t.Run("another signature", func(t *testing.T) {
		t.Parallel()
		_, d := start(t)
		d.Region = "eu-west-1"
		_, err := d.Apply(t.Context(), setup("30d"))
		require.ErrorContains(t, err, "the signature does not match")
	})
	t.Run("changed by somebody else", func(t *testing.T) {
		t.Parallel()
		o, d := start(t)
		_, err := d.Apply(t.Context(), setup("30d"))
		require.NoError(t, err)
		o.seq = 99
		_, err = d.Apply(t.Context(), setup("90d"))
		require.ErrorContains(t, err, "run again")
	})
	t.Run("an untrusted certificate", func(t *testing.T) {
		t.Parallel()
		_, d := start(t)
		d.Client = &http.Client{}
		_, err := d.Apply(t.Context(), setup("30d"))
		require.ErrorContains(t, err, "certificate")
	})
	t.Run("a bad setup, all at once", func(t *testing.T) {
		t.Parallel()
		o, d := start(t)
		_, err := d.Apply(t.Context(), search.Setup{
			Roles:    map[string]json.RawMessage{"../x": json.RawMessage(`{}`)},
			Policies: map[string]json.RawMessage{"logs": json.RawMessage(`[]`)},
		})
		require.ErrorContains(t, err, `role "../x": name`)
		require.ErrorContains(t, err, `policy "logs": not a JSON object`)
		require.Empty(t, o.log)
	})
}
