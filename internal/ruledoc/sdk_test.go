package ruledoc

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"

	"redoubt/policy/rules"
)

// TestFixesAreGoOfTheSDK reads every Go expression of every fix, and compares its
// functions, types, fields and values with the sources of the Pulumi SDKs.
func TestFixesAreGoOfTheSDK(t *testing.T) {
	t.Parallel()
	sdk := newSDK(t)
	for _, r := range rules.All() {
		for _, p := range parts(r.Fix) {
			if p.kind != goCode {
				continue
			}
			expr, err := parse(p.text)
			if err != nil {
				t.Errorf("%s: %s: %v", r.Name, p.text, err)
				continue
			}
			for _, problem := range sdk.problems(expr, "") {
				t.Errorf("%s: %s: %s", r.Name, p.text, problem)
			}
		}
	}
}

// TestSDKCheckFinds keeps the check itself honest.
func TestSDKCheckFinds(t *testing.T) {
	t.Parallel()
	sdk := newSDK(t)
	for code, problem := range map[string]string{
		`kms.KeyArgs{EnableKeyRotation: pulumi.Bool(true)}`:                "",
		`lb.ListenerArgs{DefaultActions: lb.ListenerDefaultActionArray{}}`: "",
		`kms.KeysArgs{}`: "kms has no type KeysArgs",
		`kms.KeyArgs{Rotation: pulumi.Bool(true)}`:                                      "kms.KeyArgs has no field Rotation",
		`kms.KeyArgs{EnableKeyRotation: pulumi.String("true")}`:                         "EnableKeyRotation is pulumi.BoolPtrInput",
		`kms.KeyArgs{EnableKeyRotation}`:                                                "EnableKeyRotation has no value",
		`kms.NewKeys`:                                                                   "kms has no NewKeys",
		`pulumi.Shield(true)`:                                                           "pulumi has no Shield",
		`ecs.TaskDefinitionArgs.Containers`:                                             "ecs.TaskDefinitionArgs has no field Containers",
		`lb.LoadBalancerArgs{AccessLogs: lb.LoadBalancerSubnetMappingArgs{}}`:           "AccessLogs is LoadBalancerAccessLogsPtrInput",
		`lb.LoadBalancerArgs{AccessLogs: …{Enabled: pulumi.Bool(true)}}`:                "names no type",
		`lb.ListenerArgs{DefaultActions: lb.ListenerDefaultActionArgs{}}`:               "DefaultActions is ListenerDefaultActionArrayInput",
		`lb.ListenerDefaultActionArray{lb.ListenerDefaultActionRedirectArgs{}}`:         "is no element of ListenerDefaultActionArray",
		`lb.ListenerDefaultActionArray{&lb.ListenerDefaultActionArgs{Typo: group.Arn}}`: "has no field Typo",
		`pulumi.StringMap{"a": pulumi.Int(1)}`:                                          "is no pulumi.String",
		`Enabled: pulumi.Bool(true)`:                                                    "Enabled stands in no type",
	} {
		expr, err := parse(code)
		require.NoError(t, err, code)
		found := strings.Join(sdk.problems(expr, ""), "\n")
		if problem == "" {
			require.Empty(t, found, code)
			continue
		}
		require.Contains(t, found, problem, code)
	}
}

// sdk is the sources of pulumi-aws and of pulumi. They are read and not
// imported: compiling them takes minutes.
type sdk struct {
	t           *testing.T
	aws, pulumi string
	structs     map[string]map[string]string
	files       map[string]string
}

func newSDK(t *testing.T) *sdk {
	t.Helper()
	return &sdk{
		t:       t,
		aws:     filepath.Join(moduleDir(t, "github.com/pulumi/pulumi-aws/sdk/v6"), "go", "aws"),
		pulumi:  filepath.Join(moduleDir(t, "github.com/pulumi/pulumi/sdk/v3"), "go", "pulumi"),
		structs: map[string]map[string]string{}, files: map[string]string{},
	}
}

func moduleDir(t *testing.T, module string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", module)
	cmd.Dir = root
	out, err := cmd.Output()
	require.NoError(t, err, "go list -m %s", module)
	return strings.TrimSpace(string(out))
}

// folder is where a package's sources are; empty for a name that is a variable's.
func (s *sdk) folder(pkg string) string {
	if pkg == "aws" {
		return s.aws
	}
	dir := filepath.Join(s.aws, pkg)
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return ""
	}
	return dir
}

// source is the text of the files that may declare the name: the resource's own,
// and those of all types.
func (s *sdk) source(pkg, name string) string {
	resource := strings.TrimPrefix(strings.TrimSuffix(name, "Args"), "New")
	var text strings.Builder
	for _, pattern := range []string{lowerFirst(resource) + ".go", "pulumiTypes*.go"} {
		paths, err := filepath.Glob(filepath.Join(s.folder(pkg), pattern))
		require.NoError(s.t, err)
		for _, path := range paths {
			text.WriteString(s.read(path))
		}
	}
	return text.String()
}

func (s *sdk) read(path string) string {
	if _, ok := s.files[path]; !ok {
		text, err := os.ReadFile(path)
		require.NoError(s.t, err)
		s.files[path] = string(text)
	}
	return s.files[path]
}

func lowerFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}

// fields are a structure's fields with their types; nil where there is none.
func (s *sdk) fields(pkg, name string) map[string]string {
	key := pkg + "." + name
	if found, ok := s.structs[key]; ok {
		return found
	}
	s.structs[key] = s.declared(pkg, name)
	return s.structs[key]
}

func (s *sdk) declared(pkg, name string) map[string]string {
	text := s.source(pkg, name)
	start := strings.Index(text, "\ntype "+name+" struct {")
	if start < 0 {
		return nil
	}
	end := strings.Index(text[start:], "\n}")
	file, err := parser.ParseFile(token.NewFileSet(), "", "package p\n"+text[start:start+end+2], 0)
	require.NoError(s.t, err, "%s.%s", pkg, name)
	out := map[string]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		if f, ok := n.(*ast.Field); ok {
			for _, id := range f.Names {
				out[id.Name] = typeText(f.Type)
			}
		}
		return true
	})
	return out
}

func typeText(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.SelectorExpr:
		return typeText(e.X) + "." + e.Sel.Name
	case *ast.Ident:
		return e.Name
	case *ast.StarExpr:
		return typeText(e.X)
	default:
		return fmt.Sprintf("%T", e)
	}
}

// has tells whether the package declares a type or a function of that name.
func (s *sdk) has(pkg, name string) bool {
	text := s.source(pkg, name)
	return strings.Contains(text, "\ntype "+name+" ") || strings.Contains(text, "\nfunc "+name+"(")
}

// pulumiHas is has for the package pulumi.
func (s *sdk) pulumiHas(name string) bool {
	paths, err := filepath.Glob(filepath.Join(s.pulumi, "*.go"))
	require.NoError(s.t, err)
	for _, path := range paths {
		text := s.read(path)
		if strings.Contains(text, "\ntype "+name+" ") || strings.Contains(text, "\nfunc "+name+"(") {
			return true
		}
	}
	return false
}

// problems are what is wrong with an expression where a value of the type wanted
// is to stand; any type will do where it is empty. wanted is as the SDK declares
// it: "pulumi.BoolPtrInput", or "KeyArrayInput" in the expression's own package.
func (s *sdk) problems(e ast.Expr, wanted string) []string {
	switch e := e.(type) {
	case *ast.UnaryExpr:
		return s.problems(e.X, wanted)
	case *ast.CompositeLit:
		return s.literal(e, wanted)
	case *ast.CallExpr:
		return s.call(e, wanted)
	case *ast.SelectorExpr:
		return s.selector(e)
	default: // what the fix leaves to its reader, or a variable
		return nil
	}
}

func (s *sdk) literal(e *ast.CompositeLit, wanted string) []string {
	typ, ok := e.Type.(*ast.SelectorExpr)
	if !ok {
		if id, is := e.Type.(*ast.Ident); is && id.Name == "_" {
			return []string{fmt.Sprintf("%v stands in no type", e.Elts[0].(*ast.KeyValueExpr).Key)}
		}
		return []string{"a literal names no type"}
	}
	pkg, name := typeText(typ.X), typ.Sel.Name
	switch {
	case pkg == "pulumi":
		return append(s.mismatch("pulumi."+name, wanted), s.values(e, name)...)
	case !s.has(pkg, name):
		return []string{fmt.Sprintf("%s has no type %s", pkg, name)}
	case strings.HasSuffix(name, "Array"):
		return append(s.mismatch(name, wanted), s.members(e, name)...)
	default:
		return append(s.mismatch(name, wanted), s.structure(e, pkg, name)...)
	}
}

// values are the problems of the elements of pulumi.StringArray and its like.
func (s *sdk) values(e *ast.CompositeLit, name string) []string {
	element := strings.TrimSuffix(strings.TrimSuffix(name, "Array"), "Map")
	if element == "" {
		element = "Any"
	}
	var out []string
	for _, member := range e.Elts {
		if pair, ok := member.(*ast.KeyValueExpr); ok {
			member = pair.Value
		}
		if len(s.problems(member, "pulumi."+element+"Input")) > 0 {
			out = append(out, "an element of pulumi."+name+" is no pulumi."+element)
		}
	}
	return out
}

func (s *sdk) members(e *ast.CompositeLit, name string) []string {
	var out []string
	for _, member := range e.Elts {
		found := s.problems(member, strings.TrimSuffix(name, "Array")+"Input")
		if len(found) == 1 && strings.HasPrefix(found[0], "what stands there") {
			found = []string{"what stands there is no element of " + name}
		}
		out = append(out, found...)
	}
	return out
}

func (s *sdk) structure(e *ast.CompositeLit, pkg, name string) []string {
	fields := s.fields(pkg, name)
	if fields == nil {
		return []string{fmt.Sprintf("%s.%s is no structure", pkg, name)}
	}
	var out []string
	for _, member := range e.Elts {
		pair, ok := member.(*ast.KeyValueExpr)
		if !ok {
			if id, is := member.(*ast.Ident); !is || id.Name != left {
				out = append(out, fmt.Sprintf("%s has no value", typeText(member)))
			}
			continue
		}
		key := typeText(pair.Key)
		typ, known := fields[key]
		if !known {
			out = append(out, fmt.Sprintf("%s.%s has no field %s", pkg, name, key))
			continue
		}
		for _, problem := range s.problems(pair.Value, typ) {
			out = append(out, fmt.Sprintf("%s is %s: %s", key, typ, problem))
		}
	}
	return out
}

// mismatch compares the type that an expression has with the one that is wanted:
// KeyArgs is a KeyInput and a KeyPtrInput, KeyArray a KeyArrayInput.
func (s *sdk) mismatch(have, wanted string) []string {
	bare := strings.TrimSuffix(have, "Args")
	if wanted == "" || wanted == "pulumi.Input" || wanted == "pulumi.AnyInput" ||
		wanted == bare+"Input" || wanted == bare+"PtrInput" {
		return nil
	}
	return []string{"what stands there is " + have}
}

// constructors are the functions of pulumi by the type that they return.
var constructors = map[string]string{
	"String": "pulumi.String", "Sprintf": "pulumi.String", "Int": "pulumi.Int", "Bool": "pulumi.Bool",
	"Float64": "pulumi.Float64", "ToStringArray": "pulumi.StringArray",
}

func (s *sdk) call(e *ast.CallExpr, wanted string) []string {
	function, ok := e.Fun.(*ast.SelectorExpr)
	if !ok {
		return nil
	}
	problems := s.selector(function)
	if typeText(function.X) != "pulumi" || wanted == "" {
		return problems
	}
	have, known := constructors[function.Sel.Name]
	isEnum := have == "pulumi.String" && !strings.HasPrefix(wanted, "pulumi.")
	if known && !isEnum {
		problems = append(problems, s.mismatch(have, wanted)...)
	}
	return problems
}

// selector is about pkg.Name and pkg.Type.Field. A variable may have the name of
// a package: what it selects is then an output, and declared nowhere here.
func (s *sdk) selector(e *ast.SelectorExpr) []string {
	name := e.Sel.Name
	if inner, ok := e.X.(*ast.SelectorExpr); ok {
		pkg, typ := typeText(inner.X), inner.Sel.Name
		if fields := s.fields(pkg, typ); s.folder(pkg) != "" && fields[name] == "" {
			return []string{fmt.Sprintf("%s.%s has no field %s", pkg, typ, name)}
		}
		return nil
	}
	pkg := typeText(e.X)
	switch {
	case pkg == "pulumi" && !s.pulumiHas(name):
		return []string{"pulumi has no " + name}
	case s.folder(pkg) == "" || !declaredName(name):
		return nil
	case !s.has(pkg, name):
		return []string{fmt.Sprintf("%s has no %s", pkg, name)}
	}
	return nil
}

// declaredName tells the names of functions and types from those of outputs.
func declaredName(name string) bool {
	constructor, is := strings.CutPrefix(name, "New")
	return is && constructor != "" && unicode.IsUpper(rune(constructor[0])) ||
		strings.HasSuffix(name, "Args") || strings.HasSuffix(name, "Array")
}
