package main

import (
	"context"
	"fmt"
	"io"

	"github.com/alecthomas/kong"

	"redoubt/automation/server"
)

type restoredStacks struct {
	Config string `help:"Configuration file of the server, YAML." env:"REDOUBT_CONFIG" placeholder:"FILE"`
	JSON   bool   `help:"Print JSON." name:"json"`
	// Settings are the flags of recoverySettings.
	Settings kong.Plugins `embed:""`
}

// Help is the long text of redoubt stack restored --help.
func (restoredStacks) Help() string {
	return `For whoever has restored the server's database, before the server is started on it: the cloud has gone on since the backup, and what waits
in the database may be done already. Until a refresh of it has succeeded no stack is updated or destroyed, and orders that wait are ended.

What was made after the backup is in no state, and a refresh does not find it: look for it, by its tags say, and adopt it with pulumi import.

No token is asked for, and no server. Configuration comes from where redoubt serve takes it. With PostgreSQL stop all servers, too.

Examples:
  redoubt stack restored --data /var/lib/redoubt
  redoubt stack restored --config /etc/redoubt.yaml`
}

// Run carries the command out.
func (c *restoredStacks) Run(ctx context.Context, s *streams) error {
	config, err := offlineConfig(c.Config, c.Settings)
	if err != nil {
		return err
	}
	marked, err := server.Restored(ctx, config)
	if err != nil {
		return err
	}
	names := []string{}
	for _, name := range marked {
		names = append(names, name.String())
	}
	return remote{JSON: c.JSON}.print(s, map[string]any{"stacks": names}, func(w io.Writer) {
		fmt.Fprintf(w, "%d stack(s) take nothing but a refresh, until one has succeeded.\n", len(names))
	})
}
