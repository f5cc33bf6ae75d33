// Package delivery puts records into an Amazon Data Firehose stream.
package delivery

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/firehose"
	"github.com/aws/aws-sdk-go-v2/service/firehose/types"
	"github.com/aws/smithy-go"
)

// Stream implements split.Stream with the API.
type Stream struct {
	Client *firehose.Client
	// Name is the stream's. It must not unpack what it receives: such a stream
	// takes records from CloudWatch Logs alone (InvalidSourceException).
	// https://docs.aws.amazon.com/firehose/latest/APIReference/API_PutRecordBatch.html
	Name string
}

// Put implements split.Stream. An error holds the service's code and no text:
// texts of AWS may quote what was sent.
func (s *Stream) Put(ctx context.Context, records [][]byte) ([]string, error) {
	in := &firehose.PutRecordBatchInput{DeliveryStreamName: &s.Name, Records: make([]types.Record, len(records))}
	for i, data := range records {
		in.Records[i].Data = data
	}
	out, err := s.Client.PutRecordBatch(ctx, in)
	if err != nil {
		return nil, fmt.Errorf("PutRecordBatch: %s", code(err))
	}
	if len(out.RequestResponses) != len(records) {
		return nil, fmt.Errorf("PutRecordBatch: %d answers for %d records", len(out.RequestResponses), len(records))
	}
	codes := make([]string, len(records))
	for i, r := range out.RequestResponses {
		codes[i] = aws.ToString(r.ErrorCode)
	}
	return codes, nil
}

func code(err error) string {
	var api smithy.APIError
	switch {
	case errors.As(err, &api):
		return api.ErrorCode()
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return "no time left"
	}
	return "no answer (does the function reach Firehose's endpoint or the internet?)"
}
