package delivery_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/firehose"
	"github.com/stretchr/testify/require"

	"redoubt/infra/workload/functions/split-logs/delivery"
)

// serve is Firehose, over HTTP as the SDK speaks it: it answers with a status
// and a body, and checks what it was asked.
func serve(t *testing.T, status int, body string) *delivery.Stream {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			DeliveryStreamName string
			Records            []struct{ Data []byte }
		}
		err := json.NewDecoder(r.Body).Decode(&in)
		if err != nil || r.Header.Get("X-Amz-Target") != "Firehose_20150804.PutRecordBatch" ||
			in.DeliveryStreamName != "redoubt-dev-logs" || len(in.Records) != 2 || string(in.Records[1].Data) != "hunter2" {
			http.Error(w, `{"__type":"UnexpectedRequest"}`, http.StatusTeapot)
			return
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body)) // the client reports a lost answer
	}))
	t.Cleanup(s.Close)
	return &delivery.Stream{Name: "redoubt-dev-logs", Client: firehose.New(firehose.Options{
		Region: "eu-central-1", BaseEndpoint: aws.String(s.URL), HTTPClient: s.Client(),
		Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "example", ""),
		Retryer:     aws.NopRetryer{},
	})}
}

func TestPut(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		status int
		body   string
		codes  []string
		err    string
	}{
		{"taken", 200, `{"FailedPutCount":0,"RequestResponses":[{"RecordId":"1"},{"RecordId":"2"}]}`, []string{"", ""}, ""},
		{
			"one refused", 200, `{"FailedPutCount":1,"RequestResponses":[{"RecordId":"1"},{"ErrorCode":"ServiceUnavailableException","ErrorMessage":"Slow down."}]}`,
			[]string{"", "ServiceUnavailableException"},
			"",
		},
		{"answers are missing", 200, `{"FailedPutCount":0,"RequestResponses":[]}`, nil, "PutRecordBatch: 0 answers for 2 records"},
		{"a stream that unpacks", 400, `{"__type":"InvalidSourceException","message":"hunter2"}`, nil, "PutRecordBatch: InvalidSourceException"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			codes, err := serve(t, tc.status, tc.body).Put(t.Context(), [][]byte{[]byte("first"), []byte("hunter2")})
			require.Equal(t, tc.codes, codes)
			if tc.err == "" {
				require.NoError(t, err)
				return
			}
			require.EqualError(t, err, tc.err, "a code, and nothing of what was sent")
		})
	}
}

func TestPutWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	records := [][]byte{[]byte("first"), []byte("hunter2")}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := serve(t, 200, "").Put(ctx, records)
	require.EqualError(t, err, "PutRecordBatch: no time left")
	gone := serve(t, 200, "")
	gone.Client = firehose.New(gone.Client.Options(), func(o *firehose.Options) { o.BaseEndpoint = aws.String("http://127.0.0.1:1") })
	_, err = gone.Put(t.Context(), records)
	require.ErrorContains(t, err, "no answer")
}
