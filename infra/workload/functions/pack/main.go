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
	"redoubt/infra/workload/functions/rotate/postgres"
)

// functions are the programs beside this one.
var functions = []string{"rotate", "search-bootstrap", "split-logs"}

// options are the command line's.
type options struct {
	out, root string
	// authorities is a file of certificates for the functions that log in to
	// databases.
	authorities string
}

func main() {
	var o options
	flag.StringVar(&o.out, "out", archive.Dir, "folder for the archives")
	flag.StringVar(&o.root, "root", ".", "the repository's root")
	flag.StringVar(&o.authorities, "authorities", "", "PEM file of who may sign databases' certificates, packed with rotate: RDS's is https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "pack:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	packed := map[string][]archive.File{}
	if o.authorities != "" {
		pem, err := os.ReadFile(o.authorities)
		if err != nil {
			return fmt.Errorf("authorities: %w (a PEM file)", err)
		}
		if _, err := postgres.Roots(string(pem)); err != nil || len(pem) == 0 {
			return fmt.Errorf("authorities: %s holds no certificate (a PEM file)", o.authorities)
		}
		packed["rotate"] = []archive.File{{Name: postgres.AuthoritiesFile, Mode: 0o644, Data: pem}}
	}
	for _, name := range functions {
		source := archive.Source{Root: o.root, Package: "./infra/workload/functions/" + name, Files: packed[name]}
		data, err := archive.Build(ctx, source)
		if err != nil {
			return err
		}
		a, err := archive.Write(o.out, name, data)
		if err != nil {
			return err
		}
		fmt.Printf("%s  %s\n", a.SHA256, a.Path)
	}
	return nil
}
