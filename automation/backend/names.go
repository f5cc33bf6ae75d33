package backend

import (
	"fmt"
	"regexp"
	"strings"
)

var (
	// orgForm is the CLI's for owners of stacks.
	orgForm = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_-]{1,38}[a-zA-Z0-9]$`)
	// nameForm is the CLI's for projects and stacks, without what means another
	// place in a path, a flag on a command line, or a hidden file.
	nameForm = regexp.MustCompile(`^[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,99}$`)
	tagForm  = regexp.MustCompile(`^[a-zA-Z0-9_.:-]{1,40}$`)
	packForm = regexp.MustCompile(`^[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,99}$`)
)

// tagValueLimit is in bytes, as in the CLI's own check.
const tagValueLimit = 256

// CheckOrg says what is wrong with an organization's name.
func CheckOrg(name string) error {
	if orgForm.MatchString(name) {
		return nil
	}
	return Fail(CodeInvalid, "organization %s cannot be a name: 3 to 40 letters, digits, - and _, the first and the last a letter or digit", quoted(name))
}

// CheckStackName says what is wrong with a stack's name.
func CheckStackName(n StackName) error {
	if err := CheckOrg(n.Org); err != nil {
		return err
	}
	for _, part := range []struct{ what, name string }{{"project", n.Project}, {"stack", n.Stack}} {
		if !nameForm.MatchString(part.name) || strings.Contains(part.name, "..") {
			return Fail(CodeInvalid, "%s %s cannot be a name: 1 to 100 letters, digits, - _ and single dots, not - or . at the start", part.what, quoted(part.name))
		}
	}
	return nil
}

// CheckTags says what is wrong with a stack's tags.
func CheckTags(tags map[string]string) error {
	for name, value := range tags {
		if !tagForm.MatchString(name) {
			return Fail(CodeInvalid, "tag %s cannot be a name: 1 to 40 letters, digits, - _ . and :", quoted(name))
		}
		if len(value) > tagValueLimit {
			return Fail(CodeInvalid, "tag %s has a value of %d bytes: at most %d", name, len(value), tagValueLimit)
		}
	}
	return nil
}

// CheckPackName says what is wrong with a policy pack's name.
func CheckPackName(name string) error {
	if packForm.MatchString(name) {
		return nil
	}
	return Fail(CodeInvalid, "policy pack %s cannot be a name: 1 to 100 letters, digits, - _ and dots, not - or . at the start", quoted(name))
}

// quoted makes a hostile name fit for a message: quoted, and not endless.
func quoted(name string) string {
	const limit = 60
	if len(name) > limit {
		return fmt.Sprintf("%q…", name[:limit])
	}
	return fmt.Sprintf("%q", name)
}
