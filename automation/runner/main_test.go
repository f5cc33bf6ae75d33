package runner

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// The test binary is all the processes there are: tests start it again as a
// child, as another parent, and, by its name, as a provider that the CLI finds.
func TestMain(m *testing.M) {
	switch {
	case filepath.Base(os.Args[0]) == pluginName:
		os.Exit(servePlugin())
	case len(os.Args) > 1 && os.Args[1] == ChildCommand:
		patience = time.Second
		os.Exit(Main(programs))
	case len(os.Args) > 1 && os.Args[1] == parentCommand:
		os.Exit(parent())
	}
	os.Exit(runTests(m))
}

// runTests runs the tests beside a backend for all of them.
func runTests(m *testing.M) int {
	if err := startBackend(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	code := m.Run()
	if err := running.stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// parentCommand makes the test binary a parent that a test may kill.
const parentCommand = "parent"

// parent runs the operation of a test, which comes from standard input.
func parent() int {
	spec, err := readSpec(os.Stdin)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	op, err := Start(context.Background(), spec)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	if _, err := op.Wait(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}
