package engine

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// lockName is the file of a folder that is locked as long as somebody uses the
// folder.
const lockName = "lock"

// claim makes the folder its processes' own. The lock is the open file's, not
// the process's: who inherits the file holds it too, and the system gives it free
// when the last of them has ended, however that ended. Nobody ever sees it
// unlocked before: it gets its name when it is locked.
func (f Folder) claim() (_ *os.File, err error) {
	unnamed := filepath.Join(string(f), "."+lockName)
	file, err := os.OpenFile(unnamed, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err = lock(file); err == nil {
		err = os.Rename(unnamed, filepath.Join(string(f), lockName))
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s cannot be locked (is TMPDIR on a file system without locks?): %w", f, err), file.Close())
	}
	return file, nil
}

// lock locks an open file, or says that another one holds the lock.
func lock(file *os.File) error {
	return syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
}

// unclaimedFor is how long a folder may be without a lock: its maker has not come
// to it, or was killed before, or while it removed the last of it. Either way
// there is nothing in it.
const unclaimedFor = 24 * time.Hour

// RemoveAbandoned removes the folders of operations whose processes have ended
// without doing so, because all of them were killed at once: they hold credentials.
// Each new operation does so before it begins. One that cannot be removed keeps nobody
// from making another; the next one tries again.
func RemoveAbandoned() {
	for _, pattern := range folderPatterns {
		folders, err := filepath.Glob(filepath.Join(os.TempDir(), pattern+"*"))
		if err != nil {
			continue // a name of TMPDIR that is no pattern
		}
		for _, folder := range folders {
			_ = Folder(folder).removeIfAbandoned()
		}
	}
}

// removeIfAbandoned removes a folder of this user's that nobody uses.
func (f Folder) removeIfAbandoned() error {
	// Others may put what they like into the folder for temporary files.
	info, err := os.Lstat(string(f))
	if err != nil || !info.IsDir() || !ownedByUs(info) {
		return err
	}
	file, err := os.OpenFile(filepath.Join(string(f), lockName), os.O_RDWR|syscall.O_NOFOLLOW, 0)
	if errors.Is(err, os.ErrNotExist) {
		if time.Since(info.ModTime()) > unclaimedFor {
			return f.Remove()
		}
		return nil
	}
	if err != nil {
		return err
	}
	defer file.Close() //nolint:errcheck // nothing was written
	if err := lock(file); err != nil {
		return nil // somebody uses it
	}
	return f.Remove()
}

func ownedByUs(info os.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Geteuid()
}
