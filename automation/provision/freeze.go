package provision

import (
	"time"

	"github.com/robfig/cron/v3"
)

// longestFreeze bounds a recurring window.
const longestFreeze = 31 * 24 * time.Hour

// begins is when a recurring window begins, again and again.
func (w FreezeWindow) begins() (cron.Schedule, error) { return parseCron(w.Cron) }

// check finds what is wrong with a window.
func (w FreezeWindow) check(f *findings, at string) {
	f.text(at+"/name", w.Name, 1, 100)
	switch {
	case w.Cron == "" && (w.From.IsZero() || w.To.IsZero()):
		f.add(at, "has no time: either from and to, or cron and duration")
	case w.Cron == "" && !w.From.Before(w.To):
		f.add(at+"/to", "is not after from")
	case w.Cron == "":
	case !w.From.IsZero() || !w.To.IsZero():
		f.add(at, "has two times: either from and to, or cron and duration")
	case w.Duration <= 0 || w.Duration > longestFreeze:
		f.add(at+"/duration", "is %s: more than nothing and at most %s", w.Duration, longestFreeze)
	default:
		begins, err := w.begins()
		if err != nil {
			f.add(at+"/cron", "cannot be read: five fields (minute hour day month weekday), in UTC, for example \"0 18 * * 5\"")
		} else if begins.Next(time.Now()).IsZero() {
			f.add(at+"/cron", "never begins")
		}
	}
}

// ends is when the window is over that is open at a time; false where none is.
func (w FreezeWindow) ends(at time.Time) (time.Time, bool) {
	if w.Cron == "" {
		return w.To, !at.Before(w.From) && at.Before(w.To)
	}
	begins, err := w.begins()
	if err != nil {
		// It was checked when it was set. What cannot be read does not freeze.
		return time.Time{}, false
	}
	at = at.UTC()
	begin := begins.Next(at.Add(-w.Duration))
	if begin.IsZero() || begin.After(at) {
		return time.Time{}, false
	}
	end := begin.Add(w.Duration)
	// One that begins before the last one ends goes on; one that is always open
	// ends too late for anybody to wait.
	for range 100 {
		if begin = begins.Next(begin); begin.IsZero() || begin.After(end) {
			break
		}
		end = begin.Add(w.Duration)
	}
	return end, true
}

// Frozen returns the window that is open at a time and when it is over; false
// where nothing is frozen. Of several it is the one that ends last.
func (s ProjectSettings) Frozen(at time.Time) (window FreezeWindow, until time.Time, frozen bool) {
	for _, w := range s.FreezeWindows {
		if end, open := w.ends(at); open && (!frozen || end.After(until)) {
			window, until, frozen = w, end, true
		}
	}
	return window, until, frozen
}

// thawed is nil, or says that the project is frozen.
func (s ProjectSettings) thawed(kind OperationKind, at time.Time) error {
	window, until, frozen := s.Frozen(at)
	if !frozen || !kind.Changes() {
		return nil
	}
	err := Fail(CodeFrozen, "the project is frozen by its window %q until %s: previews are possible, and %s after that",
		window.Name, until.UTC().Format(time.RFC3339), kind).(*Error)
	err.RetryAfter = until.Sub(at)
	return err
}
