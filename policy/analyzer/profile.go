package analyzer

import (
	"errors"
	"fmt"

	"redoubt/policy/profile"
	"redoubt/policy/rule"
)

// The settings of the policy "profile".
const (
	profileName   = "name"
	profileLevels = "levels"
)

// choice is what the policy "profile" says.
type choice struct {
	profile.Profile
	// levels are those of rules over the profile. They may stand under the rules' own
	// names too, but there the engine hides a level that is the one of GetAnalyzerInfo.
	levels map[string]rule.Level
}

// parseProfile reads the properties of the policy "profile", and reports every wrong
// field. Without a name the profile is the one that the pack was started with.
func (a *Analyzer) parseProfile(props map[string]any) (choice, error) {
	out := choice{Profile: a.profile, levels: map[string]rule.Level{}}
	var errs []error
	for _, key := range sortedNames(props) {
		switch value := props[key]; key {
		case profileName:
			name, isText := value.(string)
			if !isText {
				errs = append(errs, fmt.Errorf("%s must be a string, not %s", profileName, show(value)))
				continue
			}
			found, err := a.findProfile(name)
			if err != nil {
				errs = append(errs, fmt.Errorf("%s %w", profileName, err))
				continue
			}
			out.Profile = found
		case profileLevels:
			errs = append(errs, a.parseLevels(value, out.levels))
		default:
			errs = append(errs, fmt.Errorf("%s is not a setting: this policy has %s, %s", key, profileLevels, profileName))
		}
	}
	return out, errors.Join(errs...)
}

func (a *Analyzer) parseLevels(value any, into map[string]rule.Level) error {
	given, ok := value.(map[string]any)
	if !ok {
		return fmt.Errorf("%s must be an object of rules and their levels, not %s", profileLevels, show(value))
	}
	var errs []error
	for _, name := range sortedNames(given) {
		field := profileLevels + "." + name
		if a.told[name] == "" || reserved(name) {
			errs = append(errs, fmt.Errorf("%s: there is no such policy%s", field, a.suggest(name)))
			continue
		}
		level, err := parseLevel(field, given[name])
		errs = append(errs, err)
		into[name] = level
	}
	return errors.Join(errs...)
}

// findProfile is a profile that has rules of this pack.
func (a *Analyzer) findProfile(name string) (profile.Profile, error) {
	p, err := profile.Find(name)
	if err == nil {
		err = p.Check(a.rules)
	}
	return p, err
}
