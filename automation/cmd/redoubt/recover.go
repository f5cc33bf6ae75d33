package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/alecthomas/kong"

	"redoubt/automation/server"
)

type recoverToken struct {
	Config       string `help:"Configuration file of the server, YAML." env:"REDOUBT_CONFIG" placeholder:"FILE"`
	RevokeOthers bool   `help:"End every other token, as after a theft. Without it they stay as they are."`
	JSON         bool   `help:"Print JSON." name:"json"`
	// Settings are the flags of recoverySettings.
	Settings kong.Plugins `embed:""`
}

// recoverySettings say where the installation's data and keys are.
var recoverySettings = []string{"data", "database.url", "database.passwordFile", "keys.source", "keys.older"}

// offlineConfig is where an installation's data is, for commands that work on it
// without its server.
func offlineConfig(file string, settings kong.Plugins) (server.Config, error) {
	config, _, err := server.Load(server.Sources{File: file, Environment: os.Environ(), Flags: given(settings)})
	if err != nil {
		return config, err
	}
	config.Data, err = filepath.Abs(config.Data)
	return config, err
}

// Help is the long text of redoubt token recover --help.
func (recoverToken) Help() string {
	return `For whoever lost the only administrator's token. No token is asked for, and no server: it works on the server's data itself, and whoever
has the database and the operator's key may do everything anyway. It is recorded in the audit log.

Configuration comes from where redoubt serve takes it: flags, variables of the environment, and the configuration file.
With SQLite stop the server first; with PostgreSQL it may run, and the data folder must be the one with the key file.

The token goes to standard output alone, for $(…).

Examples:
  redoubt token recover --data /var/lib/redoubt
  redoubt token recover --config /etc/redoubt.yaml --revoke-others`
}

// Run carries the command out.
func (c *recoverToken) Run(ctx context.Context, s *streams) error {
	config, err := offlineConfig(c.Config, c.Settings)
	if err != nil {
		return err
	}
	made, err := server.RecoverToken(ctx, config, c.RevokeOthers)
	if err != nil {
		return err
	}
	if !c.JSON {
		fmt.Fprintf(s.err, "Token %s of %s, an administrator's, is made; %d other token(s) were revoked. It is shown this once:\n", made.Token.ID, made.Token.Principal, len(made.Revoked))
	}
	out := struct {
		ID         string   `json:"id"`
		Principal  string   `json:"principal"`
		Credential string   `json:"credential"`
		Revoked    []string `json:"revoked"`
	}{made.Token.ID, made.Token.Principal, made.Credential, append([]string{}, made.Revoked...)}
	return remote{JSON: c.JSON}.print(s, out, func(w io.Writer) { fmt.Fprintln(w, made.Credential) })
}
