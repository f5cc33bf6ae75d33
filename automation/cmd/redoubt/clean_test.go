package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/client"
	"redoubt/automation/runner"
)

// What others have written moves no cursor and changes no title.
func TestTerminalsGetNoControlCharacters(t *testing.T) {
	t.Parallel()
	const evil = "a\x1b]0;title\x07b\x1b[2Jc\r\u009b31md\x7f\v\f"
	const left = "a]0;titleb[2Jc31md"
	require.Equal(t, left, clean(evil))
	require.Equal(t, "two\n\tlines, größer 🐘", clean("two\n\tlines, größer 🐘"))

	var out, errs bytes.Buffer
	s := &streams{out: &out, err: &errs}
	require.NoError(t, remote{}.print(s, nil, func(w io.Writer) { fmt.Fprintf(w, "%s\t%s\n", evil, "x") }))
	require.Equal(t, left+"  x\n", out.String())

	v := newOperationView(s, false)
	v.event(runner.Event{Type: runner.TypeDiagnostic, Diagnostic: &runner.Diagnostic{Severity: "error", Message: evil}})
	require.Error(t, v.end(runner.Result{}, &runner.Error{Code: runner.CodeFailed, Message: evil}))
	(&followView{operationView: v}).show(client.Event{Type: "state", Data: []byte(`{"to":"failed","why":"\u001b[2Jgone"}`)})
	require.NotContains(t, errs.String(), "\x1b")
	require.Contains(t, errs.String(), left)
	require.Contains(t, errs.String(), "[2Jgone")
	_, err := cleaned{broken{}}.Write([]byte("x"))
	require.ErrorIs(t, err, io.ErrClosedPipe)
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.Join(io.ErrClosedPipe) }
