//go:build !unix

package rehearsal

import "os"

// lockFile does nothing where there are no advisory locks: the user keeps two
// processes from one file.
func lockFile(*os.File) error { return nil }

// unlockFile undoes what lockFile did: nothing.
func unlockFile(*os.File) error { return nil }
