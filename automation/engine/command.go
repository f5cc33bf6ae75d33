// Package engine drives the real Pulumi engine through the Automation API: it
// finds the CLI, runs it in an environment of its own, prepares a workspace for
// an operation and turns the engine's events into facts that a report can hold.
package engine

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/blang/semver"
	"github.com/pulumi/pulumi/sdk/v3/go/auto"
)

// MinimumCLI is the oldest CLI that takes a policy pack as a bare executable
// together with everything else that is used here.
var MinimumCLI = semver.MustParse("3.259.0")

// CLI is a Pulumi CLI that can be used here.
type CLI struct {
	// Executable is its absolute path.
	Executable string `json:"executable"`
	// Folder holds the executable; empty where it is the one on PATH.
	Folder  string         `json:"folder,omitempty"`
	Version semver.Version `json:"version"`
}

// FindCLI finds the Pulumi CLI: the one on PATH if it is at least MinimumCLI,
// else bin/pulumi beside or above the running executable or the working
// directory, where `make tools` puts it.
func FindCLI() (CLI, error) {
	onPath, pathErr := auto.NewPulumiCommand(&auto.PulumiCommandOptions{Version: MinimumCLI})
	if pathErr == nil {
		executable, err := exec.LookPath("pulumi")
		if err == nil {
			executable, err = filepath.Abs(executable)
		}
		if err == nil {
			return CLI{Executable: executable, Version: onPath.Version()}, nil
		}
		pathErr = err
	}
	for _, root := range roots() {
		folder := filepath.Join(root, "bin")
		if _, err := os.Stat(filepath.Join(folder, "pulumi")); err != nil {
			continue
		}
		cmd, err := auto.NewPulumiCommand(&auto.PulumiCommandOptions{Version: MinimumCLI, Root: root})
		if err != nil {
			return CLI{}, fmt.Errorf("the Pulumi CLI in %s cannot be used: %w (delete it and run `make tools`)", folder, err)
		}
		return CLI{Executable: filepath.Join(folder, "pulumi"), Folder: folder, Version: cmd.Version()}, nil
	}
	return CLI{}, fmt.Errorf("no Pulumi CLI of version %s or newer: %w (install it, or run `make tools` in the repository)", MinimumCLI, pathErr)
}

// Sibling finds an executable that is built next to this one ("bin/<name>"),
// for example the policy pack.
func Sibling(name string) (string, error) {
	for _, root := range roots() {
		path := filepath.Join(root, "bin", name)
		if info, err := os.Stat(path); err == nil && !info.IsDir() {
			return path, nil
		}
	}
	return "", fmt.Errorf("%s is not beside this executable nor in a bin folder above the working directory (run `make build`)", name)
}

// roots are the folders that may hold bin/: above the executable, and above
// the working directory up to the module's root.
func roots() []string {
	var folders []string
	if exe, err := os.Executable(); err == nil {
		if exe, err = filepath.EvalSymlinks(exe); err == nil {
			folders = append(folders, filepath.Dir(filepath.Dir(exe)))
		}
	}
	dir, err := os.Getwd()
	for err == nil {
		folders = append(folders, dir)
		if _, statErr := os.Stat(filepath.Join(dir, "go.mod")); statErr == nil || !errors.Is(statErr, os.ErrNotExist) || dir == filepath.Dir(dir) {
			break
		}
		dir = filepath.Dir(dir)
	}
	return folders
}
