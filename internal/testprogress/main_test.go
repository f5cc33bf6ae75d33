package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// tell runs real tests of a module of its own and returns what is told of them.
func tell(t *testing.T, files map[string]string) (told string, failures int) {
	t.Helper()
	folder := t.TempDir()
	files["go.mod"] = "module shop\n\ngo 1.24\n"
	for name, text := range files {
		path := filepath.Join(folder, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	}
	tests := exec.Command("go", "test", "-json", "./...")
	tests.Dir = folder
	tests.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off")
	text, _ := tests.CombinedOutput() // it fails where a test does
	var out bytes.Buffer
	p := &progress{out: &out, of: len(files) - 1, now: time.Now, packages: map[string]*pack{}}
	require.NoError(t, p.read(bytes.NewReader(text)))
	failures = p.summary()
	return out.String(), failures
}

func TestProgress(t *testing.T) {
	t.Parallel()
	told, failures := tell(t, map[string]string{
		"good/a_test.go": "package good\nimport \"testing\"\nfunc TestGood(t *testing.T) { t.Log(\"quiet\") }\n",
		"bad/a_test.go":  "package bad\nimport \"testing\"\nfunc TestGood(t *testing.T) { t.Log(\"quiet\") }\nfunc TestBad(t *testing.T) { t.Run(\"row\", func(t *testing.T) { t.Error(\"it is broken\") }) }\n",
		"none/a.go":      "package none\n",
	})
	require.Equal(t, 3, failures, "the row, its test and their package:\n%s", told)
	require.NotContains(t, told, "quiet", "what passed has nothing to say")
	for _, want := range []string{`of 3  ok `, `of 3  FAIL `, `of 3  no tests `, "it is broken", "3 packages in 0:", "FAIL shop/bad TestBad/row\n"} {
		require.Contains(t, told, want)
	}
}

func TestWhatDoesNotBuildFails(t *testing.T) {
	t.Parallel()
	told, failures := tell(t, map[string]string{"broken/a_test.go": "package broken\nvar _ = undefined\n"})
	require.Equal(t, 1, failures)
	require.Contains(t, told, "undefined: undefined")
}

func TestATestThatEndsItsProcessFails(t *testing.T) {
	t.Parallel()
	told, failures := tell(t, map[string]string{"gone/a_test.go": "package gone\nimport \"testing\"\nfunc TestGone(*testing.T) { panic(\"all is lost\") }\n"})
	require.Positive(t, failures)
	require.Contains(t, told, "all is lost")
}
