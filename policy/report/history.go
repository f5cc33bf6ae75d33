package report

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// mostRuns is how many runs a history shows, the newest.
const mostRuns = 60

// Remember adds the report's numbers to a folder, which is made where there is
// none, and gives the report the runs about the same stack, pack and phase that are
// in it. Reports in JSON may be put there too. A file that is no report is an
// error, and all of them are named at once.
func (r Report) Remember(folder string) (Report, error) {
	const open = 0o755
	if err := os.MkdirAll(folder, open); err != nil {
		return r, fmt.Errorf("the history %s: %w", folder, err)
	}
	runs, err := readRuns(folder)
	if err != nil {
		return r, err
	}
	r.History = nil
	for _, one := range runs {
		if one.Pack.Name == r.Pack.Name && one.Subject.Stack == r.Subject.Stack && one.Subject.Phase == r.Subject.Phase && one.Time.Before(r.Time) {
			r.History = append(r.History, one)
		}
	}
	r.History = r.History[max(0, len(r.History)-mostRuns):]
	path := filepath.Join(folder, r.Run.fileName())
	return r, replace(path, func(w io.Writer) error { return encode(w, r.Run) })
}

// fileName is one for each time and subject: a run that is judged again in the same
// second replaces itself.
func (r Run) fileName() string {
	sum := sha256.Sum256([]byte(r.Pack.Name + "\x00" + r.Subject.Stack + "\x00" + r.Subject.Phase))
	return r.Time.UTC().Format("20060102T150405Z") + "-" + hex.EncodeToString(sum[:6]) + ".json"
}

// readRuns reads the .json files of a folder, oldest first.
func readRuns(folder string) ([]Run, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, fmt.Errorf("the history %s: %w", folder, err)
	}
	var runs []Run
	var errs []error
	for _, e := range entries {
		if e.IsDir() || strings.HasPrefix(e.Name(), ".") || filepath.Ext(e.Name()) != ".json" {
			continue
		}
		run, err := readRun(filepath.Join(folder, e.Name()))
		if err != nil {
			errs = append(errs, err)
			continue
		}
		runs = append(runs, run)
	}
	slices.SortStableFunc(runs, func(a, b Run) int { return a.Time.Compare(b.Time) })
	return runs, errors.Join(errs...)
}

func readRun(path string) (Run, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return Run{}, fmt.Errorf("the history's file %s: %w", path, err)
	}
	var run Run
	if err := json.Unmarshal(text, &run); err != nil || run.Version < 1 || run.Time.IsZero() {
		return run, fmt.Errorf("the history's file %s is no report in JSON: move it elsewhere", path)
	}
	if run.Version > Version {
		return run, fmt.Errorf("the history's file %s has version %d of the reports' form, and this pack knows it up to %d: use a newer one, or move the file elsewhere", path, run.Version, Version)
	}
	return run, nil
}
