package client

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
)

// longestEntry is in bytes: entries of the audit log are short.
const longestEntry = 1 << 20

// ExportAudit calls each for every entry of the audit log after a sequence (0 for
// all), in order, without pages.
func (c *Client) ExportAudit(ctx context.Context, after int64, each func(AuditEntry) error) error {
	out, err := c.prepare(ctx, request{method: http.MethodGet, path: "/v1/audit?after=" + strconv.FormatInt(after, 10)})
	if err != nil {
		return err
	}
	out.Header.Set("Accept", "application/x-ndjson")
	response, err := c.send(out)
	if err != nil {
		return err
	}
	defer response.Body.Close() //nolint:errcheck // it was read
	lines := bufio.NewScanner(response.Body)
	lines.Buffer(nil, longestEntry)
	for lines.Scan() {
		var e AuditEntry
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return fmt.Errorf("the answer of %s cannot be read (is it a server of Redoubt?): %w", c.URL, err)
		}
		if err := each(e); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return &connectionError{c.URL, err}
	}
	return nil
}
