package ruledoc

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"redoubt/policy/fixture"
)

// program is a case as a program of Pulumi YAML.
func program(c fixture.Case) (string, error) {
	resources := mapping()
	providers := map[string]string{} // names by settings
	for _, r := range c.Resources {
		if r.Type == stackType { // each program is one
			continue
		}
		declared := mapping("type", r.Type)
		if len(r.Properties) > 0 {
			v, err := value("properties", r.Properties, strings.HasPrefix(r.Type, "pulumi:providers:"))
			if err != nil {
				return "", fmt.Errorf("case %q: %s: %w", c.Name, r.Name, err)
			}
			add(declared, "properties", v)
		}
		provider, err := declareProvider(resources, providers, r)
		if err != nil {
			return "", fmt.Errorf("case %q: provider of %s: %w", c.Name, r.Name, err)
		}
		if o := options(r.Options, provider); len(o.Content) > 0 {
			add(declared, "options", o)
		}
		add(resources, r.Name, declared)
	}
	text, err := encoded(mapping("resources", resources))
	if err != nil {
		return "", fmt.Errorf("case %q: %w", c.Name, err)
	}
	return text, nil
}

func encoded(v any) (string, error) {
	var out bytes.Buffer
	enc := yaml.NewEncoder(&out)
	enc.SetIndent(2)
	err := enc.Encode(v)
	return out.String(), err
}

// declareProvider adds the resource's own provider to the resources, where it has
// one and no resource before it has the same.
func declareProvider(resources *yaml.Node, providers map[string]string, r fixture.Resource) (string, error) {
	if r.Provider == nil {
		return "", nil
	}
	key := settings(r.Provider)
	if name, declared := providers[key]; declared {
		return name, nil
	}
	inputs, err := value("provider", r.Provider, true)
	if err != nil {
		return "", err
	}
	name := "provider"
	if n := len(providers); n > 0 {
		name = fmt.Sprintf("provider%d", n+1)
	}
	providers[key] = name
	add(resources, name, mapping("type", "pulumi:providers:aws", "properties", inputs))
	return name, nil
}

// elsewhere is the name of a resource that a case does not have, whose outputs
// its unknown values are.
const elsewhere = "elsewhere"

// stackType is the resource that stands for the whole program.
const stackType = "pulumi:pulumi:Stack"

func options(o fixture.Options, provider string) *yaml.Node {
	out := mapping()
	if provider != "" {
		add(out, "provider", "${"+provider+"}")
	}
	if o.Protect {
		add(out, "protect", true)
	}
	if len(o.IgnoreChanges) > 0 {
		add(out, "ignoreChanges", o.IgnoreChanges)
	}
	return out
}

// value is the property of that name as Pulumi YAML writes it. JSON text is written as what it
// says: a provider's settings are such text only on their way to the engine.
func value(key string, raw any, ofProvider bool) (any, error) {
	switch raw := raw.(type) {
	case map[string]any:
		if len(raw) == 1 {
			for form, arg := range raw {
				if strings.HasPrefix(form, "$") {
					return special(form, key, arg, ofProvider)
				}
			}
		}
		out := mapping()
		for _, key := range sortedKeys(raw) {
			v, err := value(key, raw[key], ofProvider)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", key, err)
			}
			add(out, key, v)
		}
		return out, nil
	case []any:
		out := make([]any, len(raw))
		for i, e := range raw {
			v, err := value(key, e, ofProvider)
			if err != nil {
				return nil, fmt.Errorf("[%d]: %w", i, err)
			}
			out[i] = v
		}
		return out, nil
	case string:
		return text(raw, ofProvider), nil
	default:
		return raw, nil
	}
}

func text(s string, ofProvider bool) any {
	var parsed any
	structured := strings.HasPrefix(s, "{") || strings.HasPrefix(s, "[")
	if !structured || json.Unmarshal([]byte(s), &parsed) != nil {
		return strings.ReplaceAll(s, "${", "$${")
	}
	if ofProvider {
		return parsed
	}
	return mapping("fn::toJSON", parsed)
}

func special(form, key string, arg any, ofProvider bool) (any, error) {
	switch form {
	case "$ref":
		return fmt.Sprintf("${%v}", arg), nil
	case "$unknown":
		return "${" + elsewhere + "." + key + "}", nil
	case "$secret":
		v, err := value(key, arg, ofProvider)
		return mapping("fn::secret", v), err
	case "$json":
		v, err := value(key, arg, ofProvider)
		return mapping("fn::toJSON", v), err
	default:
		return nil, fmt.Errorf("%s has no form in Pulumi YAML yet: add one to internal/ruledoc", form)
	}
}

// mapping keeps the order of its keys, which a Go map does not.
func mapping(pairs ...any) *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode}
	for i := 0; i < len(pairs); i += 2 {
		add(n, pairs[i].(string), pairs[i+1])
	}
	return n
}

func add(to *yaml.Node, key string, v any) { to.Content = append(to.Content, node(key), node(v)) }

func node(v any) *yaml.Node {
	if n, ok := v.(*yaml.Node); ok {
		return n
	}
	n := &yaml.Node{}
	if list, ok := v.([]any); ok {
		n.Kind = yaml.SequenceNode
		for _, e := range list {
			n.Content = append(n.Content, node(e))
		}
		return n
	}
	if err := n.Encode(v); err != nil {
		panic(err) // a value that came from YAML or JSON
	}
	return n
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
