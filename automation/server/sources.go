package server

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/agext/levenshtein"
	"github.com/go-viper/mapstructure/v2"
	"github.com/knadh/koanf/providers/confmap"
	"github.com/knadh/koanf/v2"
	"go.yaml.in/yaml/v3"

	"redoubt/automation/redact"
)

// Sources are where a configuration comes from; the later ones win.
type Sources struct {
	// File is a YAML file; empty for none.
	File string
	// Environment are "NAME=value", as os.Environ has them.
	Environment []string
	// Flags are by Setting.Flag: a string, a bool or a []string each.
	Flags map[string]any
}

// Origins say where each value comes from, by Setting.Key: "flag --listen",
// "redoubt.yaml:3". Those that are not there are defaults.
type Origins map[string]string

// loader gathers values and all that is wrong with them.
type loader struct {
	known    map[string]Setting // by key
	values   *koanf.Koanf
	origins  Origins
	findings []Finding
}

// Load reads a configuration. The error is a *ConfigError with all findings at
// once, also those of Check.
func Load(from Sources) (Config, Origins, error) {
	l := &loader{known: map[string]Setting{}, values: koanf.New("."), origins: Origins{}}
	for _, s := range Settings() {
		l.known[s.Key] = s
	}
	l.file(from.File)
	l.environment(from.Environment)
	l.flags(from.Flags)
	config := l.decode(Defaults())
	unread := slices.Clone(l.findings)
	for _, f := range config.Check() {
		// What cannot be read holds the default now: nothing to say about that.
		if !slices.ContainsFunc(unread, func(g Finding) bool { return g.Key == f.Key }) {
			f.Origin = l.origins[f.Key]
			l.findings = append(l.findings, f)
		}
	}
	if len(l.findings) > 0 {
		return config, l.origins, &ConfigError{l.findings}
	}
	return config, l.origins, nil
}

func (l *loader) found(key, origin, format string, args ...any) {
	l.findings = append(l.findings, Finding{key, origin, redact.Text(fmt.Sprintf(format, args...))})
}

// set takes a value over, from an origin that wins over the earlier ones.
func (l *loader) set(key, origin string, value any) {
	if err := l.values.Load(confmap.Provider(map[string]any{key: value}, "."), nil); err != nil {
		l.found(key, origin, "%v", err)
		return
	}
	l.origins[key] = origin
}

// file reads a YAML file as a tree of nodes, which know their lines.
func (l *loader) file(path string) {
	if path == "" {
		return
	}
	text, err := os.ReadFile(path)
	if err != nil {
		l.found("", path, "the configuration file cannot be read: %v", err)
		return
	}
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil {
		l.found("", path, "the configuration file is no YAML: %v", err)
		return
	}
	if len(document.Content) > 0 {
		l.node(filepath.Base(path), nil, document.Content[0])
	}
}

func (l *loader) node(file string, path []string, n *yaml.Node) {
	key, origin := strings.Join(path, "."), fmt.Sprintf("%s:%d", file, n.Line)
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if setting, leaf := l.known[key]; leaf {
		l.leaf(setting, origin, n)
		return
	}
	if len(path) > 0 && !l.section(key) {
		l.found(key, origin, "there is no such setting (%s)", didYouMean(key, l.keys()))
		return
	}
	switch {
	case n.Kind == yaml.ScalarNode && n.Tag == "!!null":
	case n.Kind != yaml.MappingNode:
		l.found(key, origin, "this is a section: settings stand below it")
	default:
		seen := map[string]int{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			name := n.Content[i]
			if line, twice := seen[name.Value]; twice {
				l.found(strings.Join(append(path, name.Value), "."), fmt.Sprintf("%s:%d", file, name.Line), "this is there twice, also in line %d", line)
				continue
			}
			seen[name.Value] = name.Line
			if n.Content[i+1].Line < name.Line {
				n.Content[i+1].Line = name.Line
			}
			l.node(file, append(path[:len(path):len(path)], name.Value), n.Content[i+1])
		}
	}
}

func (l *loader) leaf(s Setting, origin string, n *yaml.Node) {
	var value any
	if err := n.Decode(&value); err != nil {
		l.found(s.Key, origin, "%v", err)
		return
	}
	switch n.Kind {
	case yaml.ScalarNode:
		if n.Tag == "!!null" {
			return // a key without a value: the default
		}
		l.set(s.Key, origin, n.Value)
	case yaml.SequenceNode:
		if s.List {
			l.set(s.Key, origin, value)
			return
		}
		fallthrough
	default:
		l.found(s.Key, origin, "this takes %s", kinds[s.List])
	}
}

var kinds = map[bool]string{false: "one value", true: "a list of values"}

func (l *loader) section(key string) bool {
	for k := range l.known {
		if strings.HasPrefix(k, key+".") {
			return true
		}
	}
	return false
}

func (l *loader) keys() []string {
	keys := make([]string, 0, len(l.known))
	for k := range l.known {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// others are variables of ours that configure no server, and those that
// Kubernetes sets in every container where a service has our name.
func others(name string) bool {
	return slices.Contains([]string{"REDOUBT_CONFIG", "REDOUBT_URL", "REDOUBT_TOKEN", "REDOUBT_PORT", "REDOUBT_BOOTSTRAP_TOKEN_FILE", "REDOUBT_FROM", "REDOUBT_TO"}, name) ||
		strings.HasPrefix(name, "REDOUBT_SERVICE_") || strings.HasPrefix(name, "REDOUBT_PORT_")
}

func (l *loader) environment(variables []string) {
	byName := map[string]Setting{}
	names := make([]string, 0, len(l.known))
	for _, s := range l.known {
		byName[s.Env] = s
		names = append(names, s.Env)
	}
	slices.Sort(names)
	for _, v := range variables {
		name, value, _ := strings.Cut(v, "=")
		if !strings.HasPrefix(name, "REDOUBT_") || others(name) || value == "" {
			continue
		}
		if s, ok := byName[name]; ok {
			l.set(s.Key, "environment "+name, value)
		} else {
			l.found(name, "environment", "there is no such setting (%s)", didYouMean(name, names))
		}
	}
}

func (l *loader) flags(values map[string]any) {
	for _, s := range Settings() {
		if value, ok := values[s.Flag]; ok {
			l.set(s.Key, "flag --"+s.Flag, value)
		}
	}
}

// decode puts the values over the defaults, one by one: so that each finding
// knows its origin, and one that is wrong does not hide the others.
func (l *loader) decode(config Config) Config {
	for _, s := range Settings() {
		if !l.values.Exists(s.Key) {
			continue
		}
		target := reflect.New(reflect.TypeOf(config).FieldByIndex(s.field).Type)
		err := l.values.UnmarshalWithConf(s.Key, target.Interface(), koanf.UnmarshalConf{DecoderConfig: &mapstructure.DecoderConfig{
			Result: target.Interface(), WeaklyTypedInput: true,
			DecodeHook: mapstructure.ComposeDecodeHookFunc(
				mapstructure.StringToTimeDurationHookFunc(),
				mapstructure.StringToSliceHookFunc(","),
				mapstructure.TextUnmarshallerHookFunc(),
			),
		}})
		if err != nil {
			l.found(s.Key, l.origins[s.Key], "%q is not what it takes: %s", redact.URL(fmt.Sprint(l.values.Get(s.Key))), oneLine(err))
			continue
		}
		reflect.ValueOf(&config).Elem().FieldByIndex(s.field).Set(target.Elem())
	}
	return config
}

// oneLine is the reason in an error of mapstructure's.
func oneLine(err error) string {
	lines := strings.Split(strings.TrimSpace(err.Error()), "\n")
	last := strings.TrimSpace(lines[len(lines)-1])
	return strings.TrimPrefix(last, "'' ")
}

func didYouMean(name string, known []string) string {
	best, distance := "", len(name)/2+1
	for _, k := range known {
		if d := levenshtein.Distance(name, k, nil); d < distance {
			best, distance = k, d
		}
	}
	if best != "" {
		return fmt.Sprintf("did you mean %s?", best)
	}
	return "there are " + strings.Join(known, ", ")
}
