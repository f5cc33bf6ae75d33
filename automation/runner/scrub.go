package runner

import (
	"slices"
	"strings"
	"sync"

	"redoubt/automation/engine"
	"redoubt/automation/redact"
)

// scrubber masks secrets: those that it knows, and what looks like a
// credential. Providers echo their inputs in errors (pulumi/pulumi#3138), and
// the CLI's errors hold all that it printed.
type scrubber struct{ known *known }

// known are the secrets, and what masks them; more may be learned.
type known struct {
	mu       sync.Mutex
	secrets  []string
	replacer *strings.Replacer
}

// shortest is the length below which a value is no secret, but a word that
// would be masked everywhere.
const shortest = 4

func newScrubber(secrets []string) scrubber {
	s := scrubber{&known{}}
	s.learn(secrets)
	return s
}

// learn adds secrets to those that are known.
func (s scrubber) learn(secrets []string) {
	k := s.known
	k.mu.Lock()
	defer k.mu.Unlock()
	k.secrets = slices.DeleteFunc(append(k.secrets, secrets...), func(s string) bool { return len(s) < shortest })
	// The longest first: one may be a part of another.
	slices.SortFunc(k.secrets, func(a, b string) int { return len(b) - len(a) })
	pairs := make([]string, 0, 2*len(k.secrets))
	for _, secret := range k.secrets {
		pairs = append(pairs, secret, redact.Mask)
	}
	k.replacer = strings.NewReplacer(pairs...)
}

func (s scrubber) masked(text string) string {
	s.known.mu.Lock()
	defer s.known.mu.Unlock()
	return s.known.replacer.Replace(text)
}

func (s scrubber) text(text string) string { return redact.Text(s.masked(text)) }

func (s scrubber) finding(f engine.Finding) engine.Finding {
	f.Message = s.text(f.Message)
	if f.Exemption != nil {
		exemption := *f.Exemption
		exemption.Reason = s.text(exemption.Reason)
		f.Exemption = &exemption
	}
	return f
}

// outcome masks what an outcome says in words; outputs are masked where they
// are texts.
func (s scrubber) outcome(o engine.Outcome) engine.Outcome {
	for i, f := range o.Findings {
		o.Findings[i] = s.finding(f)
	}
	for i, e := range o.Errors {
		o.Errors[i] = s.text(e)
	}
	if o.Outputs != nil {
		o.Outputs = s.value(o.Outputs).(map[string]any)
	}
	return o
}

// value masks the known secrets in a value of JSON. Outputs are data: what only
// looks like a credential stays.
func (s scrubber) value(v any) any {
	switch v := v.(type) {
	case string:
		return s.masked(v)
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = s.value(v[i])
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for key := range v {
			out[key] = s.value(v[key])
		}
		return out
	default:
		return v
	}
}
