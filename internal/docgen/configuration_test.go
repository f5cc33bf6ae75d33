package main

import (
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/infra/config"
)

var root = filepath.Join("..", "..")

// A field without a comment would be an empty row in docs/config.md, and a
// riddle in every editor. A section's field may leave it to its type.
func TestEveryFieldOfTheConfigurationHasAComment(t *testing.T) {
	t.Parallel()
	comments, err := configComments(root)
	require.NoError(t, err)
	seen := map[reflect.Type]bool{}
	var walk func(reflect.Type)
	walk = func(typ reflect.Type) {
		for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice || typ.Kind() == reflect.Map {
			typ = typ.Elem()
		}
		if typ.Kind() != reflect.Struct || seen[typ] {
			return
		}
		seen[typ] = true
		require.NotEmpty(t, comments[typ.Name()], "type %s has no comment", typ.Name())
		for i := range typ.NumField() {
			f := typ.Field(i)
			walk(f.Type)
			if typ == reflect.TypeFor[config.Config]() && f.Type.Kind() == reflect.Struct {
				continue
			}
			require.NotEmpty(t, comments[typ.Name()+"."+f.Name], "%s.%s has no comment", typ.Name(), f.Name)
		}
	}
	walk(reflect.TypeFor[config.Config]())
	require.Contains(t, seen, singletonType)
}

// Whatever depth a field has, the reference has a row with its whole path.
func TestReferenceHasEveryPath(t *testing.T) {
	t.Parallel()
	text, err := configuration(root)
	require.NoError(t, err)
	for _, want := range []string{
		"| `network.dns.mode` | `block`, `alert` | alert | alert | block |",
		"| `alerting.channels[].levels` | a list: `high`, `medium`, `low` |",
		"| `edge.shield.response` | empty, `count`, `block` |",
		"| `audit.trail` | [manage, adopt or off](#singletons) | manage |",
		"| `database.backupDays` | 1 to 35 | 7 | 7 | 35 |",
		"| `edge.rateLimit` | 10 to 2000000000 |",
		"| `logs.flowDays` | `1`, `3`, `5`, `7`, `14`, `30`,",
		"| `api.routes[].schema` | a text |",
		"| `contacts.security.phone` | a text |",
		"| `identity.organization.rootAccess` | [manage, adopt or off](#singletons) |",
		"| `pagerDutyRoutingKey` |",
	} {
		require.True(t, strings.Contains(text, want), "no row %s", want)
	}
	for _, line := range strings.Split(text, "\n") {
		require.False(t, strings.HasSuffix(line, "|  |"), "a row without a meaning: %s", line)
		require.False(t, strings.Contains(line, `"mode":`), "an object as a default: %s", line)
	}
}

// Links lead to a heading of the same document.
func TestReferenceLinksToItself(t *testing.T) {
	t.Parallel()
	text, err := configuration(root)
	require.NoError(t, err)
	headings := map[string]bool{}
	for _, line := range strings.Split(text, "\n") {
		if title, ok := strings.CutPrefix(strings.TrimLeft(line, "#"), " "); ok && strings.HasPrefix(line, "#") {
			headings[anchorless.ReplaceAllString(strings.ToLower(title), "")] = true
		}
	}
	for _, m := range regexp.MustCompile(`\]\(#([^)]*)\)`).FindAllStringSubmatch(text, -1) {
		require.True(t, headings[m[1]], "no heading for #%s", m[1])
	}
}
