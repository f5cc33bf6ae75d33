// Package scripttest writes scripts that tests run at once.
package scripttest

import (
	"os"
	"syscall"
	"testing"
)

// Write writes an executable file. While it is written no process is started: a
// child that is forked meanwhile has the file open for writing until it executes
// what it is for, and so long nobody can execute the script ("text file busy").
func Write(t testing.TB, path, text string) {
	t.Helper()
	syscall.ForkLock.RLock()
	err := os.WriteFile(path, []byte(text), 0o700) //nolint:gosec // it is to be run
	syscall.ForkLock.RUnlock()
	if err != nil {
		t.Fatal(err)
	}
}
