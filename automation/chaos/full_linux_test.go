package chaos

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The disk is full in the middle of an update: nothing more is acknowledged, what
// was is kept, and when there is space again all goes on.
func TestADiskThatIsFullInTheMiddle(t *testing.T) {
	t.Parallel()
	const stack = "dev"
	l := newLane(t, settings{Disk: 8 << 20, Lease: time.Hour, First: time.Hour})
	filler := l.node.inside(filepath.Join(l.node.settings.Data, "filler"))
	l.node.create(t, stack)
	before := l.node.export(t, stack)
	middle := make(chan struct{})
	l.trap.set(stack, 60, func() bool {
		if err := fill(filler); err != nil {
			t.Error(err)
		}
		close(middle)
		return false
	})
	r := l.laptop.start(t, stack, 1, "up")
	require.Error(t, r.ends())
	<-middle
	l.trap.set("", 0, nil)
	require.Contains(t, r.out.String(), "the disk is full")
	require.JSONEq(t, string(before), string(l.node.export(t, stack)), "what there was can be read")
	lives, _ := l.cloud.of(stack)
	require.Less(t, len(lives), things, "nothing was done that could not be written down")

	require.NoError(t, os.Remove(filler))
	active := l.node.active(t, stack)
	require.NotEmpty(t, active, "the update could not say that it ended")
	l.node.do(t, "POST", stackPath(stack)+"/update/"+active+"/cancel", nil)
	l.sound(t, stack)
	l.wire.forget()
	l.recover(t, stack, 1)
	l.laptop.do(t, stack, 1, "up")
	l.sound(t, stack)
	require.Len(t, l.state(t, stack).things(), things)
	_, made := l.cloud.of(stack)
	for urn, n := range made {
		require.Equal(t, 1, n, urn)
	}
}

// inside is a path as the server's process sees it, whose mounts are its own.
func (n *node) inside(path string) string {
	return filepath.Join(fmt.Sprintf("/proc/%d/root", n.process.Process.Pid), path)
}

// fill writes a file until the disk is full.
func fill(path string) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	// First in large steps, then what is left.
	for _, size := range []int{64 << 10, 512} {
		for err = nil; err == nil; {
			_, err = file.Write(make([]byte, size))
		}
		if !errors.Is(err, syscall.ENOSPC) {
			return errors.Join(err, file.Close())
		}
	}
	return file.Close()
}
