package engine

import (
	"errors"
	"regexp"
	"strings"
)

// Concise turns an error of the Automation API, which holds everything that
// the CLI printed, into what a person needs: the engine's error diagnostics of
// that operation, or the CLI's own last words. It returns nil for nil.
func Concise(err error, out Outcome) error {
	if err == nil {
		return nil
	}
	if len(out.Mandatory()) > 0 {
		return errors.New("the policy pack refused it")
	}
	if len(out.Errors) > 0 {
		words := make([]string, 0, len(out.Errors))
		for _, e := range out.Errors {
			words = append(words, unwrap(e))
		}
		return errors.New(strings.Join(words, "\n"))
	}
	_, stderr, found := strings.Cut(err.Error(), "stderr: ")
	if text := strings.TrimSpace(stderr); found && text != "" {
		return errors.New(text)
	}
	return err
}

// wrapping is what the SDK and go-multierror put before a program's own error.
var wrapping = regexp.MustCompile(`^(an unhandled error occurred: )?(program failed: \n?)?(\d+ errors? occurred:\n)?`)

// unwrap leaves a program's own words of an error diagnostic.
func unwrap(text string) string {
	text = wrapping.ReplaceAllString(text, "")
	lines := strings.Split(strings.TrimSpace(text), "\n")
	for i, line := range lines {
		line = strings.TrimPrefix(strings.TrimPrefix(line, "\t"), "* ")
		lines[i] = strings.TrimRight(line, " \t")
	}
	return strings.Join(lines, "\n")
}
