package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"text/tabwriter"

	"github.com/alecthomas/kong"

	"redoubt/automation/blueprint"
	"redoubt/automation/redact"
	"redoubt/automation/server"
)

type serveCommand struct {
	Config             string `help:"Configuration file, YAML." env:"REDOUBT_CONFIG" placeholder:"FILE"`
	BootstrapTokenFile string `help:"Write the first token to this file instead of the terminal." env:"REDOUBT_BOOTSTRAP_TOKEN_FILE" placeholder:"FILE"`
	Check              bool   `help:"Check the configuration, print it with where each value comes from, and exit."`
	// Settings are the flags of server.Settings.
	Settings kong.Plugins `embed:""`
}

// Help is the long text of redoubt serve --help.
func (serveCommand) Help() string {
	return `One process keeps the state of stacks, for pulumi login. All data is in one folder.
Flags win over variables of the environment, those over the configuration file; docs/serve.md has all three names.

Examples:
  redoubt serve                                               on http://127.0.0.1:8090, with SQLite
  redoubt serve --listen :443 --tls-certificate tls.pem --tls-key tls.key
  redoubt serve --listen :8090 --trusted-proxies 10.0.0.0/8   behind a proxy that does TLS
  redoubt serve --database postgres://redoubt@db/redoubt      with PostgreSQL; the password in PGPASSWORD or PGPASSFILE

The first start prints an administrator's token, once. The log goes to standard error.
SIGTERM and Ctrl-C stop it in order, a second one at once. Neither harms an update: its client goes on after a restart.`
}

// Run carries the command out.
func (c *serveCommand) Run(ctx context.Context, s *streams) error {
	config, origins, err := server.Load(server.Sources{File: c.Config, Environment: os.Environ(), Flags: given(c.Settings)})
	if err != nil {
		return err
	}
	if c.Check {
		return show(s, config, origins)
	}
	if config.Data, err = filepath.Abs(config.Data); err != nil {
		return err
	}
	catalog, err := blueprint.NewCatalog(blueprint.All)
	if err != nil {
		return err
	}
	running, err := server.Open(ctx, config, server.WithLog(server.NewLog(config.Log, s.err)), server.WithVersion(version), server.WithCatalog(catalog))
	if err != nil {
		return err
	}
	if err := c.bootstrap(ctx, s, running); err != nil {
		return errors.Join(err, running.Close())
	}
	fmt.Fprintf(s.out, "Redoubt is ready on %s (data in %s).\n", running.URL(), config.Data)
	fmt.Fprintln(s.out, ordersGo[running.Orders()])
	defer context.AfterFunc(ctx, endAtOnceNextTime)()
	return errors.Join(running.Run(ctx), running.Close())
}

// ordersGo says where orders go, by server.Orders.
var ordersGo = map[string]string{
	"":          "It keeps states, and takes no orders (the log says why, unless --role says so).",
	"rehearsal": "Orders go to a rehearsal account: nothing is made in AWS, and nothing is real. --account aws is for that.",
	"aws":       "Orders go to the allowed accounts of AWS, with a role for previews and one for each blueprint.",
	"ambient":   "Orders go to AWS, and every run has the credentials of this process: --account aws gives each its own.",
}

// endAtOnceNextTime ends the process at the next signal, whatever it is doing:
// what was acknowledged is committed.
func endAtOnceNextTime() {
	again := make(chan os.Signal, 1)
	signal.Notify(again, os.Interrupt, syscall.SIGTERM)
	<-again
	os.Exit(exitError)
}

// bootstrap makes the first token and hands it over, once. It does not go into
// the log, which others read.
func (c *serveCommand) bootstrap(ctx context.Context, s *streams, running *server.Server) error {
	if c.BootstrapTokenFile == "" {
		token, err := running.Bootstrap(ctx)
		if err == nil && token != "" {
			fmt.Fprintf(s.out, `Redoubt starts for the first time. This is the administrator's token; it is shown this once:

  %[1]s

Log in with it, and make tokens that may do less for everybody else:

  PULUMI_ACCESS_TOKEN=%[1]s pulumi login %[2]s
  redoubt token create --name laptop --principal alice --grant 'main/*/*:read,write,decrypt,preview,apply'

`, token, running.URL())
		}
		return err
	}
	// The file first: a token that cannot be handed over would be lost.
	file, err := os.CreateTemp(filepath.Dir(c.BootstrapTokenFile), ".token-*") // mode 0600
	if err != nil {
		return fmt.Errorf("the file for the first token: %w", err)
	}
	defer os.Remove(file.Name()) //nolint:errcheck // it is renamed if it is needed
	token, err := running.Bootstrap(ctx)
	if err != nil || token == "" {
		return errors.Join(err, file.Close())
	}
	_, err = fmt.Fprintln(file, token)
	if err = errors.Join(err, file.Sync(), file.Close()); err == nil {
		err = os.Rename(file.Name(), c.BootstrapTokenFile)
	}
	if err != nil {
		return fmt.Errorf("the first token could not be written and is lost; remove the new, empty database and start again: %w", err)
	}
	fmt.Fprintf(s.out, `Redoubt starts for the first time. The administrator's token is in %[1]s. Log in with it:

  PULUMI_ACCESS_TOKEN=$(cat %[1]s) pulumi login %[2]s

`, c.BootstrapTokenFile, running.URL())
	return nil
}

// show prints the configuration without its secrets.
func show(s *streams, config server.Config, origins server.Origins) error {
	table := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	for _, setting := range server.Settings() {
		origin := origins[setting.Key]
		if origin == "" {
			origin = "default"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\n", setting.Key, redact.URL(setting.Value(config)), origin)
	}
	return table.Flush()
}
