package api_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"redoubt/automation/api"
)

// FuzzBody sends bodies of any kind to every endpoint that takes one: the answer
// may be anything but a fault of ours.
func FuzzBody(f *testing.F) {
	for _, row := range matrix {
		f.Add(row.body)
	}
	for _, text := range []string{
		"", "{", "[]", "null", "0", `"x"`, `{"name":{}}`, `{"inputs":[[[[]]]]}`, `{"labels":{"a.b[0]":1}}`, `{"ttl":"99999999d"}`, `{"settings":{"quota":{"stacks":-1e999}}}`,
		`{"name":"\u0000\ud800"}`, "{\"name\":\"\xff\xfe\"}", `{"types":[null]}`, `{"schedules":[{"at":"0000-00-00T00:00:00Z"}]}`, strings.Repeat("[", 10000),
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, body string) {
		w := open(t)
		handler := api.New(w.service, w.options)
		for route, row := range matrix {
			if row.body == "" {
				continue
			}
			method, path, _ := strings.Cut(route, " ")
			path = strings.NewReplacer("{project}", w.shop.ID, "{stack}", w.stack.ID, "{op}", w.op.ID, "{waiver}", w.shopWaiver.ID, "{hook}", w.hook.ID).Replace(path)
			request := httptest.NewRequest(method, path, strings.NewReader(body))
			request.Header.Set("Authorization", "Bearer root")
			request.Header.Set("If-Match", `"1"`)
			request.Header.Set("Idempotency-Key", "k")
			answer := httptest.NewRecorder()
			handler.ServeHTTP(answer, request)
			if answer.Code >= http.StatusInternalServerError || strings.Contains(answer.Body.String(), "json:") {
				t.Fatalf("%s: %d %s", route, answer.Code, answer.Body)
			}
		}
	})
}
