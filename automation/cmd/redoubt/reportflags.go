package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	reports "redoubt/policy/report"
)

// reportFlags say in which forms a report is wanted, and where.
type reportFlags struct {
	Format  []string `help:"Form of the report: text, json, sarif, junit, markdown or html; one for each --output, by default what its name ends with, and text on the terminal." placeholder:"FORM"`
	Output  []string `help:"File for the report instead of standard output; may be given more than once." placeholder:"FILE"`
	History string   `help:"Folder that keeps the numbers of each run; the page of HTML draws them." placeholder:"FOLDER"`
}

// target is one form in one place; standard output has no path.
type target struct {
	path   string
	format reports.Format
}

// targets are all that the flags ask for. Everything that is wrong with them is said
// before anything is judged.
func (f reportFlags) targets() ([]target, error) {
	if len(f.Output) == 0 {
		return f.onStandardOutput()
	}
	if len(f.Format) > 0 && len(f.Format) != len(f.Output) {
		return nil, fmt.Errorf("%d --format for %d --output: give one for each in the same order, or none, and the files' names say it", len(f.Format), len(f.Output))
	}
	var errs []error
	targets := make([]target, len(f.Output))
	for i, path := range f.Output {
		var err error
		targets[i].path = path
		if len(f.Format) > 0 {
			targets[i].format, err = formatOf(f.Format[i])
		} else {
			targets[i].format, err = reports.FormatOf(path)
		}
		errs = append(errs, err)
		if about, err := os.Stat(filepath.Dir(path)); err != nil || !about.IsDir() {
			errs = append(errs, fmt.Errorf("--output %s: %s is no folder: make it first", path, filepath.Dir(path)))
		}
	}
	return targets, errors.Join(errs...)
}

func (f reportFlags) onStandardOutput() ([]target, error) {
	switch len(f.Format) {
	case 0:
		return []target{{format: reports.Text}}, nil
	case 1:
		format, err := formatOf(f.Format[0])
		return []target{{format: format}}, err
	default:
		return nil, fmt.Errorf("%d --format for standard output, which takes one: give an --output for each", len(f.Format))
	}
}

func formatOf(name string) (reports.Format, error) {
	for _, known := range reports.Formats() {
		if name == known {
			return reports.Format(name), nil
		}
	}
	return "", fmt.Errorf("--format %s is no form of a report: one of %v", name, reports.Formats())
}

// write writes the report to its targets, and into the history.
func (f reportFlags) write(s *streams, r reports.Report, targets []target) error {
	if f.History != "" {
		var err error
		if r, err = r.Remember(f.History); err != nil {
			return err
		}
	}
	var errs []error
	for _, t := range targets {
		if t.path == "" {
			errs = append(errs, r.Write(s.out, t.format))
			continue
		}
		errs = append(errs, r.WriteFile(t.path, t.format))
	}
	if targets[0].path != "" {
		fmt.Fprintln(s.err, r.Headline())
	}
	return errors.Join(errs...)
}
