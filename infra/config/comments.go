package config

import (
	"embed"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
	"sync"
)

//go:embed *.go
var source embed.FS

// Comments are the comments of the structures and their fields, by name:
// "Network", "Network.CIDR". What describes a field where it is declared
// describes it wherever people fill it in.
var Comments = sync.OnceValue(func() map[string]string {
	out := map[string]string{}
	files, err := source.ReadDir(".")
	if err != nil {
		panic(fmt.Sprintf("the source of the configuration: %v", err)) // it is in the executable
	}
	for _, entry := range files {
		if strings.HasSuffix(entry.Name(), "_test.go") {
			continue
		}
		text, err := source.ReadFile(entry.Name())
		if err != nil {
			panic(fmt.Sprintf("the source of the configuration: %v", err))
		}
		file, err := parser.ParseFile(token.NewFileSet(), entry.Name(), text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			panic(fmt.Sprintf("the source of the configuration: %v", err)) // it was compiled
		}
		for _, decl := range file.Decls {
			if g, ok := decl.(*ast.GenDecl); ok {
				collectComments(g, out)
			}
		}
	}
	return out
})

func collectComments(g *ast.GenDecl, out map[string]string) {
	for _, spec := range g.Specs {
		t, ok := spec.(*ast.TypeSpec)
		if !ok {
			continue
		}
		s, ok := t.Type.(*ast.StructType)
		if !ok {
			continue
		}
		out[t.Name.Name] = oneLine(g.Doc)
		for _, f := range s.Fields.List {
			for _, n := range f.Names {
				out[t.Name.Name+"."+n.Name] = oneLine(f.Doc)
			}
		}
	}
}

func oneLine(c *ast.CommentGroup) string { return strings.Join(strings.Fields(c.Text()), " ") }
