package main

import (
	"context"
	"fmt"
	"io"

	"redoubt/automation/client"
)

type operationLogs struct {
	remote
	ID string `arg:"" help:"The operation's id, op_…"`
}

// Help is the long text of redoubt operations logs --help.
func (operationLogs) Help() string {
	return `Secrets are taken out. Logs are kept as long as events (retention.events).

Examples:
  redoubt operations logs op_01jd…
  redoubt operations logs op_01jd… --json | jq -r '.[] | select(.severity == "error").message'`
}

// Run carries the command out.
func (c *operationLogs) Run(ctx context.Context, s *streams) error {
	service, err := c.service()
	if err != nil {
		return err
	}
	lines, err := all(func(cursor string) ([]client.LogLine, string, error) {
		page, err := service.ListLogs(ctx, c.ID, client.ListLogsParams{Cursor: cursor, Limit: pageSize})
		return page.Items, page.NextCursor, err
	})
	if err != nil {
		return err
	}
	return c.print(s, lines, func(w io.Writer) {
		for _, l := range lines {
			about := ""
			if l.URN != "" {
				about = nameOf(l.URN) + ": "
			}
			fmt.Fprintf(w, "%s  %s  %s%s\n", l.TS.UTC().Format("15:04:05"), l.Severity, clean(about), clean(l.Message))
		}
	})
}
