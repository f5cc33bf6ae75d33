package cedar

import (
	"cmp"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/cedar-policy/cedar-go"
	"github.com/cedar-policy/cedar-go/x/exp/ast"
	"github.com/cedar-policy/cedar-go/x/exp/schema"
	"github.com/cedar-policy/cedar-go/x/exp/schema/resolved"
	"github.com/cedar-policy/cedar-go/x/exp/schema/validate"

	"redoubt/automation/provision"
)

//go:embed policies/*.cedar
var defaults embed.FS

//go:embed schema.cedarschema
var schemaText []byte

// secondFactor is the id of the policy that wants one.
const secondFactor cedar.PolicyID = "second-factor"

// idForm is what ids of policies look like: they are in the audit log.
var idForm = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,99}$`)

// finding is one thing that is wrong with a policy.
type finding struct {
	file string
	line int
	what string
}

// loader gathers policies and all that is wrong with them.
type loader struct {
	policies *cedar.PolicySet
	// places are where each policy is, by id.
	places   map[cedar.PolicyID]string
	valid    *validate.Validator
	findings []finding
}

// load reads the default policies and those of a folder.
func load(folder string) (*cedar.PolicySet, error) {
	shape, err := readSchema()
	if err != nil {
		return nil, err
	}
	l := &loader{policies: cedar.NewPolicySet(), places: map[cedar.PolicyID]string{}, valid: validate.New(shape)}
	if err := l.folder(defaults, "policies", "redoubt's own "); err != nil {
		return nil, err
	}
	if folder != "" {
		if err := l.folder(os.DirFS(folder), ".", folder+string(filepath.Separator)); err != nil {
			return nil, &provision.Error{
				Code: provision.CodeInvalid, Cause: err,
				Message: fmt.Sprintf("the policies in %s cannot be read: %v", folder, reason(err)),
			}
		}
	}
	return l.policies, l.err()
}

func readSchema() (*resolved.Schema, error) {
	var s schema.Schema
	s.SetFilename("schema.cedarschema")
	if err := s.UnmarshalCedar(schemaText); err != nil {
		return nil, err
	}
	return s.Resolve()
}

// reason is an error without the path, which the message says.
func reason(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

var errNoPolicies = errors.New("it has no file *.cedar")

// folder reads every *.cedar of a folder; prefix is for people, before the name.
func (l *loader) folder(in fs.FS, folder, prefix string) error {
	entries, err := fs.ReadDir(in, folder)
	if err != nil {
		return err
	}
	read := 0
	for _, e := range entries {
		// Kubernetes mounts a ConfigMap as links beside folders that begin with "..".
		if strings.HasPrefix(e.Name(), ".") || filepath.Ext(e.Name()) != ".cedar" {
			continue
		}
		name := e.Name()
		if folder != "." {
			name = folder + "/" + name
		}
		read++
		text, err := fs.ReadFile(in, name)
		if err != nil {
			l.findings = append(l.findings, finding{prefix + e.Name(), 0, fmt.Sprintf("the file cannot be read: %v", reason(err))})
			continue
		}
		l.file(prefix+e.Name(), string(text))
	}
	if read == 0 {
		return errNoPolicies
	}
	return nil
}

// file reads a file, policy by policy, so that one that is wrong does not hide the
// others.
func (l *loader) file(name, text string) {
	for _, s := range statements(text) {
		// Empty lines before it, so that what the parser says has the file's lines.
		list, err := cedar.NewPolicyListFromBytes(name, []byte(strings.Repeat("\n", s.line-1)+s.text))
		if err != nil {
			line, what := syntax(err, s.line)
			l.findings = append(l.findings, finding{name, line, what})
			continue
		}
		for _, p := range list {
			l.policy(name, p)
		}
	}
}

func (l *loader) policy(file string, p *cedar.Policy) {
	line := p.Position().Line
	found := func(format string, args ...any) {
		l.findings = append(l.findings, finding{file, line, fmt.Sprintf(format, args...)})
	}
	id := cedar.PolicyID(p.Annotations()["id"])
	place, taken := l.places[id]
	switch {
	case id == "":
		found(`the policy has no id: write @id("…") before it, which the audit log will name`)
	case !idForm.MatchString(string(id)):
		found("the id %q cannot be one: small letters, digits, - _ and ., at most 100", id)
	case taken:
		found("the id %q is taken by the policy in %s: an own policy adds to the others and replaces none", id, place)
	default:
		l.places[id] = fmt.Sprintf("%s:%d", file, line)
		l.policies.Add(id, p)
	}
	if err := l.valid.Policy("", (*ast.Policy)(p.AST())); err != nil {
		for line := range strings.SplitSeq(err.Error(), "\n") {
			found("%s", line)
		}
	}
	for _, m := range literal.FindAllStringSubmatch(string(p.MarshalCedar()), -1) {
		switch kind, name := m[1], m[2]; {
		case kind == "Role":
			if !slices.Contains(provision.Roles, provision.Role(name)) {
				found("there is no Role::%q: %s", name, roleList())
			}
		case name != strings.ToLower(name):
			found("%s::%q never matches: names of organizations, projects and stacks are in small letters here", kind, name)
		}
	}
}

// literal is a resource or a role that a policy names. In the text of a string the
// quotes are escaped, and it does not match.
var literal = regexp.MustCompile(`\b(Organization|Project|Stack|Role)::"((?:[^"\\]|\\.)*)"`)

func roleList() string {
	names := make([]string, len(provision.Roles))
	for i, r := range provision.Roles {
		names[i] = string(r)
	}
	return strings.Join(names, ", ")
}

// parseError is how the parser says where it stopped.
var parseError = regexp.MustCompile(`^parser error: parse error at <input>:(\d+):\d+ (.*)$`)

// unexpected is what it says of most mistakes.
var unexpected = regexp.MustCompile(`^".*": exact got (.*) want (.*)$`)

// syntax is what the parser says, and in which line.
func syntax(err error, line int) (at int, what string) {
	m := parseError.FindStringSubmatch(err.Error())
	if m == nil {
		return line, "this is no policy: " + err.Error()
	}
	if n, err := strconv.Atoi(m[1]); err == nil {
		line = n
	}
	if got := unexpected.FindStringSubmatch(m[2]); got != nil {
		if got[1] == "" {
			got[1] = "the end"
		}
		return line, fmt.Sprintf("this is no policy: %s where %s belongs", got[1], got[2])
	}
	return line, "this is no policy: at " + m[2]
}

// err is all findings, nil for none.
func (l *loader) err() error {
	if len(l.findings) == 0 {
		return nil
	}
	slices.SortStableFunc(l.findings, func(a, b finding) int {
		return cmp.Or(cmp.Compare(a.file, b.file), cmp.Compare(a.line, b.line))
	})
	lines := []string{fmt.Sprintf("the policies have %d error(s), and none is in force:", len(l.findings))}
	for _, f := range l.findings {
		lines = append(lines, fmt.Sprintf("  %s:%d: %s", f.file, f.line, f.what))
	}
	return provision.Fail(provision.CodeInvalid, "%s", strings.Join(lines, "\n"))
}
