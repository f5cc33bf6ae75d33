package engine

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// What is swept is what nobody uses any more, and nothing else.
func TestSweepRemovesAbandonedFoldersOnly(t *testing.T) {
	temporary := t.TempDir()
	t.Setenv("TMPDIR", temporary)
	used, claim, err := MakeFolder(OperationFolder)
	require.NoError(t, err)
	abandoned, gone, err := MakeFolder(scratchFolder)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(abandoned.home(), "credentials.json"), []byte("secret"), 0o600))
	require.NoError(t, gone.Close()) // as the end of its process does

	made := func(name string, age time.Duration) Folder {
		path := filepath.Join(temporary, name)
		require.NoError(t, os.Mkdir(path, 0o700))
		then := time.Now().Add(-age)
		require.NoError(t, os.Chtimes(path, then, then))
		return Folder(path)
	}
	young, old := made(OperationFolder+"young", 0), made(OperationFolder+"old", 2*unclaimedFor)
	foreign := made("somebody-elses", 2*unclaimedFor)
	link := filepath.Join(temporary, OperationFolder+"link")
	require.NoError(t, os.Symlink(string(foreign), link))
	file := filepath.Join(temporary, OperationFolder+"file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))

	next, nextClaim, err := MakeFolder(OperationFolder)
	require.NoError(t, err)
	for path, kept := range map[Folder]bool{used: true, abandoned: false, young: true, old: false, foreign: true, Folder(link): true, Folder(file): true, next: true} {
		_, err := os.Lstat(string(path))
		require.Equal(t, kept, err == nil, "%s: %v", path, err)
	}
	for _, f := range []Folder{used, next} {
		require.NoError(t, f.Remove())
		require.NoError(t, f.Remove(), "again")
		require.NoDirExists(t, string(f))
	}
	require.NoError(t, claim.Close())
	require.NoError(t, nextClaim.Close())
}
