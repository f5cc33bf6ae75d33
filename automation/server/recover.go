package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"redoubt/automation/backend"
)

// sqliteFile is the database in the data folder, where it is not PostgreSQL.
const sqliteFile = "redoubt.db"

// RecoverToken makes an administrator's token for whoever lost the last one, of
// the installation that a server with this configuration keeps. It works on the
// data itself and makes none: neither database nor keys.
//
// SQLite is one process's, so the server must be stopped. On PostgreSQL it may
// run.
func RecoverToken(ctx context.Context, config Config, revokeOthers bool) (out backend.Recovered, err error) {
	err = config.offline(ctx, "a token is recovered", func(s *backend.Service) (err error) {
		out, err = s.RecoverToken(ctx, revokeOthers)
		return err
	})
	return out, err
}

// Restored marks all stacks of an installation as coming from a backup, see
// backend.Service.Restored. It works as RecoverToken does.
func Restored(ctx context.Context, config Config) (marked []backend.StackName, err error) {
	err = config.offline(ctx, "stacks are marked as restored", func(s *backend.Service) (err error) {
		marked, err = s.Restored(ctx)
		return err
	})
	return marked, err
}

// offline does something to the data of an installation, without its server.
func (c Config) offline(ctx context.Context, what string, do func(*backend.Service) error) (err error) {
	if findings := c.Check(); len(findings) > 0 {
		return &ConfigError{findings}
	}
	if err := c.installed(); err != nil {
		return err
	}
	store, err := openStore(ctx, c)
	if c.Database.URL == "" && backend.CodeOf(err) == backend.CodeConflict {
		return fmt.Errorf("%s while the server is stopped: %w", what, err)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	log := slog.New(slog.DiscardHandler)
	keys, err := openKeys(ctx, c, log)
	if err != nil {
		return err
	}
	return c.otherKeys(do(backend.New(store, keys, backend.Options{Log: log})))
}

// installed says whether there is an installation, before opening it would make
// one.
func (c Config) installed() error {
	if c.Database.URL == "" {
		path := filepath.Join(c.Data, sqliteFile)
		if _, err := os.Stat(path); err != nil {
			return fmt.Errorf("there is no database %s (%w): name the server's data folder with --data, or its database with --database", path, reason(err))
		}
	}
	if c.Keys.Source != keysInFile {
		return nil
	}
	path := filepath.Join(c.Data, keyFile)
	if _, err := os.Stat(path); err != nil {
		return fmt.Errorf("there is no key file %s (%w): name the server's data folder with --data; without the operator's key nobody recovers a token. With a key of AWS KMS, give --keys-source as for redoubt serve", path, reason(err))
	}
	return nil
}

// otherKeys says what to do where the keys are not those of the database.
func (c Config) otherKeys(err error) error {
	if backend.CodeOf(err) == backend.CodeUnavailable && errors.Unwrap(err) != nil {
		return fmt.Errorf("%w: %w (every process on a database needs the same keys: is its %s in %s, or keys.source as it was?)",
			err, errors.Unwrap(err), keyFile, c.Data)
	}
	return err
}
