package archive_test

import (
	"archive/zip"
	"bytes"
	"debug/elf"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/infra/workload/functions/archive"
)

const program = `package main

import (
	"fmt"
	"runtime"
)

func main() { _, file, _, _ := runtime.Caller(0); fmt.Println(file) }
`

// module writes a program into a folder of its own, and returns the folder.
func module(t *testing.T, text string) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module hello\n\ngo 1.26.0\n"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "main.go"), []byte(text), 0o600))
	return dir
}

// Two checkouts in different folders must give one archive: its digest is what
// people compare, and what decides whether a function is signed again.
func TestBuildsAreByteIdentical(t *testing.T) {
	t.Parallel()
	first, err := archive.Build(t.Context(), archive.Source{Root: module(t, program), Package: "."})
	require.NoError(t, err)
	second, err := archive.Build(t.Context(), archive.Source{Root: module(t, program), Package: "."})
	require.NoError(t, err)
	require.True(t, bytes.Equal(first, second), "two builds of one program differ")

	other, err := archive.Build(t.Context(), archive.Source{Root: module(t, program+"\nvar _ = 1\nfunc init() { println(1) }\n"), Package: "."})
	require.NoError(t, err)
	require.False(t, bytes.Equal(first, other), "another program has the same bytes")
}

// The functions that are deployed, built twice.
func TestFunctionsAreByteIdentical(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"rotate", "search-bootstrap", "split-logs"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			source := archive.Source{Root: "../../../..", Package: "./infra/workload/functions/" + name}
			first, err := archive.Build(t.Context(), source)
			require.NoError(t, err)
			second, err := archive.Build(t.Context(), source)
			require.NoError(t, err)
			require.True(t, bytes.Equal(first, second))
			requireLambdaProgram(t, first)
		})
	}
}

// requireLambdaProgram wants one executable for arm64 that needs no C library.
func requireLambdaProgram(t *testing.T, data []byte) {
	t.Helper()
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	require.NoError(t, err)
	require.Len(t, r.File, 1)
	require.Equal(t, "bootstrap", r.File[0].Name)
	require.EqualValues(t, 0o755, r.File[0].Mode())
	require.Equal(t, time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC), r.File[0].Modified.UTC())
	f, err := r.File[0].Open()
	require.NoError(t, err)
	text, err := io.ReadAll(f)
	require.NoError(t, err)
	binary, err := elf.NewFile(bytes.NewReader(text))
	require.NoError(t, err)
	require.Equal(t, elf.EM_AARCH64, binary.Machine)
	libraries, err := binary.ImportedLibraries()
	require.NoError(t, err)
	require.Empty(t, libraries)
}

func TestBuildSaysWhatTheCompilerSays(t *testing.T) {
	t.Parallel()
	_, err := archive.Build(t.Context(), archive.Source{Root: module(t, "package main\n\nfunc main() { missing() }\n"), Package: "."})
	require.ErrorContains(t, err, "undefined: missing")
}

func TestZipSortsAndRefusesDuplicates(t *testing.T) {
	t.Parallel()
	a := archive.File{Name: "a", Mode: 0o644, Data: []byte("1")}
	b := archive.File{Name: "b", Mode: 0o644, Data: []byte("2")}
	one, err := archive.Zip([]archive.File{a, b})
	require.NoError(t, err)
	two, err := archive.Zip([]archive.File{b, a})
	require.NoError(t, err)
	require.Equal(t, one, two)
	_, err = archive.Zip([]archive.File{a, a})
	require.ErrorContains(t, err, "a twice")
}

func TestReadReturnsWhatWasWritten(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "dist")
	wrote, err := archive.Write(dir, "hello", []byte("zip"))
	require.NoError(t, err)
	read, err := archive.Read(dir, "hello")
	require.NoError(t, err)
	require.Equal(t, wrote, read)
}

func TestReadNamesTheCommand(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		prepare func(t *testing.T, dir string)
		want    string
	}{
		"not built": {func(*testing.T, string) {}, "function hello is not built"},
		"no digest": {func(t *testing.T, dir string) {
			require.NoError(t, os.WriteFile(filepath.Join(dir, "hello.zip"), []byte("zip"), 0o600))
		}, "has no digest"},
		"changed afterwards": {func(t *testing.T, dir string) {
			_, err := archive.Write(dir, "hello", []byte("zip"))
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(filepath.Join(dir, "hello.zip"), []byte("another"), 0o600))
		}, "somebody changed one of the two"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			tc.prepare(t, dir)
			_, err := archive.Read(dir, "hello")
			require.ErrorContains(t, err, tc.want)
			require.ErrorContains(t, err, archive.Command)
		})
	}
	_, err := archive.Read(t.TempDir(), "../hello")
	require.ErrorContains(t, err, "lower-case letters")
}
