package transfer

import (
	"fmt"
	"regexp"
	"strings"

	"redoubt/automation/backend"
)

// Name says which stack is meant. Org is "organization" in a backend without a
// service, which has no organizations.
type Name struct{ Org, Project, Stack string }

// noOrg is the organization of stacks in backends without a service
// (pkg/backend/diy/store.go).
const noOrg = "organization"

func (n Name) String() string { return n.Org + "/" + n.Project + "/" + n.Stack }

// short is the name without the organization.
func (n Name) short() string { return n.Project + "/" + n.Stack }

func parseName(text string) (Name, error) {
	parts := strings.Split(text, "/")
	if len(parts) != 3 {
		return Name{}, fmt.Errorf("stack %q has no project: it is in the layout of Pulumi before 3.61 (run `pulumi state upgrade` on that backend first)", text)
	}
	return Name{Org: parts[0], Project: parts[1], Stack: parts[2]}, nil
}

// matches says whether a person who writes "dev", "shop/dev" or "acme/shop/dev"
// means this stack.
func (n Name) matches(wanted string) bool {
	return wanted == n.Stack || wanted == n.short() || wanted == n.String()
}

// Rename gives a stack another name on the other side. From and To are "stack"
// or "project/stack".
type Rename struct{ From, To string }

// ParseRename reads "old=new".
func ParseRename(text string) (Rename, error) {
	from, to, found := strings.Cut(text, "=")
	if !found || from == "" || to == "" || strings.Count(from, "/") > 1 || strings.Count(to, "/") > 1 {
		return Rename{}, fmt.Errorf("--rename %q: write old=new, each a stack or project/stack", text)
	}
	return Rename{From: from, To: to}, nil
}

// targetName is what a stack is called on the other side.
func targetName(n Name, org string, renames []Rename) Name {
	out := Name{Org: org, Project: n.Project, Stack: n.Stack}
	for _, r := range renames {
		if !n.matches(r.From) {
			continue
		}
		if project, stack, found := strings.Cut(r.To, "/"); found {
			out.Project, out.Stack = project, stack
		} else {
			out.Stack = r.To
		}
	}
	return out
}

// checkName says what is wrong with a name in the target, and which --rename
// would make it right.
func checkName(from, to Name) error {
	err := backend.CheckStackName(backend.StackName(to))
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: give it another with --rename %s=%s/%s", err, quote(from.short()), proposal(to.Project), proposal(to.Stack))
}

// unfit are the characters that no name has.
var unfit = regexp.MustCompile(`[^A-Za-z0-9_.-]+|\.\.+`)

// proposal is a name that is fit, close to one that is not.
func proposal(name string) string {
	name = strings.TrimLeft(unfit.ReplaceAllString(name, "-"), "-.")
	if len(name) > 100 {
		name = name[:100]
	}
	if name == "" {
		return "stack"
	}
	return name
}

// quote makes a name safe to copy into a shell.
func quote(text string) string {
	if strings.Trim(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./-") == "" {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
