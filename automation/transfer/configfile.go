package transfer

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// configFile is a Pulumi.<stack>.yaml. It is changed as text, so that comments
// and layout stay.
type configFile struct {
	text   []byte
	top    *yaml.Node
	secure []secure
}

// secure is an encrypted value.
type secure struct {
	key string
	// path leads to it inside a value that is an object or a list.
	path       []any
	ciphertext string
}

// providerKeys are the settings of a secrets provider.
var providerKeys = []string{"secretsprovider", "encryptedkey", "encryptionsalt"}

func parseConfig(text []byte) (*configFile, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, fmt.Errorf("it is not YAML: %w", err)
	}
	f := &configFile{text: text, top: &yaml.Node{Kind: yaml.MappingNode}}
	if len(doc.Content) == 1 {
		f.top = doc.Content[0]
	}
	if f.top.Kind != yaml.MappingNode {
		return nil, errors.New("it is no stack's configuration: it must be a mapping")
	}
	if values := f.field("config"); values != nil && values.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(values.Content); i += 2 {
			f.collect(values.Content[i].Value, nil, values.Content[i+1])
		}
	}
	return f, nil
}

func (f *configFile) field(name string) *yaml.Node {
	for i := 0; i+1 < len(f.top.Content); i += 2 {
		if f.top.Content[i].Value == name {
			return f.top.Content[i+1]
		}
	}
	return nil
}

// collect notes the encrypted values at and below a node: objects with nothing
// but a text called secure.
func (f *configFile) collect(key string, path []any, n *yaml.Node) {
	switch n.Kind {
	case yaml.MappingNode:
		if len(n.Content) == 2 && n.Content[0].Value == "secure" && n.Content[1].Kind == yaml.ScalarNode {
			f.secure = append(f.secure, secure{key: key, path: slices.Clone(path), ciphertext: n.Content[1].Value})
			return
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			f.collect(key, append(slices.Clone(path), n.Content[i].Value), n.Content[i+1])
		}
	case yaml.SequenceNode:
		for i, e := range n.Content {
			f.collect(key, append(slices.Clone(path), i), e)
		}
	}
}

// settings are the secrets provider's.
func (f *configFile) settings() map[string]string {
	out := map[string]string{}
	for _, name := range providerKeys {
		if n := f.field(name); n != nil {
			out[name] = n.Value
		}
	}
	return out
}

// provider are the names of the settings that are there.
func (f *configFile) provider() []string { return keysOf(f.settings()) }

func keysOf(m map[string]string) []string {
	var out []string
	for _, name := range providerKeys {
		if _, ok := m[name]; ok {
			out = append(out, name)
		}
	}
	return out
}

// passphrase says that a passphrase encrypted it.
func (f *configFile) passphrase() bool { return f.settings()["encryptionsalt"] != "" }

// reduced is the file without what is neither configuration nor its encryption.
func (f *configFile) reduced() ([]byte, error) {
	out := &yaml.Node{Kind: yaml.MappingNode}
	for i := 0; i+1 < len(f.top.Content); i += 2 {
		if name := f.top.Content[i].Value; name == "config" || slices.Contains(providerKeys, name) {
			out.Content = append(out.Content, f.top.Content[i], f.top.Content[i+1])
		}
	}
	return yaml.Marshal(out)
}

// plaintexts are the decrypted values, in the order of secure.
func (f *configFile) plaintexts(values map[string]configValue) ([]string, error) {
	var out []string
	for _, s := range f.secure {
		value, ok := values[keyName(s.key)]
		if !ok {
			return nil, fmt.Errorf("the Pulumi CLI does not show the value of %s", s.key)
		}
		at := value.ObjectValue
		if len(s.path) == 0 {
			at = value.Value
		}
		for _, step := range s.path {
			at = follow(at, step)
		}
		text, ok := at.(string)
		if !ok {
			return nil, fmt.Errorf("the Pulumi CLI does not show a secret inside %s", s.key)
		}
		out = append(out, text)
	}
	return out, nil
}

func follow(v, step any) any {
	switch step := step.(type) {
	case string:
		o, _ := v.(object)
		return o[step]
	case int:
		if list, ok := v.([]any); ok && step < len(list) {
			return list[step]
		}
	}
	return nil
}

// with is the file's text with other ciphertexts and another provider.
func (f *configFile) with(settings map[string]string, ciphertexts []string) ([]byte, error) {
	if len(ciphertexts) != len(f.secure) {
		return nil, errors.New("not every value was encrypted")
	}
	var pairs []string
	for i, s := range f.secure {
		if s.ciphertext == "" || !bytes.Contains(f.text, []byte(s.ciphertext)) {
			return nil, fmt.Errorf("the encrypted value of %s is not written on one line: write it so", s.key)
		}
		pairs = append(pairs, s.ciphertext, ciphertexts[i])
	}
	lines := strings.SplitAfter(string(f.text), "\n")
	for i := 0; i+1 < len(f.top.Content); i += 2 {
		if key := f.top.Content[i]; slices.Contains(providerKeys, key.Value) {
			// Line numbers begin at 1. What is indented below belongs to it.
			lines[key.Line-1] = ""
			for l := key.Line; l < len(lines) && strings.HasPrefix(lines[l], " "); l++ {
				lines[l] = ""
			}
		}
	}
	var head strings.Builder
	for _, name := range keysOf(settings) {
		line, err := yaml.Marshal(map[string]string{name: settings[name]})
		if err != nil {
			return nil, err
		}
		head.Write(line)
	}
	at := len(lines)
	if len(f.top.Content) > 0 {
		at = f.top.Content[0].Line - 1
	}
	out := strings.Join(lines[:at], "") + head.String() + strings.Join(lines[at:], "")
	return []byte(strings.NewReplacer(pairs...).Replace(out)), nil
}
