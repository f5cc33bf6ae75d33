package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"redoubt/automation/client"
)

// follow shows an operation's events until it ends, and returns what the process
// ends with. Control-C ends the following, not the operation. With lines, JSON is
// an event a line, and it is followed over people's decisions too; else JSON is the
// operation, and following ends when that waits for people.
func follow(ctx context.Context, s *streams, r remote, service *client.Client, id string, lines bool) error {
	if !lines {
		return wait(ctx, s, r, service, id)
	}
	if err := showEvents(ctx, s, r, service, id, lines, nil); err != nil {
		return err
	}
	op, err := service.GetOperation(ctx, id, client.GetOperationParams{})
	if err != nil {
		return err
	}
	if !r.JSON {
		if err := r.print(s, op, func(w io.Writer) { conclude(w, op) }); err != nil {
			return err
		}
	}
	return succeeded(op)
}

// succeeded is what the process ends with for an operation that has ended.
func succeeded(op client.Operation) error {
	if op.State != "succeeded" {
		return errNotOK
	}
	return nil
}

// showEvents shows an operation's events until it ends, or until enough says after one
// that they are; nil for never.
func showEvents(ctx context.Context, s *streams, r remote, service *client.Client, id string, lines bool, enough func(client.Event) bool) error {
	v := &followView{operationView: newOperationView(s, r.JSON), id: id}
	defer v.finish()
	encoder := json.NewEncoder(s.out)
	for e, err := range service.Events(ctx, id, 0) {
		if ctx.Err() != nil {
			break
		}
		if err != nil {
			return err
		}
		switch {
		case !r.JSON:
			v.show(e)
		case lines:
			if err := encoder.Encode(e); err != nil {
				return err
			}
		}
		if enough != nil && enough(e) {
			break
		}
	}
	if ctx.Err() == nil || errors.Is(context.Cause(ctx), errEnough) {
		return nil
	}
	v.finish()
	fmt.Fprintf(s.err, "The operation goes on: redoubt operations watch %s follows it, redoubt operations cancel %s ends it.\n", id, id)
	return errNotOK
}

// followView shows events.
type followView struct {
	*operationView
	id string
	// phase is the one of the last event that said one.
	phase string
}

// happening is what events of all types may say.
type happening struct {
	Phase    string   `json:"phase"`
	To       string   `json:"to"`
	Why      string   `json:"why"`
	By       any      `json:"by"` // a name, or an actor
	Op       string   `json:"op"`
	Type     string   `json:"type"`
	URN      string   `json:"urn"`
	Status   string   `json:"status"`
	Changed  []string `json:"properties"`
	Severity string   `json:"severity"`
	Message  string   `json:"message"`
	Text     string   `json:"text"`
	Policy   string   `json:"policy"`
	Level    string   `json:"level"`
	Done     int      `json:"done"`
	Decision string   `json:"decision"`
	Waiver   string   `json:"waiver"`

	Exemption *client.Exemption `json:"exemption"`
}

func (v *followView) show(e client.Event) {
	v.mu.Lock()
	defer v.mu.Unlock()
	var h happening
	if err := json.Unmarshal(e.Data, &h); err != nil {
		return // of a newer server: nothing that we could show
	}
	v.enter(h.Phase)
	if v.repeats(e.Type, h) {
		return
	}
	indented := func(text string) string { return strings.ReplaceAll(clean(text), "\n", "\n    ") }
	switch e.Type {
	case "state":
		text := strings.ReplaceAll(h.To, "_", " ")
		if h.Why != "" {
			text += ": " + indented(h.Why)
		}
		v.line("1", "→ "+text)
		if h.To == "awaiting_approval" {
			v.line("33", "  people must approve: redoubt approve "+v.id)
		}
	case "progress":
		if v.live && h.Done > 0 {
			fmt.Fprintf(v.err, "\r\033[K  … %d resources", h.Done)
			v.moved = true
		}
	case "resource":
		if h.Status == "begun" {
			return
		}
		sign, ok := signs[h.Op]
		if !ok {
			sign.sign = h.Op
		}
		text := fmt.Sprintf("%-2s %s %s", sign.sign, h.Type, nameOf(h.URN))
		if h.Status == "failed" {
			text, sign.colour = text+" failed", "31"
		} else if len(h.Changed) > 0 {
			text += " [" + strings.Join(h.Changed, ", ") + "]"
		}
		v.line(sign.colour, text)
	case "diagnostic", "log":
		colours := map[string]string{"error": "31", "warning": "33"}
		text := indented(h.Message + h.Text)
		if h.Severity != "" {
			text = h.Severity + ": " + text
		}
		v.line(colours[h.Severity], text)
	case "policy":
		text, colour := h.Level+" "+h.Policy+"\n    "+indented(h.Message), levelColour(h.Level)
		if h.Exemption != nil {
			text, colour = text+"\n    "+passText(h.Waiver, *h.Exemption), levelColour("")
		}
		v.line(colour, text)
	case "approval":
		v.line("1", fmt.Sprintf("%s by %s", orText(h.Decision, "decided"), h.who()))
	}
}

// The phases that the state does not tell, or that are shown apart.
const (
	phaseRehearse = "rehearse"
	phasePreview  = "preview" // and preview-destroy and so on
)

// enter says that a rehearsal begins, which is no state of its own.
func (v *followView) enter(phase string) {
	if phase == phaseRehearse && v.phase != phase {
		v.line("1", "→ rehearsing, in an account where nothing is real")
	}
	if phase != "" {
		v.phase = phase
	}
}

// repeats says whether an event tells what the preview tells: a rehearsal makes the
// same resources, and advice is the same in all phases.
func (v *followView) repeats(kind string, h happening) bool {
	switch kind {
	case "resource":
		return h.Phase == phaseRehearse && h.Status != "failed"
	case "policy":
		return h.Level != mandatory && h.Phase != "" && !strings.HasPrefix(h.Phase, phasePreview)
	}
	return false
}

// who did it.
func (h happening) who() string {
	if actor, ok := h.By.(map[string]any); ok {
		h.By = actor["id"]
	}
	return fmt.Sprint(h.By)
}

func levelColour(level string) string {
	if level == mandatory {
		return "31"
	}
	return "33"
}

// conclude says how an operation ended.
func conclude(w io.Writer, op client.Operation) {
	fmt.Fprintf(w, "Operation %s: %s of %s: %s", op.ID, op.Kind, op.Stack, strings.ReplaceAll(op.State, "_", " "))
	if counts := countText(op.ChangeSummary); op.Final && counts != "" {
		fmt.Fprintf(w, " (%s)", counts)
	}
	fmt.Fprintln(w)
	if op.Unrehearsed != "" {
		fmt.Fprintf(w, "  %s\n", clean(op.Unrehearsed))
	}
	if op.Failure != nil {
		fmt.Fprintf(w, "  %s: %s\n", op.Failure.Code, op.Failure.Message)
		for _, urn := range op.Failure.Pending {
			fmt.Fprintf(w, "  may exist although the state does not have it: %s\n", urn)
		}
	}
	if op.Result != nil {
		for _, name := range slices.Sorted(maps.Keys(op.Result.Outputs)) {
			if text, err := json.Marshal(op.Result.Outputs[name]); err == nil {
				fmt.Fprintf(w, "  %s: %s\n", name, text)
			}
		}
	}
}

// countText is "3 create, 1 update".
func countText(counts map[string]int64) string {
	var parts []string
	for _, op := range slices.Sorted(maps.Keys(counts)) {
		if n := counts[op]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, op))
		}
	}
	return strings.Join(parts, ", ")
}
