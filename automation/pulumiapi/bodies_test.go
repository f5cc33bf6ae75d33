package pulumiapi_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestHostileNames(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	w.stack(t, "dev")
	admin := "token " + w.admin
	long := strings.Repeat("a", 101)
	// In the path of a request, as it comes over the wire.
	for _, name := range []string{
		"..", ".", "%2e%2e", "%2E", "..%2f..", "%2f", "--help", "-x", ".hidden", "a..b", long, "st%C3%A4ck", "%00", "a%0Ab", "a%20b", "%25", "a;b", "'%22%3B", "%E2%80%AE", "",
	} {
		for _, path := range []string{"/api/stacks/acme/shop/" + name, "/api/stacks/acme/" + name + "/dev", "/api/stacks/" + name + "/shop/dev", "/api/stacks/acme/shop/" + name + "/export"} {
			r := w.ask(t, http.MethodGet, path, admin, nil)
			require.Contains(t, []int{http.StatusBadRequest, http.StatusNotFound}, r.status, "%q: %s", path, r.body)
		}
		require.Contains(t, []int{http.StatusBadRequest, http.StatusNotFound}, w.ask(t, http.MethodGet, "/api/orgs/"+name+"/policypacks", admin, nil).status, "%q", name)
		require.Contains(t, []int{http.StatusBadRequest, http.StatusNotFound}, w.ask(t, http.MethodDelete, "/api/orgs/acme/policypacks/"+name, admin, nil).status, "%q", name)
	}
	// In a body.
	for _, name := range []string{"", "..", ".", "--help", "-x", ".hidden", "a/b", `a\b`, long, "stäck", "a\x00b", "a\nb", " ", "a b", "💥", "\u202e"} {
		require.Equal(t, http.StatusBadRequest, w.ask(t, http.MethodPost, "/api/stacks/acme/shop", admin, map[string]any{"stackName": name}).status, "%q", name)
		if name != "" {
			require.Equal(t, http.StatusBadRequest, w.ask(t, http.MethodPost, "/api/stacks/acme/shop/dev/rename", admin, map[string]any{"newName": name}).status, "%q", name)
		}
		require.Equal(t, http.StatusBadRequest, w.ask(t, http.MethodPost, "/api/orgs/acme/policypacks", admin, map[string]any{"name": name, "versionTag": "1"}).status, "%q", name)
		require.Equal(t, http.StatusBadRequest, w.ask(t, http.MethodPost, "/api/orgs/acme/policypacks", admin, map[string]any{"name": "rules", "versionTag": name}).status, "%q", name)
	}
	for _, tag := range []string{"", "a b", "a/b", strings.Repeat("a", 41), "täg", "a\x00"} {
		require.Equal(t, http.StatusBadRequest, w.ask(t, http.MethodPatch, "/api/stacks/acme/shop/dev/tags", admin, map[string]string{tag: "x"}).status, "%q", tag)
	}
	require.Equal(t, http.StatusBadRequest, w.ask(t, http.MethodPatch, "/api/stacks/acme/shop/dev/tags", admin, map[string]string{"a": strings.Repeat("x", 257)}).status)
	require.Empty(t, tagsOf(t, w))
}

func tagsOf(t *testing.T, w *world) map[string]string {
	t.Helper()
	var stack struct{ Tags map[string]string }
	w.do(t, http.MethodGet, "/api/stacks/acme/shop/dev", nil).into(t, &stack)
	return stack.Tags
}

func TestBrokenBodies(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	stack := w.stack(t, "dev")
	path, lease := w.update(t, stack, false, true)
	whole := zipped(t, []byte(`{"entries":[{"version":1,"kind":0,"sequenceID":1}]}`))
	rows := map[string]struct {
		body     []byte
		encoding string
		want     int
	}{
		"not gzip":       {[]byte(`{"entries":[]}`), "gzip", http.StatusBadRequest},
		"cut off":        {whole[:len(whole)-9], "gzip", http.StatusBadRequest},
		"damaged":        {append(bytes.Clone(whole[:len(whole)-6]), 1, 2, 3, 4, 5, 6), "gzip", http.StatusBadRequest},
		"empty":          {nil, "gzip", http.StatusBadRequest},
		"plain as plain": {[]byte(`{"entries":[]}`), "", http.StatusOK},
		"other encoding": {whole, "br", http.StatusBadRequest},
		"not JSON":       {zipped(t, []byte(`{"entries":`)), "gzip", http.StatusBadRequest},
		"a list":         {zipped(t, []byte(`[]`)), "gzip", http.StatusBadRequest},
		"other entries":  {zipped(t, []byte(`{"entries":["x"]}`)), "gzip", http.StatusBadRequest},
		"null entry":     {zipped(t, []byte(`{"entries":[null]}`)), "gzip", http.StatusBadRequest},
		"no sequence":    {zipped(t, []byte(`{"entries":[{"version":1,"kind":0}]}`)), "gzip", http.StatusBadRequest},
		"newer format":   {zipped(t, []byte(`{"entries":[{"version":2,"kind":0,"sequenceID":1}]}`)), "gzip", http.StatusBadRequest},
		"unknown fields": {zipped(t, []byte(`{"hello":1,"entries":[{"version":1,"kind":0,"sequenceID":9,"more":{"x":1}}]}`)), "gzip", http.StatusOK},
		"x-gzip":         {whole, "x-gzip", http.StatusOK},
	}
	for name, row := range rows {
		r := w.ask(t, http.MethodPatch, path+"/journalentries", lease, row.body, "Content-Encoding", row.encoding)
		require.Equal(t, row.want, r.status, "%s: %s", name, r.body)
	}
}

// zeros is an endless body.
type zeros struct{ n int64 }

func (z *zeros) Read(p []byte) (int, error) {
	if z.n <= 0 {
		return 0, io.EOF
	}
	n := min(int64(len(p)), z.n)
	for i := range p[:n] {
		p[i] = ' '
	}
	z.n -= n
	return int(n), nil
}

func TestBodiesThatAreTooLarge(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	stack := w.stack(t, "dev")
	path, lease := w.update(t, stack, false, true)
	// A few kilobytes that become 65 MiB.
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	_, err := io.Copy(z, &zeros{65 << 20})
	require.NoError(t, err)
	require.NoError(t, z.Close())
	require.Less(t, bomb.Len(), 1<<20)
	r := w.ask(t, http.MethodPatch, path+"/journalentries", lease, bomb.Bytes(), "Content-Encoding", "gzip")
	require.Equal(t, http.StatusRequestEntityTooLarge, r.status, "%s", r.body)
	var problem struct{ Code int }
	r.into(t, &problem)
	require.Equal(t, http.StatusRequestEntityTooLarge, problem.Code, "the CLI splits the batch by this code")

	r = w.ask(t, http.MethodPatch, stack+"/tags", "token "+w.admin, `{"a":"`+strings.Repeat("x", 1<<20)+`"}`)
	require.Equal(t, http.StatusRequestEntityTooLarge, r.status)
	// A body for an endpoint that wants none is not read.
	require.Equal(t, http.StatusOK, w.ask(t, http.MethodGet, stack, "token "+w.admin, strings.Repeat("x", 1<<20)).status)
	require.Equal(t, http.StatusRequestEntityTooLarge, w.ask(t, http.MethodPatch, path+"/journalentries", lease, journal(10_001)).status)
}

// journal is a batch of so many entries.
func journal(n int) string {
	var b strings.Builder
	b.WriteString(`{"entries":[`)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"version":1,"kind":0,"sequenceID":%d,"operationID":%d}`, i+1, i+1)
	}
	b.WriteString(`]}`)
	return b.String()
}

func TestUnknownEndpoints(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	for path, shape := range map[string]string{
		"/":                                      "/{}",
		"/api/orgs//policypacks":                 "/api/orgs/{}/policypacks",
		"/api/orgs/acme/members":                 "/api/orgs/{}/members",
		"/api/stacks/acme/shop/dev/hooks/s3cret": "/api/stacks/{}/{}/{}/hooks/{}",
		"/api/esc/environments/acme/yaml/open":   "/api/esc/environments/{}/yaml/open",
		"/api/stacks/acme":                       "/api/stacks/{}",
		"/a/b/c/d/e/f/g/h/i/j":                   "/{}/{}/{}/{}/{}/{}/{}/{}/…",
		"/api/user/":                             "/api/user/{}",
	} {
		r := w.ask(t, http.MethodGet, path+"?token=s3cret", "", nil)
		require.Equal(t, http.StatusNotFound, r.status, path)
		require.JSONEq(t, `{"code":404,"message":"this service has no such endpoint"}`, string(r.body))
		require.Positive(t, w.told.unknowns()["GET "+shape], "%s: %v", shape, w.told.unknowns())
	}
	// The right path with the wrong method is unknown too, in the same shape.
	r := w.ask(t, http.MethodDelete, "/api/user", "token "+w.admin, nil)
	require.Equal(t, http.StatusNotFound, r.status)
	require.Equal(t, 1, w.told.unknowns()["DELETE /api/user"])
	w.ask(t, "BREW", "/api/user", "", nil)
	require.Equal(t, 1, w.told.unknowns()["other /api/user"])
	require.NotContains(t, w.log.String(), "s3cret")
	// However many different paths are tried, there are few shapes.
	for i := range 300 {
		w.ask(t, http.MethodGet, strings.Repeat("/api", i%7)+strings.Repeat("/stacks", i/7%7)+strings.Repeat("/user", i/49), "", nil)
	}
	require.LessOrEqual(t, len(w.told.unknowns()), 210)
}
