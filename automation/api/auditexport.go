package api

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"redoubt/automation/backend"
)

// jsonLines is the media type of a JSON object a line.
const jsonLines = "application/x-ndjson"

// exportBatch is how many entries are read at once.
const exportBatch = 1000

// wantsLines says whether a client asks for the whole log, a line an entry.
func wantsLines(r *http.Request) bool { return strings.Contains(r.Header.Get("Accept"), jsonLines) }

// exportAudit sends the log from a sequence to its end, as it is when it gets there. A
// client sees an export that breaks off by its chain, or by the connection that does.
func (h *handlers) exportAudit(c *call, after int64) (func(huma.Context), error) {
	entries, err := h.service.Audit(c, c.principal, after, exportBatch)
	if err != nil {
		return nil, err
	}
	return func(ctx huma.Context) {
		ctx.SetHeader("Content-Type", jsonLines)
		ctx.SetStatus(http.StatusOK)
		encoder := json.NewEncoder(ctx.BodyWriter())
		encoder.SetEscapeHTML(false)
		for len(entries) > 0 {
			if !encodeAll(encoder, entries) || len(entries) < exportBatch {
				return
			}
			entries, err = h.service.Audit(c, c.principal, entries[len(entries)-1].Sequence, exportBatch)
			if err != nil {
				h.options.Log.ErrorContext(c, "an export of the audit log broke off", "trace_id", c.traceID(), "error", err)
				panic(http.ErrAbortHandler) // the status is sent: the client must see that this is not all
			}
		}
	}, nil
}

// encodeAll is false where the client is gone.
func encodeAll(to *json.Encoder, entries []backend.AuditEntry) bool {
	for _, e := range entries {
		if to.Encode(auditOf(e)) != nil {
			return false
		}
	}
	return true
}
