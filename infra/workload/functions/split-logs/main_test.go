package main

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/firehose"
	"github.com/stretchr/testify/require"

	"redoubt/infra/workload/functions/split-logs/delivery"
)

func TestStreamNameIsNeeded(t *testing.T) {
	t.Parallel()
	client := firehose.New(firehose.Options{Region: "eu-central-1"})
	_, err := newSplitter(func(string) string { return "" }, client, slog.Default())
	require.ErrorContains(t, err, "STREAM_NAME: empty")
	s, err := newSplitter(func(string) string { return "redoubt-dev-logs" }, client, slog.Default())
	require.NoError(t, err)
	require.Equal(t, "redoubt-dev-logs", s.Stream.(*delivery.Stream).Name)
}

func TestWorkEndsBeforeTheFunctionDoes(t *testing.T) {
	t.Parallel()
	end := time.Now().Add(time.Hour)
	lambda, cancel := context.WithDeadline(t.Context(), end)
	defer cancel()
	ctx, stop := beforeEnd(lambda)
	defer stop()
	got, ok := ctx.Deadline()
	require.True(t, ok)
	require.Equal(t, end.Add(-answerTime), got)
	ctx, stop = beforeEnd(t.Context())
	stop()
	require.ErrorIs(t, wait(ctx, time.Hour), context.Canceled)
	require.NoError(t, wait(t.Context(), 0))
}
