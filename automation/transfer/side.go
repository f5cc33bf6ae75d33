package transfer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Side is one of the two backends, as a person names it.
type Side struct {
	// URL is what `pulumi login` takes: file://…, s3://…, gs://…, azblob://…,
	// postgres://… or the https:// of a service.
	URL string
	// Token is the access token of a service.
	Token string
	// Org limits a service to one organization's stacks. On the target, empty is
	// the default organization of the token.
	Org string
	// SecretsProvider is for stacks that are made in a backend without a service:
	// passphrase (the default), awskms://… and so on, as for `pulumi stack init`.
	SecretsProvider string
}

// isService tells a service from a backend that the CLI writes itself.
func (s Side) isService() bool {
	return strings.HasPrefix(s.URL, "https://") || strings.HasPrefix(s.URL, "http://")
}

// Display is the URL without what is secret in it.
func (s Side) Display() string {
	u, err := url.Parse(s.URL)
	if err != nil {
		return "an address that is no URL"
	}
	if u.User != nil {
		u.User = url.User(u.User.Username())
	}
	// Query parameters may hold a password, and never say which backend it is.
	u.RawQuery = ""
	return u.String()
}

// schemes are those of the CLI's backends.
var schemes = []string{"file", "s3", "gs", "azblob", "postgres", "http", "https"}

// side is an open Side.
type side struct {
	Side
	cli     *cli
	service *service
	what    string
}

// open makes a Side ready. Close removes what that wrote.
func open(s Side, what, exe string) (*side, error) {
	u, err := url.Parse(s.URL)
	if err != nil || !slices.Contains(schemes, u.Scheme) {
		return nil, fmt.Errorf("the %s %q is not a backend: write file://…, s3://…, gs://…, azblob://…, postgres://… or https://…", what, s.Display())
	}
	if u.Scheme == "file" {
		if s.URL, err = absoluteFile(s.URL); err != nil {
			return nil, fmt.Errorf("the %s: %w", what, err)
		}
	}
	s.URL = strings.TrimSuffix(s.URL, "/")
	if s.isService() && s.Token == "" {
		return nil, fmt.Errorf("the %s %s wants an access token: set REDOUBT_TOKEN or PULUMI_ACCESS_TOKEN, or run `pulumi login %s`", what, s.Display(), s.Display())
	}
	home, err := os.MkdirTemp("", "redoubt-transfer-")
	if err != nil {
		return nil, fmt.Errorf("no folder for the Pulumi CLI: %w", err)
	}
	out := &side{Side: s, what: what, cli: &cli{exe: exe, home: home}}
	out.cli.env = append(environment(),
		"PULUMI_HOME="+home, "PULUMI_BACKEND_URL="+s.URL, "PULUMI_SKIP_UPDATE_CHECK=true",
		"PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION=true",
		// The private folder goes away; the system's key ring would not.
		"PULUMI_CREDENTIAL_STORE=plaintext")
	if s.isService() {
		out.cli.env = append(out.cli.env, "PULUMI_ACCESS_TOKEN="+s.Token)
		out.cli.hidden = append(out.cli.hidden, s.Token)
		out.service = newService(s.URL, s.Token)
	}
	if u.User != nil {
		if password, ok := u.User.Password(); ok {
			out.cli.hidden = append(out.cli.hidden, password, u.User.String())
		}
	}
	return out, nil
}

func (s *side) close() error { return os.RemoveAll(s.cli.home) }

// absoluteFile makes the path of a file:// URL absolute: the CLI runs elsewhere.
// It takes the forms that the CLI does: file://~, file://. and file:///path.
func absoluteFile(address string) (string, error) {
	path, query, found := strings.Cut(strings.TrimPrefix(address, "file://"), "?")
	if path == "~" || strings.HasPrefix(path, "~/") {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", err
		}
		path = filepath.Join(home, path[1:])
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	if found {
		path += "?" + query
	}
	return "file://" + filepath.ToSlash(path), nil
}

// listed is a stack as a backend lists it.
type listed struct {
	name       Name
	lastUpdate time.Time
	resources  int
	running    bool
}

// list returns all stacks of a backend, with those that cannot be moved at all
// as an error beside them.
func (s *side) list(ctx context.Context) ([]listed, error) {
	args := []string{"stack", "ls", "--all", "--json", "--fully-qualify-stack-names"}
	if s.isService() && s.Org != "" {
		args = append(args, "--organization", s.Org)
	}
	text, err := s.cli.run(ctx, call{args: args})
	if err != nil {
		return nil, fmt.Errorf("the %s %s cannot be read: %w", s.what, s.Display(), err)
	}
	var rows []struct {
		Name             string    `json:"name"`
		LastUpdate       time.Time `json:"lastUpdate"`
		UpdateInProgress bool      `json:"updateInProgress"`
		ResourceCount    int       `json:"resourceCount"`
	}
	if err := json.Unmarshal(text, &rows); err != nil {
		return nil, fmt.Errorf("the %s %s: the Pulumi CLI lists its stacks in a form that is not known here: %w", s.what, s.Display(), err)
	}
	var out []listed
	var problems []error
	for _, row := range rows {
		name, err := parseName(row.Name)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		out = append(out, listed{name: name, lastUpdate: row.LastUpdate, resources: row.ResourceCount, running: row.UpdateInProgress})
	}
	return out, errors.Join(problems...)
}

// project makes a folder with a project file, for the commands that want one.
func (s *side) project(name Name) (folder string, err error) {
	folder, err = os.MkdirTemp(s.cli.home, "project-")
	if err != nil {
		return "", err
	}
	// A name in JSON is one in YAML.
	text, err := json.Marshal(map[string]string{"name": name.Project, "runtime": "yaml"})
	if err != nil {
		return "", err
	}
	return folder, os.WriteFile(filepath.Join(folder, "Pulumi.yaml"), text, 0o600)
}
