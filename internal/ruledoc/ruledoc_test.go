package ruledoc

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"redoubt/policy/fixture"
	"redoubt/policy/rule"
	"redoubt/policy/rules"
)

const root = "../.."

var pages = sync.OnceValues(func() (map[string]string, error) { return Pages(root) })

func TestPagesAreFresh(t *testing.T) {
	t.Parallel()
	want, err := pages()
	require.NoError(t, err)
	for path, text := range want {
		have, err := os.ReadFile(filepath.Join(root, path))
		require.NoError(t, err, "%s is missing: run `make generate`", path)
		require.True(t, text == string(have), "%s is stale: run `make generate`", path)
	}
	have, err := filepath.Glob(filepath.Join(root, Folder, "*"))
	require.NoError(t, err)
	for _, file := range have {
		require.Contains(t, want, Folder+"/"+filepath.Base(file), "%s belongs to no rule: run `make generate`", file)
	}
}

func TestPagesAreTheSameEachTime(t *testing.T) {
	t.Parallel()
	first, err := pages()
	require.NoError(t, err)
	second, err := Pages(root)
	require.NoError(t, err)
	require.Equal(t, first, second)
}

var (
	markdownLink = regexp.MustCompile(`\]\(([^)]+)\)`)
	heading      = regexp.MustCompile(`(?m)^#+ (.+)$`)
)

// TestLinksLead follows every link of the pages that stays in the repository, to
// the heading.
func TestLinksLead(t *testing.T) {
	t.Parallel()
	all, err := pages()
	require.NoError(t, err)
	headings := map[string]bool{}
	for path, text := range all {
		for _, m := range heading.FindAllStringSubmatch(text, -1) {
			headings[path+"#"+anchor(m[1])] = true
		}
	}
	for path, text := range all {
		for _, m := range markdownLink.FindAllStringSubmatch(text, -1) {
			if strings.HasPrefix(m[1], "https://") {
				continue
			}
			file, fragment, _ := strings.Cut(m[1], "#")
			target := path
			if file != "" {
				target = filepath.ToSlash(filepath.Join(Folder, file))
			}
			if _, generated := all[target]; !generated {
				require.FileExists(t, filepath.Join(root, target), "%s leads to %s", path, m[1])
				continue
			}
			if fragment != "" {
				require.True(t, headings[target+"#"+fragment], "%s leads to %s", path, m[1])
			}
		}
	}
}

// TestEveryRuleIsInEveryIndex reads the indexes that the files are.
func TestEveryRuleIsInEveryIndex(t *testing.T) {
	t.Parallel()
	all, err := pages()
	require.NoError(t, err)
	for _, r := range rules.All() {
		for _, index := range []string{"README.md", "by-bullet.md", "by-service.md", "by-severity.md"} {
			require.Contains(t, all[Folder+"/"+index], "("+r.Name+".md)", index)
		}
		if len(r.Controls) > 0 {
			require.Contains(t, all[Folder+"/by-framework.md"], "("+r.Name+".md)")
		}
	}
}

// TestRuleWithoutExampleIsNamed takes the passing cases from a fixture.
func TestRuleWithoutExampleIsNamed(t *testing.T) {
	t.Parallel()
	files, err := fixture.Load(filepath.Join(root, "policy", "rules", "testdata"))
	require.NoError(t, err)
	r := rules.All()[0]
	f := files[0]
	require.Equal(t, r.Name, f.Rule)
	f.Cases = onlyWant(f.Cases, "fail")
	_, err = page(r, f, nil)
	require.ErrorContains(t, err, "0 that pass")
}

func onlyWant(cases []fixture.Case, want string) []fixture.Case {
	var out []fixture.Case
	for _, c := range cases {
		if c.Want == want {
			out = append(out, c)
		}
	}
	return out
}

// TestExamplesAnswerAsTheyStand asks each rule again about the examples of its
// page, and about the failing one with the exemption that the page offers.
func TestExamplesAnswerAsTheyStand(t *testing.T) {
	t.Parallel()
	eachFixture(t, func(r rule.Rule, f fixture.File) {
		fails, passes, err := examples(r, f)
		require.NoError(t, err, r.Name)
		said, err := ask(r, fails.Case, nil)
		require.NoError(t, err)
		require.NotEmpty(t, said.finding, "%s: %s", r.Name, fails.Name)

		said, err = ask(r, passes.Case, nil)
		require.NoError(t, err)
		require.Empty(t, said.finding, "%s: %s", r.Name, passes.Name)

		about, _ := subject(r, fails.Case)
		said, err = ask(r, fails.Case, entries(t, exemption(r, about)))
		require.NoError(t, err)
		require.Empty(t, said.finding, "%s: the exemption of the page lets nothing pass", r.Name)
	})
}

func eachFixture(t *testing.T, do func(rule.Rule, fixture.File)) {
	t.Helper()
	files, err := fixture.Load(filepath.Join(root, "policy", "rules", "testdata"))
	require.NoError(t, err)
	byRule := map[string]fixture.File{}
	for _, f := range files {
		byRule[f.Rule] = f
	}
	for _, r := range rules.All() {
		do(r, byRule[r.Name])
	}
}

var (
	// manualPage is a page of AWS's manuals, with or without a heading, or of Pulumi's.
	manualPage = regexp.MustCompile(`^https://(docs\.aws\.amazon\.com(/[\w.-]+){3,}\.html(#[\w.-]+)?|www\.pulumi\.com(/[\w.-]+)+/)$`)
	sentence   = regexp.MustCompile(`^[A-Z](\S| \S)*\.$`)
)

// TestTextsOfRulesAreInShape is about what a page takes from a rule as it is.
func TestTextsOfRulesAreInShape(t *testing.T) {
	t.Parallel()
	for _, r := range rules.All() {
		require.Regexp(t, manualPage, r.URL, r.Name)
		require.Regexp(t, sentence, r.Summary, "%s: the summary is a sentence", r.Name)
		require.NotRegexp(t, `[.\s]$|\s\s|^\s`, r.Fix, "%s: the fix is no sentence, and has one space between words", r.Name)
		require.NotContains(t, r.Summary+r.Fix, "organisation", "%s: AWS spells it organization", r.Name)
		for _, p := range r.Params {
			require.Regexp(t, sentence, p.Description, "%s: %s: the description is a sentence", r.Name, p.Name)
		}
	}
}

var reference = regexp.MustCompile(`\$\{([^}.\[]+)`)

// TestExamplesArePrograms reads the examples as YAML, in which no name is twice,
// and looks for what their references name.
func TestExamplesArePrograms(t *testing.T) {
	t.Parallel()
	eachFixture(t, func(r rule.Rule, f fixture.File) {
		fails, passes, err := examples(r, f)
		require.NoError(t, err, r.Name)
		for _, e := range []example{fails, passes} {
			var parsed struct {
				Resources map[string]struct {
					Type       string         `yaml:"type"`
					Properties map[string]any `yaml:"properties"`
					Options    map[string]any `yaml:"options"`
				} `yaml:"resources"`
			}
			dec := yaml.NewDecoder(strings.NewReader(e.program))
			dec.KnownFields(true)
			require.NoError(t, dec.Decode(&parsed), "%s: %s", r.Name, e.Name)
			for name, res := range parsed.Resources {
				require.NotEmpty(t, res.Type, "%s: %s: %s", r.Name, e.Name, name)
			}
			for _, m := range reference.FindAllStringSubmatch(strings.ReplaceAll(e.program, "$${", ""), -1) {
				if m[1] != elsewhere {
					require.Contains(t, parsed.Resources, m[1], "%s: %s", r.Name, e.Name)
				}
			}
		}
	})
}

// TestReasonsHoldNoSecret keeps what a fixture marks as secret out of what the
// rules say on the pages; the programs have it, as their secrets.
func TestReasonsHoldNoSecret(t *testing.T) {
	t.Parallel()
	eachFixture(t, func(r rule.Rule, f fixture.File) {
		for _, c := range f.Cases {
			said, err := ask(r, c, c.Exemptions)
			require.NoError(t, err, r.Name)
			for _, secret := range c.Secrets() {
				require.NotContains(t, said.reason+said.finding, secret, "%s: %s", r.Name, c.Name)
			}
		}
	})
}

// entries are the exemptions of a configuration in JSON.
func entries(t *testing.T, config string) []any {
	t.Helper()
	var parsed struct {
		Exemptions struct {
			Entries []any `json:"entries"`
		} `json:"exemptions"`
	}
	require.NoError(t, json.Unmarshal([]byte(config), &parsed))
	require.NotEmpty(t, parsed.Exemptions.Entries)
	return parsed.Exemptions.Entries
}
