package server

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"unicode"
)

// Setting is one thing that can be configured, by three names.
type Setting struct {
	// Key is its path in the configuration file: "database.url".
	Key string
	// Env is its variable: "REDOUBT_DATABASE_URL".
	Env string
	// Flag is its flag without dashes: "database".
	Flag string
	Help string
	// List settings have several values: a list in the file, separated by
	// commas elsewhere. Switch settings are true or false.
	List, Switch bool

	field []int
}

// Settings are all of them, in the order of Config.
func Settings() []Setting { return settingsOf(reflect.TypeFor[Config](), nil, nil) }

func settingsOf(t reflect.Type, path []string, field []int) (all []Setting) {
	for i := range t.NumField() {
		f := t.Field(i)
		at, index := append(path[:len(path):len(path)], f.Tag.Get("koanf")), append(field[:len(field):len(field)], i)
		help, leaf := f.Tag.Lookup("help")
		if !leaf {
			all = append(all, settingsOf(f.Type, at, index)...)
			continue
		}
		s := Setting{
			Key: strings.Join(at, "."), Env: "REDOUBT_" + strings.ToUpper(words(at, "_")), Flag: words(at, "-"), Help: help,
			List: f.Type.Kind() == reflect.Slice, Switch: f.Type.Kind() == reflect.Bool, field: index,
		}
		if flag := f.Tag.Get("flag"); flag != "" {
			s.Flag = flag
		}
		all = append(all, s)
	}
	return all
}

// words joins the words of a path: {"database", "passwordFile"} is
// "database-password-file".
func words(path []string, separator string) string {
	var b strings.Builder
	for i, part := range path {
		if i > 0 {
			b.WriteString(separator)
		}
		for _, r := range part {
			if unicode.IsUpper(r) {
				b.WriteString(separator)
			}
			b.WriteRune(unicode.ToLower(r))
		}
	}
	return b.String()
}

// Value is the setting's value in a configuration, as it would be written.
func (s Setting) Value(c Config) string {
	v := reflect.ValueOf(c).FieldByIndex(s.field)
	if !s.List {
		return fmt.Sprint(v.Interface())
	}
	parts := make([]string, v.Len())
	for i := range parts {
		parts[i] = fmt.Sprint(v.Index(i).Interface())
	}
	return strings.Join(parts, ",")
}

// defaultData is the folder of the user's data, or ./data for a user without a
// home, as services often are.
func defaultData() string {
	if folder := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(folder) {
		return filepath.Join(folder, "redoubt")
	}
	if home, err := os.UserHomeDir(); err == nil && filepath.IsAbs(home) && home != "/" {
		return filepath.Join(home, ".local", "share", "redoubt")
	}
	return "data"
}
