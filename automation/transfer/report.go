package transfer

import "time"

// Outcome is what became of a stack.
type Outcome string

const (
	// Moved: the state is on the other side, and both sides hold equal ones.
	Moved Outcome = "moved"
	// Equal: the other side held an equal state already.
	Equal Outcome = "already there and equal"
	// WouldMove: a dry run found nothing against it.
	WouldMove Outcome = "would be moved"
	// WouldReplace: as WouldMove, and another state would be overwritten.
	WouldReplace Outcome = "would replace another state"
	// Differs: the state was written, and the sides do not hold equal ones.
	Differs Outcome = "differs"
	// Refused: nothing was written, because something has to be decided first.
	Refused Outcome = "refused"
	// Failed: nothing was written, because something did not work.
	Failed Outcome = "failed"
)

// good says that an outcome is what was asked for.
func (o Outcome) good() bool {
	return o == Moved || o == Equal || o == WouldMove || o == WouldReplace
}

// Result is what became of one stack.
type Result struct {
	Stack   string  `json:"stack"`
	Target  string  `json:"target"`
	Outcome Outcome `json:"outcome"`
	Problem string  `json:"problem,omitempty"`
	// Differences are where the sides differ, never what is there.
	Differences []Difference `json:"differences,omitempty"`
	Resources   int          `json:"resources"`
	Secrets     int          `json:"secrets"`
	Pending     int          `json:"pendingOperations,omitempty"`
	LastUpdate  *time.Time   `json:"lastUpdate,omitempty"`
	Config      *Config      `json:"config,omitempty"`
	Notes       []string     `json:"notes,omitempty"`
}

func (r Result) good() bool {
	return r.Outcome.good() && (r.Config == nil || r.Config.Problem == "")
}

// Report is what became of all.
type Report struct {
	From   string   `json:"from"`
	To     string   `json:"to"`
	DryRun bool     `json:"dryRun"`
	OK     bool     `json:"ok"`
	Stacks []Result `json:"stacks"`
}

// Count returns how many stacks had an outcome.
func (r Report) Count(o Outcome) int {
	n := 0
	for _, s := range r.Stacks {
		if s.Outcome == o {
			n++
		}
	}
	return n
}

// Progress says which stack is being done and how many are.
type Progress struct {
	Done, Total int
	Stack       string
	// Outcome is empty for a stack that begins.
	Outcome Outcome
}
