package engine

import (
	"errors"
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
		return errors.New(strings.Join(out.Errors, "\n"))
	}
	_, stderr, found := strings.Cut(err.Error(), "stderr: ")
	if text := strings.TrimSpace(stderr); found && text != "" {
		return errors.New(text)
	}
	return err
}
