package story

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// redoubt is the executable; the policy pack is beside it.
var redoubt string

// module is the folder of go.mod.
var module string

func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == laptopProgram {
		pulumi.Run(nothing)
		return
	}
	if name := filepath.Base(os.Args[0]); badPacks[name] != nil {
		if err := serveBadPack(name, os.Args[1]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	flag.Parse()
	// Much of the time they wait for claims of dead processes to end.
	if err := flag.Set("test.parallel", "8"); err != nil {
		panic(err)
	}
	if err := build(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// build builds what is not up to date. The folder is this working tree's: another
// one's tests may run at the same time.
func build() (err error) {
	if module, err = filepath.Abs(filepath.Join("..", "..")); err != nil {
		return err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	tree := sha256.Sum256([]byte(module))
	folder := filepath.Join(cache, "redoubt-story", hex.EncodeToString(tree[:6]), "bin")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	redoubt = filepath.Join(folder, "redoubt")
	for path, of := range map[string]string{redoubt: "./automation/cmd/redoubt", filepath.Join(folder, "redoubt-policy"): "./policy"} {
		cmd := exec.Command("go", "build", "-ldflags", "-s -w", "-o", path, of)
		cmd.Dir = module
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("go build %s: %w\n%s", of, err, out)
		}
	}
	// Programs find the Lambda functions' archives where an installation has them.
	dist := filepath.Join(filepath.Dir(folder), "dist")
	if err := os.Remove(dist); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.Symlink(filepath.Join(module, "dist"), dist)
}
