// Package built gives tests this module's programs, built once for all packages.
package built

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
)

// FolderVariable names the folder of programs that were built just now, as `make
// test` does. Without it a test builds what it needs, so that it is never out of date.
const FolderVariable = "REDOUBT_TEST_BIN"

// Pack is the policy pack's executable.
var Pack = sync.OnceValues(func() (string, error) { return program("redoubt-policy", "redoubt/policy") })

// Redoubt is the command's executable. It links the AWS SDK of Pulumi: a test that
// can be redoubt itself, by its TestMain, is faster.
var Redoubt = sync.OnceValues(func() (string, error) { return program("redoubt", "redoubt/automation/cmd/redoubt") })

func program(name, of string) (string, error) {
	if folder := os.Getenv(FolderVariable); folder != "" {
		path := filepath.Join(folder, name)
		if _, err := os.Stat(path); err != nil {
			return "", fmt.Errorf("%s says where %s is: %w (run `make build`, or unset it)", FolderVariable, name, err)
		}
		return path, nil
	}
	return Peer(name, of)
}

// Peer is a program that is no part of what is released: what a benchmark compares
// with. It is built where it is out of date.
func Peer(name, of string) (string, error) {
	folder, err := cache()
	if err != nil {
		return "", err
	}
	path := filepath.Join(folder, name)
	// What is up to date is not linked again.
	cmd := exec.Command("go", "build", "-ldflags", "-s -w", "-o", path, of)
	// On the same disk, so that a finished file is moved to where it belongs: a
	// program that another package's test runs at this moment cannot be written to.
	cmd.Env = append(os.Environ(), "GOTMPDIR="+folder)
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build %s: %w\n%s", of, err, out)
	}
	return path, nil
}

// cache is a folder for this working tree's programs: the tests of another one may
// run at the same time.
func cache() (string, error) {
	module, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("go env GOMOD: %w", err)
	}
	root, err := os.UserCacheDir()
	if err != nil {
		root = os.TempDir()
	}
	tree := sha256.Sum256(module)
	folder := filepath.Join(root, "redoubt-tests", hex.EncodeToString(tree[:6]), "bin")
	return folder, os.MkdirAll(folder, 0o700)
}
