// Pack builds the Lambda functions of this repository into dist/functions, a
// ZIP file and its digest each. Run it in the repository's root, before
// pulumi up: the Pulumi program reads what it writes.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"

	"redoubt/infra/workload/functions/archive"
)

// functions are the programs beside this one.
var functions = []string{"rotate", "search-bootstrap"}

func main() {
	dir := flag.String("out", archive.Dir, "folder for the archives")
	root := flag.String("root", ".", "the repository's root")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *root, *dir); err != nil {
		fmt.Fprintln(os.Stderr, "pack:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, root, dir string) error {
	for _, name := range functions {
		data, err := archive.Build(ctx, archive.Source{Root: root, Package: "./infra/workload/functions/" + name})
		if err != nil {
			return err
		}
		a, err := archive.Write(dir, name, data)
		if err != nil {
			return err
		}
		fmt.Printf("%s  %s\n", a.SHA256, a.Path)
	}
	return nil
}
