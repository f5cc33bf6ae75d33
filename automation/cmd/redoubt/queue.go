package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"redoubt/automation/client"
)

type queueCommands struct {
	List   listQueues  `cmd:"" help:"List the queues: what waits in them, and since when."`
	Pause  pauseQueue  `cmd:"" help:"Keep workers from taking operations of a queue; what runs goes on."`
	Resume resumeQueue `cmd:"" help:"Let workers take operations of a queue again."`
}

type listQueues struct{ remote }

// Help is the long text of redoubt queue list --help.
func (listQueues) Help() string {
	return `Examples:
  redoubt queue list`
}

// Run carries the command out.
func (c *listQueues) Run(ctx context.Context, s *streams) error {
	service, err := c.service()
	if err != nil {
		return err
	}
	page, err := service.ListQueues(ctx)
	if err != nil {
		return err
	}
	return c.print(s, page.Items, func(w io.Writer) {
		fmt.Fprintln(w, "QUEUE\tPAUSED\tWAITING\tSINCE\tRUNNING")
		for _, q := range page.Items {
			since := "–"
			if q.Depth > 0 {
				since = (time.Duration(q.OldestSeconds) * time.Second).String()
			}
			fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%d\n", q.Name, yesOrNo(q.Paused), q.Depth, since, q.Running)
		}
	})
}

// oneQueue is the argument of those that change one.
type oneQueue struct {
	remote
	Queue string `arg:"" help:"default, or drift." enum:"default,drift"`
}

// change changes it.
func (c oneQueue) change(s *streams, q client.Queue, err error) error {
	if err != nil {
		return err
	}
	return c.print(s, q, func(w io.Writer) {
		if q.Paused {
			fmt.Fprintf(w, "Queue %s is paused: %d operation(s) wait, %d run on.\n", q.Name, q.Depth, q.Running)
			return
		}
		fmt.Fprintf(w, "Queue %s is open: %d operation(s) wait, %d run.\n", q.Name, q.Depth, q.Running)
	})
}

type pauseQueue struct{ oneQueue }

// Help is the long text of redoubt queue pause --help.
func (pauseQueue) Help() string {
	return `The pause holds for all workers, over restarts, until it is ended.

Examples:
  redoubt queue pause default`
}

// Run carries the command out.
func (c *pauseQueue) Run(ctx context.Context, s *streams) error {
	service, err := c.service()
	if err != nil {
		return err
	}
	q, err := service.PauseQueue(ctx, c.Queue)
	return c.change(s, q, err)
}

type resumeQueue struct{ oneQueue }

// Help is the long text of redoubt queue resume --help.
func (resumeQueue) Help() string {
	return `Examples:
  redoubt queue resume default`
}

// Run carries the command out.
func (c *resumeQueue) Run(ctx context.Context, s *streams) error {
	service, err := c.service()
	if err != nil {
		return err
	}
	q, err := service.ResumeQueue(ctx, c.Queue)
	return c.change(s, q, err)
}
