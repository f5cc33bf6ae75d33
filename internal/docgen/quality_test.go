package main

import (
	"fmt"
	"go/ast"
	"go/doc"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/infra/stack"
)

// layer is one package of components: its source and its tests.
type layer struct {
	source map[string]*ast.File
	tests  map[string]*ast.File
	// funcs are the tests' functions, examples and helpers, by name.
	funcs map[string]*ast.FuncDecl
}

func readLayer(t *testing.T, name string) layer {
	t.Helper()
	dir := filepath.Join(root, "infra", name)
	l := layer{funcs: map[string]*ast.FuncDecl{}}
	var err error
	l.source, err = parseFolder(dir, false)
	require.NoError(t, err)
	l.tests, err = parseFolder(dir, true)
	require.NoError(t, err)
	for _, file := range l.tests {
		for _, decl := range file.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok {
				l.funcs[f.Name.Name] = f
			}
		}
	}
	return l
}

// Each component can be learnt from its own folder: a test that constructs it,
// an example that runs, and comments where a caller would have to guess.
func TestEveryComponentIsExplainedAndTried(t *testing.T) {
	t.Parallel()
	layers := map[string]layer{}
	for _, c := range stack.Components() {
		parts := strings.Split(c.Token, ":")
		require.Len(t, parts, 3, "%s", c.Token)
		l, ok := layers[parts[1]]
		if !ok {
			l = readLayer(t, parts[1])
			layers[parts[1]] = l
		}
		for _, problem := range l.problems(parts[2]) {
			t.Errorf("%s: %s", c.Token, problem)
		}
	}
}

// problems are what a component lacks.
func (l layer) problems(typeName string) []string {
	var out []string
	constructor := l.constructor(typeName)
	switch {
	case constructor == nil:
		return []string{"there is no constructor New" + typeName}
	case constructor.Doc == nil:
		out = append(out, "the constructor has no comment")
	}
	name := constructor.Name.Name
	if variable := l.gen(strings.TrimPrefix(name, "New") + "Component"); variable == nil || variable.Doc == nil {
		out = append(out, "the variable of the component has no comment")
	}
	if !l.constructs("Test", name) {
		out = append(out, "no test of its layer constructs it")
	}
	if !l.constructs("Example", name) {
		out = append(out, "no example of its layer constructs it")
	}
	for _, structure := range []string{strings.TrimPrefix(name, "New") + "Args", strings.TrimPrefix(name, "New")} {
		for _, field := range l.unexplained(structure) {
			out = append(out, structure+"."+field+" has no comment")
		}
	}
	return out
}

func (l layer) constructor(typeName string) *ast.FuncDecl {
	for _, file := range l.source {
		for _, decl := range file.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && f.Recv == nil && strings.ToLower(f.Name.Name) == constructorOf(typeName) {
				return f
			}
		}
	}
	return nil
}

// gen is the declaration of a variable or a type.
func (l layer) gen(name string) *ast.GenDecl {
	for _, file := range l.source {
		for _, decl := range file.Decls {
			g, ok := decl.(*ast.GenDecl)
			if !ok {
				continue
			}
			for _, spec := range g.Specs {
				switch s := spec.(type) {
				case *ast.ValueSpec:
					if s.Names[0].Name == name {
						return g
					}
				case *ast.TypeSpec:
					if s.Name.Name == name {
						return g
					}
				}
			}
		}
	}
	return nil
}

// constructs tells whether a test function with that prefix calls the
// constructor, itself or through helpers. An example counts only with an
// output, because go test does not run one without.
func (l layer) constructs(prefix, constructor string) bool {
	outputs := map[string]bool{}
	for _, e := range doc.Examples(slices.Collect(files(l.tests))...) {
		outputs["Example"+e.Name] = e.Output != ""
	}
	for name, f := range l.funcs {
		if strings.HasPrefix(name, prefix) && (prefix != "Example" || outputs[name]) && l.reaches(f, constructor, map[string]bool{}) {
			return true
		}
	}
	return false
}

func files(m map[string]*ast.File) func(func(*ast.File) bool) {
	return func(yield func(*ast.File) bool) {
		for _, f := range m {
			if !yield(f) {
				return
			}
		}
	}
}

func (l layer) reaches(f *ast.FuncDecl, constructor string, seen map[string]bool) bool {
	seen[f.Name.Name] = true
	found := false
	ast.Inspect(f.Body, func(n ast.Node) bool {
		id, ok := n.(*ast.Ident)
		if !ok || found {
			return !found
		}
		if id.Name == constructor {
			found = true
		} else if helper := l.funcs[id.Name]; helper != nil && !seen[id.Name] {
			found = l.reaches(helper, constructor, seen)
		}
		return !found
	})
	return found
}

// unexplained are the exported fields of a structure whose unit or shape a
// caller would have to guess, and that no comment in it names. Types of our own,
// booleans and well-known companions (Scope, Tags, keys and groups) speak for
// themselves.
func (l layer) unexplained(name string) []string {
	g := l.gen(name)
	if g == nil {
		return nil
	}
	var out []string
	for _, spec := range g.Specs {
		s, ok := spec.(*ast.TypeSpec)
		if !ok || s.Name.Name != name {
			continue
		}
		structure, ok := s.Type.(*ast.StructType)
		if !ok {
			continue
		}
		said := g.Doc.Text()
		for _, f := range structure.Fields.List {
			said += f.Doc.Text() + f.Comment.Text()
		}
		for _, f := range structure.Fields.List {
			for _, n := range f.Names {
				if n.IsExported() && f.Doc == nil && f.Comment == nil && guessed(f.Type) && !plain[n.Name] && !mentionsWord(said, n.Name) {
					out = append(out, n.Name)
				}
			}
		}
	}
	return out
}

// plain are names that say it all, the same in every component.
var plain = map[string]bool{
	"Tags": true, "Prefix": true, "Arn": true, "SecurityGroupIDs": true, "VpcID": true,
}

// guessed tells types that say neither unit nor shape: numbers, texts, lists
// and maps of them, known at once or later.
func guessed(expr ast.Expr) bool {
	switch e := expr.(type) {
	case *ast.Ident:
		return slices.Contains([]string{"int", "float64", "string"}, e.Name)
	case *ast.ArrayType:
		return guessed(e.Elt)
	case *ast.MapType:
		return guessed(e.Value)
	case *ast.SelectorExpr:
		return fmt.Sprint(e.X) == "pulumi" && !slices.Contains([]string{"Resource", "ResourceState"}, e.Sel.Name)
	}
	return false
}

func mentionsWord(text, word string) bool {
	return slices.Contains(strings.FieldsFunc(text, func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9')
	}), word)
}
