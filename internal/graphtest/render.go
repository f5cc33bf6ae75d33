package graphtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// rendered is one resource of a golden file. Ids and outputs are left out: they
// are the mock's, not the program's.
type rendered struct {
	Type     string         `json:"type"`
	Name     string         `json:"name"`
	Parent   string         `json:"parent,omitempty"`
	Provider string         `json:"provider,omitempty"`
	Read     bool           `json:"read,omitempty"`
	Protect  bool           `json:"protect,omitempty"`
	Retain   bool           `json:"retainOnDelete,omitempty"`
	Ignore   []string       `json:"ignoreChanges,omitempty"`
	Inputs   map[string]any `json:"inputs,omitempty"`
}

// JSON renders the graph as stable, indented JSON: tree order, sorted keys,
// policy documents unfolded, secrets as "[secret]".
func (g *Graph) JSON() []byte {
	list := make([]rendered, 0, len(g.Resources))
	for _, r := range g.Resources {
		list = append(list, rendered{
			Type: r.Type, Name: r.Name, Parent: g.parentName(r), Provider: providerName(r.Provider),
			Read: r.Read, Protect: r.Protect, Retain: r.RetainOnDelete, Ignore: r.IgnoreChanges,
			Inputs: renderMap(r.Inputs),
		})
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(list); err != nil {
		panic(fmt.Sprintf("graphtest: render: %v", err)) // plain maps and strings always encode
	}
	return out.Bytes()
}

// Tree renders the graph's shape alone, one "type name" per line, indented by parent.
func (g *Graph) Tree() string {
	var b strings.Builder
	for _, r := range g.Resources {
		fmt.Fprintf(&b, "%s%s %s\n", strings.Repeat("  ", r.Depth), r.Type, r.Name)
	}
	return b.String()
}

// Golden compares JSON with the file and fails the test where they differ.
// UPDATE_GOLDEN=1 in the environment writes the file instead.
func (g *Graph) Golden(path string) {
	g.helper()
	got := g.JSON()
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			g.fatalf("golden file: %v", err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			g.fatalf("golden file: %v", err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		g.fatalf("golden file: %v (UPDATE_GOLDEN=1 go test writes it)", err)
		return
	}
	if line, ok := firstDifference(string(want), string(got)); !ok {
		g.fatalf("the graph differs from %s (UPDATE_GOLDEN=1 go test accepts it)\n%s", path, line)
	}
}

func firstDifference(want, got string) (string, bool) {
	if want == got {
		return "", true
	}
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := 0; ; i++ {
		if i >= len(w) || i >= len(g) || w[i] != g[i] {
			return fmt.Sprintf("line %d\n want: %s\n  got: %s", i+1, lineAt(w, i), lineAt(g, i)), false
		}
	}
}

func lineAt(lines []string, i int) string {
	if i >= len(lines) {
		return "(end of file)"
	}
	return lines[i]
}

func (g *Graph) parentName(r *Resource) string {
	if p := g.ByURN(r.Parent); p != nil {
		return p.Type + "::" + p.Name
	}
	return ""
}

// providerName is the provider's logical name, from "urn::id".
func providerName(ref string) string {
	urn, _, ok := cutLast(ref, "::")
	if !ok {
		return ref
	}
	_, name, ok := cutLast(urn, "::")
	if !ok {
		return urn
	}
	return name
}

func cutLast(s, sep string) (before, after string, ok bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

func renderMap(m resource.PropertyMap) map[string]any {
	out := make(map[string]any, len(m))
	for k, v := range m {
		out[string(k)] = renderValue(v)
	}
	return out
}

func renderValue(v resource.PropertyValue) any {
	switch {
	case v.IsSecret():
		return "[secret]"
	case v.IsComputed():
		return Unknown
	case v.IsOutput():
		o := v.OutputValue()
		if o.Secret {
			return "[secret]"
		}
		if !o.Known {
			return Unknown
		}
		return renderValue(o.Element)
	case v.IsString():
		return unfold(v.StringValue())
	case v.IsArray():
		out := make([]any, len(v.ArrayValue()))
		for i, e := range v.ArrayValue() {
			out[i] = renderValue(e)
		}
		return out
	case v.IsObject():
		return renderMap(v.ObjectValue())
	case v.IsAsset():
		return renderAsset("asset", v.AssetValue().Path, v.AssetValue().URI)
	case v.IsArchive():
		return renderAsset("archive", v.ArchiveValue().Path, v.ArchiveValue().URI)
	case v.IsResourceReference():
		return string(v.ResourceReferenceValue().URN)
	}
	return v.Mappable()
}

func renderAsset(kind, path, uri string) string {
	switch {
	case path != "":
		return kind + ":" + filepath.Base(path)
	case uri != "":
		return kind + ":" + uri
	}
	return kind + ":inline"
}

// unfold shows a JSON document (policies, schemas) as JSON.
func unfold(s string) any {
	trimmed := strings.TrimSpace(s)
	if !strings.HasPrefix(trimmed, "{") {
		return s
	}
	var doc map[string]any
	if err := json.Unmarshal([]byte(trimmed), &doc); err != nil {
		return s // text that only looks like JSON is shown as text
	}
	return doc
}
