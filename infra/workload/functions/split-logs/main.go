// Split-logs is the Lambda function that Amazon Data Firehose calls with the
// log events on their way to a search domain; see package split for what it
// does.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/firehose"

	"redoubt/infra/workload/functions/split-logs/delivery"
	"redoubt/infra/workload/functions/split-logs/split"
)

// answerTime is kept for the answer: without one Firehose hands all records
// over again, and what was put back is delivered twice.
const answerTime = 5 * time.Second

func main() {
	log := slog.New(slog.NewJSONHandler(os.Stdout, nil))
	if err := run(context.Background(), log); err != nil {
		log.Error("the function cannot start", "error", err.Error())
		os.Exit(1)
	}
}

func run(ctx context.Context, log *slog.Logger) error {
	settings, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return fmt.Errorf("AWS configuration: %w", err)
	}
	s, err := newSplitter(os.Getenv, firehose.NewFromConfig(settings), log)
	if err != nil {
		return err
	}
	lambda.Start(func(ctx context.Context, in split.Request) (split.Response, error) {
		ctx, cancel := beforeEnd(ctx)
		defer cancel()
		return s.Handle(ctx, in)
	})
	return nil
}

// newSplitter reads the environment that the stack sets: STREAM_NAME, the
// delivery stream's name.
func newSplitter(env func(string) string, client *firehose.Client, log *slog.Logger) (*split.Splitter, error) {
	name := env("STREAM_NAME")
	if name == "" {
		return nil, errors.New("STREAM_NAME: empty (the delivery stream's name)")
	}
	return &split.Splitter{Stream: &delivery.Stream{Client: client, Name: name}, Wait: wait, Log: log}, nil
}

// beforeEnd ends a context so early that an answer can still be given.
func beforeEnd(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, deadline.Add(-answerTime))
}

func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
