// Package archive makes and reads the ZIP files that Lambda runs. The same
// sources give the same bytes, so that an unchanged function is not signed and
// deployed again, and so that anyone can check what was signed.
package archive

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Command makes every archive in Dir; errors name it.
const Command = "go run ./infra/workload/functions/pack"

// Dir is where Command writes and programs look, below the repository's root.
const Dir = "dist/functions"

// epoch is every entry's time: the earliest that the ZIP format can write.
var epoch = time.Date(1980, time.January, 1, 0, 0, 0, 0, time.UTC)

var nameForm = regexp.MustCompile(`^[a-z][a-z0-9-]{0,31}$`)

// Artifact is a function's archive on disk.
type Artifact struct {
	// Name is the function's, for example "rotate".
	Name string
	// Path is the ZIP file's.
	Path string
	// SHA256 is the ZIP file's digest, 64 hexadecimal digits.
	SHA256 string
}

// File is an entry of an archive.
type File struct {
	// Name is the path inside, with slashes.
	Name string
	// Mode is the permissions; Lambda starts an executable "bootstrap".
	Mode fs.FileMode
	Data []byte
}

// Zip packs the files: sorted, with one fixed time and nothing of the machine
// that packs.
func Zip(files []File) ([]byte, error) {
	sorted := slices.Clone(files)
	slices.SortFunc(sorted, func(a, b File) int { return strings.Compare(a.Name, b.Name) })
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for i, f := range sorted {
		if i > 0 && sorted[i-1].Name == f.Name {
			return nil, fmt.Errorf("archive: %s twice (an archive holds a name once)", f.Name)
		}
		header := &zip.FileHeader{Name: f.Name, Method: zip.Deflate, Modified: epoch}
		header.SetMode(f.Mode.Perm())
		entry, err := w.CreateHeader(header)
		if err != nil {
			return nil, fmt.Errorf("archive: entry %s: %w (use a plain relative path)", f.Name, err)
		}
		if _, err := entry.Write(f.Data); err != nil {
			return nil, fmt.Errorf("archive: entry %s: write: %w", f.Name, err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("archive: close: %w", err)
	}
	return out.Bytes(), nil
}

// Write puts <name>.zip and <name>.zip.sha256 into the folder, making it if it
// is not there. The digest's file has the form that sha256sum -c reads.
func Write(dir, name string, data []byte) (Artifact, error) {
	a := Artifact{Name: name, Path: filepath.Join(dir, name+".zip"), SHA256: digest(data)}
	if !nameForm.MatchString(name) {
		return a, fmt.Errorf("archive: name %q (1 to 32 lower-case letters, digits and hyphens, a letter first)", name)
	}
	err := errors.Join(
		os.MkdirAll(dir, 0o755),
		os.WriteFile(a.Path, data, 0o644),
		os.WriteFile(a.Path+".sha256", []byte(a.SHA256+"  "+name+".zip\n"), 0o644),
	)
	if err != nil {
		return a, fmt.Errorf("archive: write %s: %w (is the folder writable?)", a.Path, err)
	}
	return a, nil
}

// Read returns the archive of a function in the folder. It fails, naming the
// command to run, if the archive is not there or is not the one whose digest
// stands beside it.
func Read(dir, name string) (Artifact, error) {
	a := Artifact{Name: name, Path: filepath.Join(dir, name+".zip")}
	if !nameForm.MatchString(name) {
		return a, fmt.Errorf("archive: name %q (1 to 32 lower-case letters, digits and hyphens, a letter first)", name)
	}
	data, err := os.ReadFile(a.Path)
	if err != nil {
		return a, fmt.Errorf("archive: function %s is not built: %w (run %s in the repository's root)", name, err, Command)
	}
	want, err := os.ReadFile(a.Path + ".sha256")
	if err != nil {
		return a, fmt.Errorf("archive: function %s has no digest: %w (run %s in the repository's root)", name, err, Command)
	}
	a.SHA256 = digest(data)
	if recorded, _, _ := strings.Cut(string(want), " "); strings.TrimSpace(recorded) != a.SHA256 {
		return a, fmt.Errorf("archive: %s has digest %s, but %s.sha256 says %.64s (somebody changed one of the two: run %s again)",
			a.Path, a.SHA256, a.Path, strings.TrimSpace(recorded), Command)
	}
	return a, nil
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
