package rehearsal

import (
	"flag"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write generated files anew")

// sdkDir is the folder of the SDK's Go sources.
var sdkDir = sync.OnceValues(func() (string, error) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/pulumi/pulumi-aws/sdk/v6").Output()
	return filepath.Join(strings.TrimSpace(string(out)), "go", "aws"), err
})

var (
	registers = regexp.MustCompile(`ctx\.RegisterResource\("(aws:[^"]+)"`)
	invokes   = regexp.MustCompile(`ctx\.Invoke(?:Output)?\("(aws:[^"]+)"`)
	structs   = regexp.MustCompile(`^type (\w+) struct \{`)
	fields    = regexp.MustCompile("^\t(\\w+)\\s+(\\S+)\\s+`pulumi:\"(\\w+)\"`")
	replacing = regexp.MustCompile(`(?i)forces? (a )?new resource|forces? replacement|forces creation|(change|changing).{0,60}(recreate|re-create|new resource)`)
)

// sdkSource is what a test reads from one SDK file.
type sdkSource struct {
	tokens, functions []string
	// structs are the fields of every struct by property name.
	structs map[string]map[string]sdkField
}

type sdkField struct {
	typ      string
	replaces bool
}

func readSDK(text string) sdkSource {
	s := sdkSource{structs: map[string]map[string]sdkField{}}
	for _, m := range registers.FindAllStringSubmatch(text, -1) {
		s.tokens = append(s.tokens, m[1])
	}
	for _, m := range invokes.FindAllStringSubmatch(text, -1) {
		s.functions = append(s.functions, m[1])
	}
	var current map[string]sdkField
	var comment string
	for line := range strings.SplitSeq(text, "\n") {
		if m := structs.FindStringSubmatch(line); m != nil {
			current = map[string]sdkField{}
			s.structs[m[1]] = current
			comment = ""
			continue
		}
		switch {
		case line == "}":
			current = nil
		case current == nil:
		case strings.HasPrefix(line, "\t//"):
			comment += strings.TrimPrefix(line, "\t//")
		default:
			if m := fields.FindStringSubmatch(line); m != nil {
				current[m[3]] = sdkField{typ: m[2], replaces: replacing.MatchString(comment)}
			}
			comment = ""
		}
	}
	return s
}

// sdkFiles are the SDK's sources that say something of resources and functions.
var sdkFiles = sync.OnceValues(func() (map[string]sdkSource, error) {
	dir, err := sdkDir()
	if err != nil {
		return nil, err
	}
	out := map[string]sdkSource{}
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		name := filepath.Base(path)
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasPrefix(name, "pulumiTypes") || name == "init.go" {
			return err
		}
		text, err := os.ReadFile(path)
		if err == nil {
			out[path] = readSDK(string(text))
		}
		return err
	})
	return out, err
})

// kindOfField is a schema letter for a Go type of the SDK.
func kindOfField(typ string) string {
	bare := strings.TrimPrefix(strings.TrimPrefix(typ, "*"), "pulumi.")
	switch {
	case strings.HasPrefix(bare, "[]"), strings.HasSuffix(bare, "ArrayOutput"):
		return "L"
	case strings.HasPrefix(bare, "string"), bare == "StringOutput", bare == "StringPtrOutput":
		return "S"
	case bare == "bool", bare == "BoolOutput", bare == "BoolPtrOutput":
		return "B"
	case bare == "int", bare == "float64", strings.HasPrefix(bare, "Int"), strings.HasPrefix(bare, "Float64"):
		return "N"
	case bare == "interface{}", bare == "AnyOutput":
		return "A"
	}
	return "M"
}

// schemaLine is the schema's line of one resource type.
func schemaLine(token string, s sdkSource) string {
	name := token[strings.LastIndex(token, ":")+1:]
	args := s.structs[strings.ToLower(name[:1])+name[1:]+"Args"]
	outs := s.structs[name]
	var inputs, outputs []string
	for p, f := range args {
		marks := kindOfField(f.typ)
		out := outs[p].typ
		if marks == "S" && !strings.HasPrefix(f.typ, "*") {
			marks += "!"
		} else if strings.HasPrefix(f.typ, "*") && out != "" && strings.HasPrefix(out, "pulumi.") && !strings.Contains(out, "Ptr") {
			marks += "~"
		}
		if f.replaces {
			marks += "^"
		}
		inputs = append(inputs, p+":"+marks)
	}
	for p, f := range outs {
		if _, isInput := args[p]; !isInput {
			outputs = append(outputs, p+":"+kindOfField(f.typ))
		}
	}
	slices.Sort(inputs)
	slices.Sort(outputs)
	return token + "|" + strings.Join(inputs, ",") + "|" + strings.Join(outputs, ",")
}

// The embedded schema is what the pinned SDK's sources say.
func TestSchemaIsFresh(t *testing.T) {
	t.Parallel()
	files, err := sdkFiles()
	require.NoError(t, err)
	var lines []string
	for _, s := range files {
		for _, token := range s.tokens {
			lines = append(lines, schemaLine(token, s))
		}
	}
	slices.Sort(lines)
	require.Greater(t, len(lines), 1000, "the SDK's sources were not understood")
	want := strings.Join(lines, "\n") + "\n"
	if *update {
		require.NoError(t, os.WriteFile("schema.txt", []byte(want), 0o644))
		return
	}
	require.True(t, want == schemaText, "schema.txt is stale; run: go test ./internal/rehearsal -run TestSchemaIsFresh -update")
}

func TestSchemaKnowsWhatTheSDKSays(t *testing.T) {
	t.Parallel()
	vpc := schemaOf("aws:ec2/vpc:Vpc")
	require.Equal(t, property{kind: 'S', computed: true}, vpc.inputs["cidrBlock"])
	require.Equal(t, property{kind: 'S'}, vpc.outputs["mainRouteTableId"])
	require.True(t, vpc.taggable())
	require.True(t, schemaOf("aws:ec2/subnet:Subnet").inputs["vpcId"].required)
	require.False(t, knownType("aws:ec2/vpc:Vpcc"))
	require.False(t, knownType("aws:ec2/vpc:Vp"))
}
