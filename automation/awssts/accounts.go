package awssts

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"regexp"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"redoubt/automation/backend"
)

// Account is an account of AWS that stacks may be launched in.
type Account struct {
	// Stacks are patterns of what belongs in it: "acme", "acme/shop" or
	// "acme/shop/prod-*". What a pattern leaves out is any.
	Stacks []string `yaml:"stacks"`
	// ID is the account's twelve digits.
	ID string `yaml:"account"`
	// ExternalID is what the roles ask for: whoever else can make this service assume
	// a role cannot make it assume these.
	ExternalID string `yaml:"externalId"`
	// Region is where STS is asked, and what runs have as AWS_REGION.
	Region string `yaml:"region"`
	// Regions are others that stacks may be in; redoubt roles aws lets the roles go there.
	Regions []string `yaml:"regions"`
	// PreviewRole and LaunchRole are the roles' names; {blueprint} in the latter is
	// the blueprint's. By default redoubt-preview and redoubt-launch-{blueprint}.
	PreviewRole string `yaml:"previewRole"`
	LaunchRole  string `yaml:"launchRole"`
	// Session is how long credentials hold before there are new ones: 15m to 1h, the
	// default. The roles' own limit must not be less.
	Session time.Duration `yaml:"session"`
}

// Accounts are the allowlist; the first account with a pattern that a stack matches
// is the stack's. A stack that none matches is launched nowhere.
type Accounts []Account

const (
	defaultPreviewRole = "redoubt-preview"
	defaultLaunchRole  = "redoubt-launch-{blueprint}"
	blueprintMark      = "{blueprint}"
	// The bounds of sessions: STS gives none for less, and a role that is assumed with
	// a role's credentials none for more.
	leastSession, mostSession = 15 * time.Minute, time.Hour
)

// ReadAccounts reads the allowlist from a file of YAML, {accounts: [...]}, and
// returns all that is wrong with it.
func ReadAccounts(file string) (Accounts, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("the accounts cannot be read: %w", err)
	}
	var document struct {
		Accounts Accounts `yaml:"accounts"`
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(&document); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s is no list of accounts: %s", file, strings.ReplaceAll(err.Error(), "\n", ""))
	}
	for i := range document.Accounts {
		document.Accounts[i].complete()
	}
	if err := document.Accounts.Check(); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return document.Accounts, nil
}

// complete puts defaults where nothing is said.
func (a *Account) complete() {
	if a.PreviewRole == "" {
		a.PreviewRole = defaultPreviewRole
	}
	if a.LaunchRole == "" {
		a.LaunchRole = defaultLaunchRole
	}
	if a.Session == 0 {
		a.Session = mostSession
	}
}

var (
	stackPattern = regexp.MustCompile(`^[\w.*?-]+(/[\w.*?-]+){0,2}$`)
	accountID    = regexp.MustCompile(`^[0-9]{12}$`)
	externalID   = regexp.MustCompile(`^[\w+=,.@:/-]{2,1000}$`)
	regionName   = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-[0-9]$`)
	roleName     = regexp.MustCompile(`^([\w+=,.@-]+/)*[\w+=,.@-]{1,64}$`)
)

// Check finds all that is wrong with the list.
func (all Accounts) Check() error {
	var found []string
	if len(all) == 0 {
		found = append(found, "accounts: there is none: name at least one, with its stacks")
	}
	taken, roles := map[string]int{}, map[string]int{}
	for i, a := range all {
		report := func(field, format string, args ...any) {
			found = append(found, fmt.Sprintf("accounts[%d].%s: ", i, field)+fmt.Sprintf(format, args...))
		}
		a.check(report)
		for _, role := range []string{a.ID + " " + a.PreviewRole, a.ID + " " + a.LaunchRole} {
			if before, twice := roles[role]; twice {
				report("account", "accounts[%d] has the same roles in account %s: put the stacks together, or name other roles", before, a.ID)
				break
			}
			roles[role] = i
		}
		for _, pattern := range a.Stacks {
			pattern = strings.ToLower(pattern)
			if before, twice := taken[pattern]; twice {
				report("stacks", "%q is taken by accounts[%d]: the first that matches counts", pattern, before)
			}
			taken[pattern] = i
		}
	}
	if len(found) == 0 {
		return nil
	}
	return errors.New(strings.Join(found, "; "))
}

func (a Account) check(report func(field, format string, args ...any)) {
	if len(a.Stacks) == 0 {
		report("stacks", `there is no pattern: "acme", "acme/shop" or "acme/shop/prod-*"`)
	}
	for _, pattern := range a.Stacks {
		if !stackPattern.MatchString(pattern) {
			report("stacks", `%q is no pattern of stacks: "acme", "acme/shop" or "acme/shop/prod-*"`, pattern)
		}
	}
	for _, f := range []struct {
		name, value string
		form        *regexp.Regexp
		want        string
	}{
		{"account", a.ID, accountID, "an account's twelve digits, in quotes"},
		{"externalId", a.ExternalID, externalID, "2 to 1000 letters, digits and +=,.@:/- (redoubt roles aws prints what goes with it)"},
		{"region", a.Region, regionName, "a region, for example eu-central-1"},
		{"previewRole", a.PreviewRole, roleName, "a role's name"},
		{"launchRole", strings.ReplaceAll(a.LaunchRole, blueprintMark, "b"), roleName, "a role's name with {blueprint} in it"},
	} {
		if !f.form.MatchString(f.value) {
			report(f.name, "%q is not %s", f.value, f.want)
		}
	}
	for _, region := range a.Regions {
		if !regionName.MatchString(region) {
			report("regions", "%q is not a region, for example eu-west-1", region)
		}
	}
	if !strings.Contains(a.LaunchRole, blueprintMark) {
		report("launchRole", "has no {blueprint} in it: each blueprint has a role of its own")
	}
	if a.Session < leastSession || a.Session > mostSession {
		report("session", "%s is not from %s to %s", a.Session, leastSession, mostSession)
	}
}

// Of is a stack's account.
func (all Accounts) Of(stack backend.StackName) (Account, bool) {
	name := strings.ToLower(stack.String())
	for _, a := range all {
		for _, pattern := range a.Stacks {
			if ok, err := path.Match(full(strings.ToLower(pattern)), name); err == nil && ok {
				return a, true
			}
		}
	}
	return Account{}, false
}

// full is a pattern with all its three parts.
func full(pattern string) string {
	return pattern + strings.Repeat("/*", 2-strings.Count(pattern, "/"))
}

// Partition is that of the account's region.
func (a Account) Partition() string {
	switch {
	case strings.HasPrefix(a.Region, "cn-"):
		return "aws-cn"
	case strings.HasPrefix(a.Region, "us-gov-"):
		return "aws-us-gov"
	default:
		return "aws"
	}
}

// Launcher is the name of the role that launches a blueprint.
func (a Account) Launcher(blueprint string) string {
	return strings.ReplaceAll(a.LaunchRole, blueprintMark, blueprint)
}

// ARN is that of one of the account's roles.
func (a Account) ARN(role string) string {
	return "arn:" + a.Partition() + ":iam::" + a.ID + ":role/" + role
}
