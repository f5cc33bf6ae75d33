package report

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// Format is a form of a report.
type Format string

// The forms.
const (
	Text     Format = "text"
	JSON     Format = "json"
	SARIF    Format = "sarif"
	JUnit    Format = "junit"
	Markdown Format = "markdown"
	HTML     Format = "html"
)

// formats are the forms, with the ends of the files' names that mean them.
var formats = []struct {
	name  Format
	ends  []string
	write func(Report, io.Writer) error
}{
	{Text, []string{".txt"}, Report.text},
	{JSON, []string{".json"}, Report.json},
	// Before it is asked whether a name ends with .json, this one must be.
	{SARIF, []string{".sarif", ".sarif.json"}, Report.sarif},
	{JUnit, []string{".xml"}, Report.junit},
	{Markdown, []string{".md"}, Report.markdown},
	{HTML, []string{".html"}, Report.html},
}

// Formats are the names of all forms.
func Formats() []string {
	out := make([]string, len(formats))
	for i, f := range formats {
		out[i] = string(f.name)
	}
	return out
}

// FormatOf is the form that a file's name asks for by its longest known end.
func FormatOf(path string) (Format, error) {
	var found Format
	longest := 0
	var known []string
	for _, f := range formats {
		for _, end := range f.ends {
			known = append(known, end)
			if strings.HasSuffix(strings.ToLower(path), end) && len(end) > longest {
				found, longest = f.name, len(end)
			}
		}
	}
	if longest == 0 {
		return "", fmt.Errorf("%s: the name does not say which form the report has: end it with one of %s", path, strings.Join(known, ", "))
	}
	return found, nil
}

// Write writes the report in a form.
func (r Report) Write(w io.Writer, format Format) error {
	for _, f := range formats {
		if f.name == format {
			return f.write(r, w)
		}
	}
	return fmt.Errorf("%q is no form of a report: one of %s", format, strings.Join(Formats(), ", "))
}

// WriteFile replaces a file with the report as a whole: who reads it while it is
// written, and who loses power, has the one before.
func (r Report) WriteFile(path string, format Format) error {
	return replace(path, func(w io.Writer) error { return r.Write(w, format) })
}

func replace(path string, write func(io.Writer) error) (err error) {
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("a report cannot be written to %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(file.Name()) // what went wrong is already known
			err = fmt.Errorf("a report cannot be written to %s: %w", path, err)
		}
	}()
	if err := write(file); err != nil {
		_ = file.Close() // likewise
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	// A report is for others to read; CreateTemp makes files for its owner alone.
	const readable = 0o644
	if err := os.Chmod(file.Name(), readable); err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}
