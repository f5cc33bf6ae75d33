//go:build unix

package rehearsal

import (
	"os"
	"syscall"
)

// lockFile keeps other processes from the account's file until it is closed.
func lockFile(f *os.File) error {
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
}
