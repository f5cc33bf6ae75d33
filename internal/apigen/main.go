// Command apigen writes what is made of the table of endpoints in automation/api:
// docs/openapi.json, and the Go client of that. Run it in the root of the
// repository: go run ./internal/apigen
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"redoubt/automation/api"
)

func main() {
	if err := run("."); err != nil {
		fmt.Fprintln(os.Stderr, "apigen:", err)
		os.Exit(1)
	}
}

func run(root string) error {
	files, err := generate()
	if err != nil {
		return err
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(root, name), text, 0o644); err != nil { //nolint:gosec // source is for everybody
			return err
		}
	}
	return nil
}

// generate makes the files, by their names.
func generate() (map[string][]byte, error) {
	document, err := api.Document()
	if err != nil {
		return nil, err
	}
	generated, err := client(document)
	if err != nil {
		return nil, err
	}
	return map[string][]byte{"docs/openapi.json": document, "automation/client/generated.go": generated}, nil
}
