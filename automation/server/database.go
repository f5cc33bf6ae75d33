package server

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"strings"

	"redoubt/automation/backend"
	"redoubt/automation/sql"
)

// openStore opens the database and brings its schema up to date.
func openStore(ctx context.Context, config Config) (backend.Store, error) {
	address, err := databaseAddress(config)
	if err != nil {
		return nil, err
	}
	return sql.Open(ctx, address)
}

// databaseAddress is the database's as package sql takes it. It holds the password.
func databaseAddress(config Config) (string, error) {
	if config.Database.URL == "" {
		return config.Data, nil
	}
	return withPassword(config.Database)
}

// withPassword puts the password from the file into the URL. PGPASSWORD and
// PGPASSFILE need no help: the driver knows them.
func withPassword(database Database) (string, error) {
	if database.PasswordFile == "" {
		return database.URL, nil
	}
	text, err := os.ReadFile(database.PasswordFile)
	if err != nil {
		return "", fmt.Errorf("the database's password: %w", err)
	}
	password := strings.TrimRight(string(text), "\r\n")
	if password == "" {
		return "", fmt.Errorf("the database's password: %s is empty", database.PasswordFile)
	}
	u, err := url.Parse(database.URL)
	if err != nil {
		return "", fmt.Errorf("the database's URL cannot be read") // Check has said why
	}
	u.User = url.UserPassword(u.User.Username(), password)
	return u.String(), nil
}
