package archive

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Source is a function's program.
type Source struct {
	// Root is a folder of the module.
	Root string
	// Package is the main package's path from Root, for example
	// "./infra/workload/functions/rotate".
	Package string
	// Files go into the archive beside the program; it finds them in the folder
	// that the variable LAMBDA_TASK_ROOT names.
	Files []File
}

// target is what Lambda's provided.al2023 runs on Graviton. GOFLAGS and GOWORK
// are set so that a developer's own settings do not reach the bytes.
var target = []string{"CGO_ENABLED=0", "GOOS=linux", "GOARCH=arm64", "GOARM64=v8.0", "GOFLAGS=", "GOWORK=off"}

// Build compiles a program with the Go toolchain and packs it as Lambda's
// "bootstrap". Two builds with one toolchain give the same bytes: no paths of
// the machine (-trimpath), no commit (-buildvcs=false), no build id.
func Build(ctx context.Context, s Source) ([]byte, error) {
	dir, err := os.MkdirTemp("", "redoubt-function-")
	if err != nil {
		return nil, fmt.Errorf("archive: build %s: %w", s.Package, err)
	}
	defer func() { _ = os.RemoveAll(dir) }() // a leftover in the temporary folder harms nobody
	binary := filepath.Join(dir, "bootstrap")
	// lambda.norpc leaves out the protocol of the retired go1.x runtime.
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false",
		"-tags", "lambda.norpc", "-ldflags", "-s -w -buildid=", "-o", binary, s.Package)
	cmd.Dir, cmd.Env = s.Root, append(os.Environ(), target...)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("archive: go build %s: %w (correct what the compiler says)\n%s", s.Package, err, said.Bytes())
	}
	program, err := os.ReadFile(binary)
	if err != nil {
		return nil, fmt.Errorf("archive: build %s: %w", s.Package, err)
	}
	return Zip(append([]File{{Name: "bootstrap", Mode: 0o755, Data: program}}, s.Files...))
}
