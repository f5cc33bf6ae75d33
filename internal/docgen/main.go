// Command docgen writes the generated documents: docs/coverage.md, the way
// from each bullet of the guide to what serves, enforces and tests it,
// docs/config.md, docs/outputs.md and docs/blueprints.md. `make generate` runs it; a test fails
// when a document is stale.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"redoubt/internal/ruledoc"
)

// documents are the generated files, by path from the module's root.
var documents = map[string]func(root string) (string, error){
	"docs/coverage.md":   coverage,
	"docs/config.md":     configuration,
	"docs/settings.md":   settings,
	"docs/outputs.md":    outputs,
	"docs/blueprints.md": blueprints,
}

// main writes the pages of the policy rules (docs/rules), too.
func main() {
	for path, write := range documents {
		text, err := write(".")
		if err == nil {
			err = os.WriteFile(filepath.FromSlash(path), []byte(text), 0o644)
		}
		if err != nil {
			fail(path, err)
		}
	}
	if err := ruledoc.Write("."); err != nil {
		fail(ruledoc.Folder, err)
	}
}

func fail(path string, err error) {
	fmt.Fprintf(os.Stderr, "docgen: %s: %v (run it in the module's root)\n", path, err)
	os.Exit(1)
}
