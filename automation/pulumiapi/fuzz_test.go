package pulumiapi_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/pulumiapi"
)

// fuzz sends bodies to an endpoint of a stack with a running update. Whatever
// they are, the service does not fail, and a body that was refused changed
// nothing that a later one depends on.
func fuzz(f *testing.F, method, path string, lease bool, seeds ...string) {
	f.Helper()
	// A log of millions of requests would fill the memory.
	w := newWorld(f, "", func(o *pulumiapi.Options) { o.Log = nil })
	stack := w.stack(f, "dev")
	update, token := w.update(f, stack, false, true)
	at := stack + path
	auth := "token " + w.admin
	if lease {
		at, auth = update+path, token
	}
	for _, seed := range seeds {
		f.Add([]byte(seed), false)
		f.Add(zipped(f, []byte(seed)), true)
	}
	handler := w.server.Config.Handler
	f.Fuzz(func(t *testing.T, body []byte, gzip bool) {
		r := httptest.NewRequest(method, at, strings.NewReader(string(body)))
		r.Header.Set("Authorization", auth)
		if gzip {
			r.Header.Set("Content-Encoding", "gzip")
		}
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, r)
		require.Less(t, answer.Code, http.StatusInternalServerError, "%s", answer.Body)
	})
}

func FuzzJournalEntries(f *testing.F) {
	fuzz(f, http.MethodPatch, "/journalentries", true, batch(created(1, "a")...), `{"entries":[null]}`, `{"entries":[{"sequenceID":-1}]}`, `{"entries":{}}`, journal(3))
}

func FuzzEvents(f *testing.F) {
	fuzz(f, http.MethodPost, "/events/batch", true,
		`{"events":[{"sequence":1,"timestamp":1,"summaryEvent":{"resourceChanges":{"same":1}}},{"sequence":-1}]}`,
		`{"events":[{"sequence":2,"policyAnalyzeStackSummaryEvent":{"policyPackName":"a","policyPackVersionTag":"1"}}]}`)
}

func FuzzImport(f *testing.F) {
	fuzz(f, http.MethodPost, "/import", false, `{"version":3,"deployment":{"resources":[`+resource("a")+`]}}`, `{"version":4,"deployment":{"pending_operations":[{"type":"creating"}]}}`, `[]`)
}

func FuzzBatchDecrypt(f *testing.F) {
	fuzz(f, http.MethodPost, "/batch-decrypt", false, `{"ciphertexts":["AQAAAAE="]}`, `{"ciphertexts":[null,""]}`, `{"ciphertexts":"x"}`)
}
