//go:build unix

package rehearsal

import (
	"os"
	"syscall"
)

// lockFile keeps other processes from the account's file until it is unlocked
// or its last holder has ended.
func lockFile(f *os.File) error {
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
}

// unlockFile gives the file free for whoever is next. Closing it would not do: the
// lock is the open file's, and a process that is being started at this moment has
// the file open too until it runs its program.
func unlockFile(f *os.File) error {
	return syscall.Flock(int(f.Fd()), syscall.LOCK_UN)
}
