package api

import (
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// conditional answers 304 without a body where a client has what it asks for: it sent
// the ETag of what it read as If-None-Match. It is asked for after the endpoint has
// said who may: nobody learns by it what they may not read.
type conditional struct {
	*statusWriter
	have    string
	skipped bool
}

// WriteHeader implements http.ResponseWriter.
func (w *conditional) WriteHeader(status int) {
	if tag := w.Header().Get("ETag"); status == http.StatusOK && tag != "" && matches(w.have, tag) {
		w.skipped = true
		w.Header().Del("Content-Type")
		status = http.StatusNotModified
	}
	w.statusWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *conditional) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	if w.skipped {
		return len(b), nil
	}
	return w.statusWriter.Write(b)
}

// matches says whether If-None-Match has a tag. It compares weakly, as RFC 9110 wants
// for it.
func matches(have, tag string) bool {
	for one := range strings.SplitSeq(have, ",") {
		if one = strings.TrimSpace(one); one == "*" || strings.TrimPrefix(one, "W/") == tag {
			return true
		}
	}
	return false
}

// volatile are endpoints whose answers change without their version, as usage and time
// go on: their ETag is for changing them alone.
var volatile = map[string]bool{"getProjectQuota": true, "getFreezeWindows": true}

// describeConditional writes into OpenAPI what the GETs with an ETag take.
func describeConditional(op *huma.Operation) {
	good := op.Responses["200"]
	if good == nil || good.Headers["ETag"] == nil || volatile[op.OperationID] {
		return
	}
	op.Parameters = append(op.Parameters, &huma.Param{
		Name: "If-None-Match", In: "header", Description: "The ETag of what you have: the answer is 304 and empty where it is still that.",
		Schema: &huma.Schema{Type: huma.TypeString},
	})
	op.Responses["304"] = &huma.Response{Description: "Not Modified", Headers: good.Headers}
}
