//go:build unix

package rehearsal

import (
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// A process that is being started has every file of its parent open until it runs
// its program: here a second descriptor of the same open file stands for it.
func TestClosedAccountIsFreeWhileAChildHasItsFileOpen(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "account.jsonl")
	a, err := Open(file)
	require.NoError(t, err)
	create(t, configured(t, a, "eu-west-1"), vpcToken, "main", props{"cidrBlock": "10.0.0.0/16"})
	inherited, err := syscall.Dup(int(a.journal.file.Fd()))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, syscall.Close(inherited)) })
	require.NoError(t, a.Close())
	b, err := Open(file)
	require.NoError(t, err)
	require.NoError(t, b.Close())
}
