package runner

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/backend"
	"redoubt/internal/scripttest"
)

// The whole life of a stack, each operation in a process of its own.
func TestLife(t *testing.T) {
	t.Parallel()
	f := serveFake(t)
	spec := operation(t, f, Preview, "things", map[string]string{"things": "3"})
	spec.Create = false
	_, err := run(t, spec)
	require.Equal(t, CodeMissing, CodeOf(err), err)
	require.ErrorContains(t, err, spec.Stack)
	spec.Create = true

	result, err := run(t, spec)
	require.NoError(t, err)
	require.Equal(t, map[string]int{"create": 4}, result.Counts)
	require.Zero(t, f.count("t0"))

	op := start(t, spec.as(Up))
	begun, done, progress, summaries, last := 0, 0, 0, 0, 0
	for event := range op.Events() {
		last++
		require.Equal(t, last, event.Seq)
		switch event.Type {
		case TypeResource:
			if event.Resource.Type != thingType {
				continue // the stack, the provider
			}
			if event.Resource.Status == Begun {
				begun++
			} else {
				done++
			}
		case TypeProgress:
			progress = event.Progress.Done
		case TypeSummary:
			summaries++
			require.Equal(t, map[string]int{"create": 4}, event.Summary.Counts)
		}
	}
	result, err = op.Wait()
	require.NoError(t, err)
	require.Equal(t, 3, begun)
	require.Equal(t, 3, done)
	require.GreaterOrEqual(t, progress, 4)
	require.Equal(t, 1, summaries)
	require.Equal(t, map[string]any{"plain": "seen", "secret": "[secret]"}, result.Outputs, "outputs are there, secrets are not")

	for kind, want := range map[Kind]map[string]int{
		Up: {"same": 4}, Refresh: {"same": 4}, PreviewRefresh: {"same": 4}, PreviewDestroy: {"delete": 4},
	} {
		result, err = run(t, spec.as(kind))
		require.NoError(t, err, kind)
		require.Equal(t, want, result.Counts, kind)
	}
	result, err = run(t, spec.as(Destroy))
	require.NoError(t, err)
	require.Equal(t, map[string]int{"delete": 4}, result.Counts)
}

// Every resource is done once, a component too, whose outputs the engine tells
// of besides.
func TestEachResourceIsDoneOnce(t *testing.T) {
	t.Parallel()
	spec := operation(t, serveFake(t), Preview, "component", nil)
	for _, kind := range []Kind{Preview, Up, PreviewDestroy, Destroy} {
		op := start(t, spec.as(kind))
		done := map[string]int{}
		for event := range op.Events() {
			if event.Type == TypeResource && event.Resource.Status == Done {
				done[event.Resource.Type]++
			}
		}
		result, err := op.Wait()
		require.NoError(t, err, kind)
		require.Equal(t, 1, done[componentType], "%s: %v", kind, done)
		require.Equal(t, 1, done[thingType], "%s: %v", kind, done)
		require.Equal(t, 1, done["pulumi:pulumi:Stack"], "%s: %v", kind, done)
		changes := map[string]int{}
		for _, c := range result.Changes {
			changes[c.Type]++
		}
		require.Equal(t, done, changes, kind)
	}
}

// An operation on a stack that is there starts the CLI once.
func TestOneStartOfTheCLI(t *testing.T) {
	t.Parallel()
	f := serveFake(t)
	spec := operation(t, f, Up, "things", map[string]string{"things": "1"})
	counted := filepath.Join(t.TempDir(), "pulumi")
	log := counted + ".log"
	script := "#!/bin/sh\necho x >> " + log + "\nexec " + spec.CLI.Executable + " \"$@\"\n"
	scripttest.Write(t, counted, script)
	_, err := run(t, spec)
	require.NoError(t, err)
	spec.CLI.Executable, spec.Create = counted, false
	for _, kind := range []Kind{Preview, Up, Refresh, Destroy} {
		_, err = run(t, spec.as(kind))
		require.NoError(t, err)
		starts, err := os.ReadFile(log)
		require.NoError(t, err)
		require.Equal(t, "x\n", string(starts), kind)
		require.NoError(t, os.Remove(log))
	}
}

// Who reads no events holds up nothing, and misses nothing.
func TestSlowReaderHoldsUpNothing(t *testing.T) {
	t.Parallel()
	spec := operation(t, serveFake(t), Up, "things", map[string]string{"things": "700"})
	op := start(t, spec)
	_, err := op.Wait()
	require.NoError(t, err)
	finished := map[string]bool{}
	for event := range op.Events() {
		if event.Type == TypeResource && event.Resource.Status == Done && event.Resource.Type == thingType {
			finished[event.Resource.URN] = true
		}
	}
	require.Equal(t, 700, len(finished)) //nolint:testifylint // Len prints all of them
}

// A secret in the settings stays encrypted on its way, reaches the program, and
// is in no output.
func TestSettingsKeepTheirSecrets(t *testing.T) {
	t.Parallel()
	spec := operation(t, serveFake(t), Up, "things", map[string]string{"things": "1"}).encrypted(t, "secret", "hush-4711", "open sesame")
	result, err := run(t, spec)
	require.NoError(t, err)
	require.Equal(t, "[secret]", result.Outputs["configured"])
	spec.Passphrase = "another"
	_, err = run(t, spec)
	require.Equal(t, CodeFailed, CodeOf(err))
	require.ErrorContains(t, err, "incorrect passphrase")
}

// A provider that puts a secret into its error does not put it into ours.
func TestErrorsAreScrubbed(t *testing.T) {
	t.Parallel()
	spec := operation(t, serveFake(t), Up, "things", map[string]string{"things": "1", "refuse": "hush-4711"})
	spec.Secrets = []string{"hush-4711"}
	op := start(t, spec)
	said := ""
	for event := range op.Events() {
		if event.Type == TypeDiagnostic {
			said += event.Diagnostic.Message
		}
	}
	result, err := op.Wait()
	require.Equal(t, CodeFailed, CodeOf(err))
	for _, text := range append(result.Errors, err.Error(), said) {
		require.NotContains(t, text, "hush-4711")
	}
	require.Contains(t, err.Error(), "refused because of")
	require.Contains(t, said, "refused because of")
}

// What an update is for is kept in the stack's history, as it was said.
func TestMessagesAreKept(t *testing.T) {
	t.Parallel()
	spec := operation(t, serveFake(t), Up, "things", map[string]string{"things": "1"})
	for _, kind := range []Kind{Up, Refresh, Destroy} {
		next := spec.as(kind)
		next.Message = fmt.Sprintf("for %q,\nas --agreed", kind)
		_, err := run(t, next)
		require.NoError(t, err)
	}
	name := backend.StackName{Org: org, Project: shop, Stack: spec.Project.Stack}
	updates, err := running.service.History(t.Context(), running.admin, name, 1, 10)
	require.NoError(t, err)
	var messages []string
	for _, u := range updates {
		messages = append(messages, u.Message)
	}
	require.Equal(t, []string{"for \"destroy\",\nas --agreed", "for \"refresh\",\nas --agreed", "for \"up\",\nas --agreed"}, messages)
}

func TestProgramErrors(t *testing.T) {
	t.Parallel()
	_, err := run(t, operation(t, nil, Up, "fails", nil))
	require.Equal(t, CodeFailed, CodeOf(err))
	require.EqualError(t, err, "a program's own error")
	_, err = run(t, operation(t, nil, Up, "nothing", nil))
	require.Equal(t, CodeInvalid, CodeOf(err))
	require.ErrorContains(t, err, `there is no blueprint "nothing"`)
}

// A program that waits for what never comes does not keep the operation.
func TestStuckProgram(t *testing.T) {
	t.Parallel()
	_, err := run(t, operation(t, serveFake(t), Up, "stuck", nil))
	require.Error(t, err)
	require.ErrorContains(t, err, "did not end")
}

// Names that the CLI would take for flags or other places get nowhere.
func TestHostileNames(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"--help", "-s", "..", ".", "a/../b", "acme/shop/--yes", "acme/-x/dev", "-acme/dev", "a/b/c/d", "/", "acme//dev",
		"dev\n", "dev dev", "$(id)", strings.Repeat("a", 101), "file://x",
	} {
		spec := Spec{Kind: Up, Blueprint: "things", Stack: name}
		spec.Project.Project.Name = shop
		_, err := Start(t.Context(), spec)
		require.Equal(t, CodeInvalid, CodeOf(err), "%q: %v", name, err)
	}
	for _, name := range []string{"dev", "acme/dev", "acme/shop/dev", "dev-1.2_x"} {
		require.NoError(t, CheckStack(name, shop), name)
	}
}

func TestInvalidSpecifications(t *testing.T) {
	t.Parallel()
	good := operation(t, nil, Up, "things", nil)
	for name, change := range map[string]func(*Spec){
		"kind":      func(s *Spec) { s.Kind = "apply" },
		"blueprint": func(s *Spec) { s.Blueprint = "" },
		"backend":   func(s *Spec) { s.Backend.URL = "" },
		"variable":  func(s *Spec) { s.Env = map[string]string{"LD_PRELOAD": "/x.so"} },
		"policy":    func(s *Spec) { s.Policy = "/no/such/pack" },
	} {
		spec := good
		change(&spec)
		_, err := Start(t.Context(), spec)
		require.Equal(t, CodeInvalid, CodeOf(err), name)
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := Start(canceled, good)
	require.Equal(t, CodeCanceled, CodeOf(err))
	// An executable that is no child.
	spec := good
	spec.Command = []string{"/bin/false"}
	_, err = run(t, spec)
	require.Equal(t, CodeLost, CodeOf(err))
	spec.Command = []string{"/no/such/file"}
	_, err = Start(t.Context(), spec)
	require.ErrorContains(t, err, "cannot be started")
}

// Operations that fail early leave nothing in the process that started them.
func TestEarlyFailureLeaksNothing(t *testing.T) {
	folder := private(t)
	spec := operation(t, nil, Preview, "things", nil)
	spec.Backend.Token = "redoubt_wrong_token"
	for range 5 {
		op, err := Start(t.Context(), spec)
		require.NoError(t, err)
		_, err = op.Wait()
		require.Equal(t, CodeUnauthorized, CodeOf(err), err)
	}
	// Others, of the backend and of its connections, come and go.
	eventually(t, "goroutines end", func() bool {
		stacks := make([]byte, 1<<20)
		stacks = stacks[:runtime.Stack(stacks, true)]
		return !bytes.Contains(stacks, []byte("runner.(*Operation)")) && !bytes.Contains(stacks, []byte("runner.Start"))
	})
	requireEmpty(t, folder)
}
