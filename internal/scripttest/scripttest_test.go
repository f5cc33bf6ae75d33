package scripttest_test

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/internal/scripttest"
)

// Scripts are run as soon as they are written, while others are started.
func TestAScriptRunsAtOnce(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	var all sync.WaitGroup
	failures := make(chan error, 200)
	for i := range 4 {
		all.Go(func() {
			for n := range 50 {
				path := filepath.Join(folder, fmt.Sprintf("%d-%d", i, n))
				scripttest.Write(t, path, "#!/bin/true\n")
				if err := exec.Command(path).Run(); err != nil {
					failures <- err
				}
			}
		})
	}
	all.Wait()
	close(failures)
	for err := range failures {
		require.NoError(t, err)
	}
}
