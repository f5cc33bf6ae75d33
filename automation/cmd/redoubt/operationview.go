package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"redoubt/automation/redact"
	"redoubt/automation/runner"
)

// operationView shows an operation to a person: on a terminal with colours and
// a line that moves, elsewhere in plain lines.
type operationView struct {
	out, err         io.Writer
	json             bool
	live             bool
	colourOut, paint bool // colours in out, in err

	mu    sync.Mutex
	moved bool
	kind  runner.Kind
}

func newOperationView(s *streams, asJSON bool) *operationView {
	plain := os.Getenv("NO_COLOR") != ""
	return &operationView{
		out: s.out, err: s.err, json: asJSON, live: isTerminal(s.err),
		colourOut: isTerminal(s.out) && !plain, paint: isTerminal(s.err) && !plain,
	}
}

// signs stand for operations, as the CLI shows them, with their colour.
var signs = map[string]struct{ sign, colour string }{
	"create": {"+", "32"}, "update": {"~", "33"}, "delete": {"-", "31"}, "replace": {"+-", "35"},
	"create-replacement": {"++", "35"}, "delete-replaced": {"--", "35"}, "import": {"=", "32"}, "refresh": {"~", "33"},
}

// verbs say kinds to people.
var verbs = map[runner.Kind]string{
	runner.Preview: "Preview", runner.PreviewRefresh: "Preview of a refresh of", runner.PreviewDestroy: "Preview of the destruction of",
	runner.Up: "Update", runner.Refresh: "Refresh", runner.Destroy: "Destroy",
}

func sayKind(kind runner.Kind) string { return verbs[kind] }

func (v *operationView) begin(spec runner.Spec) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.kind = spec.Kind
	fmt.Fprintf(v.err, "%s stack %s (%s)\n", sayKind(spec.Kind), spec.Stack, redact.URL(spec.Backend.URL))
}

// event shows one event.
func (v *operationView) event(e runner.Event) {
	v.mu.Lock()
	defer v.mu.Unlock()
	switch e.Type {
	case runner.TypeProgress:
		if v.live {
			fmt.Fprintf(v.err, "\r\033[K  … %d resources", e.Progress.Done)
			v.moved = true
		}
	case runner.TypeResource:
		r := e.Resource
		if r.Status == runner.Begun {
			return
		}
		sign, ok := signs[r.Op]
		if !ok {
			sign.sign = r.Op
		}
		line := fmt.Sprintf("%-2s %s %s", sign.sign, r.Type, nameOf(r.URN))
		if r.Status == runner.Failed {
			line, sign.colour = line+" failed", "31"
		} else if len(r.Properties) > 0 {
			line += " [" + strings.Join(r.Properties, ", ") + "]"
		}
		v.line(sign.colour, line)
	case runner.TypeDiagnostic:
		colours := map[string]string{"error": "31", "warning": "33"}
		v.line(colours[e.Diagnostic.Severity], e.Diagnostic.Severity+": "+strings.ReplaceAll(e.Diagnostic.Message, "\n", "\n    "))
	case runner.TypePolicy:
		if (e.Policy.Level != mandatory || e.Policy.Exemption != nil) && !v.kind.Dry() {
			return // the preview has said so
		}
		colour, text := findingText(*e.Policy)
		v.line(colour, e.Policy.Level+" "+e.Policy.Policy+"\n    "+text)
	}
}

// say shows a line in the middle of an operation.
func (v *operationView) say(text string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.clear()
	fmt.Fprintln(v.err, text)
}

func (v *operationView) line(colour, text string) {
	v.clear()
	text = clean(text)
	if v.paint && colour != "" {
		text = "\033[" + colour + "m" + text + "\033[0m"
	}
	fmt.Fprintln(v.err, "  "+text)
}

func (v *operationView) clear() {
	if v.moved {
		fmt.Fprint(v.err, "\r\033[K")
		v.moved = false
	}
}

// finish leaves the cursor on a fresh line.
func (v *operationView) finish() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.clear()
}

// preview shows what a preview comes to, before a question.
func (v *operationView) preview(result runner.Result) {
	fmt.Fprintln(v.err, summary(result))
}

// report is what --json prints.
type report struct {
	OK     bool          `json:"ok"`
	Result runner.Result `json:"result"`
	Error  *runner.Error `json:"error,omitempty"`
}

// end prints the result, and returns what the process ends with.
func (v *operationView) end(result runner.Result, err error) error {
	code := runner.CodeOf(err)
	if err != nil && code == "" {
		return err
	}
	if v.json {
		r := report{OK: err == nil, Result: result}
		if err != nil {
			r.Error = &runner.Error{Code: code, Message: err.Error()}
		}
		encoder := json.NewEncoder(v.out)
		encoder.SetIndent("", "  ")
		if writeErr := encoder.Encode(r); writeErr != nil {
			return writeErr
		}
		return operationError(err)
	}
	if err != nil {
		fmt.Fprintln(v.err, "redoubt:", clean(err.Error()))
		return operationError(err)
	}
	fmt.Fprintln(v.out, summary(result))
	for _, name := range slices.Sorted(maps.Keys(result.Outputs)) {
		text, err := json.Marshal(result.Outputs[name])
		if err != nil {
			return fmt.Errorf("output %s: %w", name, err)
		}
		fmt.Fprintf(v.out, "  %s: %s\n", name, text)
	}
	return nil
}

// summary is a result in one line.
func summary(result runner.Result) string {
	var parts []string
	for _, op := range slices.Sorted(maps.Keys(result.Counts)) {
		if n := result.Counts[op]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, op))
		}
	}
	if len(parts) == 0 {
		parts = []string{"nothing to do"}
	}
	advice, exempt := 0, 0
	for _, f := range result.Findings {
		switch {
		case f.Exemption != nil:
			exempt++
		case f.Level != mandatory:
			advice++
		}
	}
	if advice > 0 {
		parts = append(parts, fmt.Sprintf("%d advisory findings", advice))
	}
	if exempt > 0 {
		parts = append(parts, fmt.Sprintf("%d exempt findings", exempt))
	}
	return fmt.Sprintf("%s stack %s: %s (%.1f s)", sayKind(result.Kind), result.Stack, strings.Join(parts, ", "), result.Seconds)
}

const mandatory = "mandatory"

// nameOf is the resource's own name in a URN.
func nameOf(urn string) string { return resource.URN(urn).Name() }
