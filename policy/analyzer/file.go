package analyzer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"

	"redoubt/policy/profile"
	"redoubt/policy/rule"
)

const (
	// levelField is a policy's level in a configuration file, beside its settings.
	levelField = "enforcementLevel"
	// environments are those of Pulumi ESC that the CLI gives to the pack; the pack
	// does not see the key.
	environments = "environments"
)

// ParseConfig reads a configuration file as the Pulumi CLI does (pkg/v3 v3.259.0,
// resource/analyzer/config.go): a policy has a level, or an object of its settings
// with enforcementLevel beside them. It reports every entry that is neither, where
// the CLI reports one, and returns what is right.
func ParseConfig(text []byte) (map[string]plugin.AnalyzerPolicyConfig, error) {
	given := map[string]plugin.AnalyzerPolicyConfig{}
	if len(bytes.TrimSpace(text)) == 0 {
		return given, nil
	}
	var entries map[string]any
	if err := json.Unmarshal(text, &entries); err != nil {
		return given, notJSON(text, err)
	}
	var errs []error
	for _, name := range sortedNames(entries) {
		entry, err := parseEntry(name, entries[name])
		errs = append(errs, prefixed(name, err))
		if name != environments {
			given[name] = entry
		}
	}
	return given, errors.Join(errs...)
}

// notJSON says in which line the file stops being JSON.
func notJSON(text []byte, err error) error {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		line := 1 + bytes.Count(text[:syntax.Offset], []byte("\n"))
		return fmt.Errorf("line %d is no JSON: %w", line, err)
	}
	return errors.New("the file must be an object of policies, with their levels or settings")
}

func parseEntry(name string, value any) (c plugin.AnalyzerPolicyConfig, err error) {
	if name == environments {
		return c, checkEnvironments(value)
	}
	switch v := value.(type) {
	case string:
		c.EnforcementLevel, err = parseLevel("the level", v)
		if err != nil && name == policyProfile {
			err = fmt.Errorf("%q is no level: the engine takes a profile as {%q: %q}", v, profileName, exampleProfile(v))
		}
		return c, err
	case map[string]any:
		if given, ok := v[levelField]; ok {
			c.EnforcementLevel, err = parseLevel(levelField, given)
		}
		c.Properties = maps.Clone(v)
		delete(c.Properties, levelField)
		return c, err
	default:
		return c, fmt.Errorf("must be a level, or an object of settings, not %s", show(value))
	}
}

// parseLevel reads a level, which must be one.
func parseLevel(field string, value any) (rule.Level, error) {
	text, isText := value.(string)
	level := rule.Level(text)
	if !isText || !level.IsValid() {
		return "", fmt.Errorf("%s must be one of %s, not %s", field, strings.Join(levelNames, ", "), show(value))
	}
	return level, nil
}

// show is a value as JSON spells it.
func show(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	return string(text)
}

// exampleProfile is the profile that was meant, if it can be known.
func exampleProfile(given string) string {
	if near := rule.Nearest(given, profile.Names()); near != "" {
		return near
	}
	return profile.Guide
}

func checkEnvironments(value any) error {
	list, ok := value.([]any)
	if !ok {
		return fmt.Errorf("must be a list of the environments' names, not %s", show(value))
	}
	for i, e := range list {
		if _, isText := e.(string); !isText {
			return fmt.Errorf("[%d] must be the name of an environment, not %s", i, show(e))
		}
	}
	return nil
}

// CheckConfig reports everything that is wrong with a configuration file, also what
// the engine would keep from the pack. It returns how many rules have which level.
func (a *Analyzer) CheckConfig(text []byte) (map[rule.Level]int, error) {
	given, parseErr := ParseConfig(text)
	c, decodeErr := a.decode(given)
	errs := []error{parseErr, decodeErr}
	if decodeErr == nil {
		errs = append(errs, a.hidden(given, c))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, a.wrong(err)
	}
	counts := map[rule.Level]int{}
	for _, r := range a.rules {
		counts[c.levels[r.Name]]++
	}
	return counts, nil
}

// checkFile is CheckConfig on a file, with the answer in words.
func (a *Analyzer) checkFile(path string) (string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	counts, err := a.CheckConfig(text)
	if err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	parts := make([]string, 0, len(counts))
	for _, level := range levelNames {
		if n := counts[rule.Level(level)]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, level))
		}
	}
	return fmt.Sprintf("%s holds %s to: %s", path, count(len(a.rules), "rule"), strings.Join(parts, ", ")), nil
}

// hidden finds levels that the file gives and the pack will not see; see says.
func (a *Analyzer) hidden(given map[string]plugin.AnalyzerPolicyConfig, c config) error {
	var errs []error
	for _, name := range sortedNames(given) {
		level := given[name].EnforcementLevel
		if level == "" || name == everyPolicy || c.levels[name] == level {
			continue
		}
		errs = append(errs, fmt.Errorf("%s: %s is also the level without a configuration, so that the engine does not show that the file gives it, and %s holds: "+
			"give it in %s.%s, or choose the profile by %s", name, level, c.levels[name], policyProfile, profileLevels, profile.Variable))
	}
	return errors.Join(errs...)
}
