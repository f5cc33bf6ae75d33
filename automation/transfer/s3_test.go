package transfer_test

import (
	"crypto/md5"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/transfer"
)

// bucket is as much of S3 as the CLI's backend asks for: objects in memory.
type bucket struct {
	mu      sync.Mutex
	objects map[string][]byte
}

// newBucket serves one and returns its address for the CLI.
func newBucket(t *testing.T) (*bucket, string) {
	t.Helper()
	b := &bucket{objects: map[string][]byte{}}
	server := httptest.NewServer(b)
	t.Cleanup(server.Close)
	return b, "s3://states?region=eu-west-1&s3ForcePathStyle=true&endpoint=" + server.URL
}

type listing struct {
	XMLName        xml.Name `xml:"ListBucketResult"`
	IsTruncated    bool
	Contents       []listedObject
	CommonPrefixes []prefix
}

type listedObject struct {
	Key          string
	LastModified string
	ETag         string
	Size         int
}

type prefix struct{ Prefix string }

const modified = "2024-05-06T07:08:09.000Z"

func etag(text []byte) string {
	sum := md5.Sum(text)
	return `"` + hex.EncodeToString(sum[:]) + `"`
}

func (b *bucket) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	key := strings.TrimPrefix(strings.TrimPrefix(q.URL.Path, "/states"), "/")
	text, there := b.objects[key]
	switch {
	case q.Method == http.MethodGet && key == "":
		b.list(w, q)
	case q.Method == http.MethodPut:
		if source := q.Header.Get("X-Amz-Copy-Source"); source != "" {
			_, from, _ := strings.Cut(strings.TrimPrefix(source, "/"), "/")
			b.objects[key] = b.objects[from]
			fmt.Fprintf(w, `<CopyObjectResult><ETag>%s</ETag><LastModified>%s</LastModified></CopyObjectResult>`, etag(b.objects[key]), modified)
			return
		}
		body, err := io.ReadAll(q.Body)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		if strings.HasPrefix(q.Header.Get("X-Amz-Content-Sha256"), "STREAMING-") {
			body = unchunked(body)
		}
		b.objects[key] = body
		w.Header().Set("ETag", etag(body))
	case q.Method == http.MethodDelete:
		delete(b.objects, key)
		w.WriteHeader(http.StatusNoContent)
	case !there:
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, `<Error><Code>NoSuchKey</Code><Message>no</Message></Error>`)
	default:
		w.Header().Set("ETag", etag(text))
		w.Header().Set("Last-Modified", "Mon, 06 May 2024 07:08:09 GMT")
		w.Header().Set("Content-Length", strconv.Itoa(len(text)))
		if q.Method == http.MethodGet {
			_, _ = w.Write(text)
		}
	}
}

func (b *bucket) list(w http.ResponseWriter, q *http.Request) {
	var out listing
	begin, delimiter := q.URL.Query().Get("prefix"), q.URL.Query().Get("delimiter")
	for key, text := range b.objects {
		rest, ok := strings.CutPrefix(key, begin)
		if !ok {
			continue
		}
		if i := strings.Index(rest, delimiter); delimiter != "" && i >= 0 {
			folder := prefix{begin + rest[:i+len(delimiter)]}
			if !slices.Contains(out.CommonPrefixes, folder) {
				out.CommonPrefixes = append(out.CommonPrefixes, folder)
			}
			continue
		}
		out.Contents = append(out.Contents, listedObject{Key: key, LastModified: modified, ETag: etag(text), Size: len(text)})
	}
	slices.SortFunc(out.Contents, func(a, b listedObject) int { return strings.Compare(a.Key, b.Key) })
	_ = xml.NewEncoder(w).Encode(out)
}

// unchunked takes the framing of the content encoding aws-chunked off.
func unchunked(body []byte) []byte {
	var out []byte
	for text := string(body); ; {
		head, rest, found := strings.Cut(text, "\r\n")
		size, _, _ := strings.Cut(head, ";")
		n, err := strconv.ParseInt(size, 16, 64)
		if !found || err != nil || n == 0 || int(n) > len(rest) {
			return out
		}
		out = append(out, rest[:n]...)
		text = strings.TrimPrefix(rest[n:], "\r\n")
	}
}

// A bucket's locks cannot be listed by the CLI: whether an update runs is found
// out by taking the lock.
func TestFromS3(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "test")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "test")
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Setenv("AWS_CONFIG_FILE", "/dev/null")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
	b, address := newBucket(t)
	source := newMachine(t, address, "", passphrase)
	source.fill(t, "dev", resources(t, "shop", "dev", 3, "canary-s3"))
	r := newRedoubt(t)
	opts := transfer.Options{From: transfer.Side{URL: address}, To: r.side(), All: true, Passphrases: phrase(passphrase)}

	const lock = ".pulumi/locks/organization/shop/dev/x.json"
	b.put(lock, []byte(`{"pid":1,"username":"u","hostname":"h","timestamp":"2024-05-06T07:08:09Z"}`))
	report := run(t, opts)
	require.Equal(t, transfer.Refused, report.Stacks[0].Outcome, "%+v", report)
	require.Contains(t, report.Stacks[0].Problem, "created by u@h")
	b.put(lock, nil)

	before := b.copied()
	report = run(t, opts)
	require.True(t, report.OK, "%+v", report)
	require.Equal(t, before, b.copied(), "the source is as it was")
	target := newMachine(t, r.url, r.token, "")
	require.Equal(t, source.exported(t, "dev"), target.exported(t, "acme/shop/dev"))
}

// put writes an object, or deletes it.
func (b *bucket) put(key string, text []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if text == nil {
		delete(b.objects, key)
		return
	}
	b.objects[key] = text
}

func (b *bucket) copied() map[string]string {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := map[string]string{}
	for key, text := range b.objects {
		out[key] = string(text)
	}
	return out
}
