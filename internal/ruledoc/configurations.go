package ruledoc

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"redoubt/policy/profile"
	"redoubt/policy/rule"
)

// configuration gives each rule a level.
type configuration struct {
	name  string
	level func(rule.Rule) rule.Level
}

// configurations are the pack's profiles, and the files that it comes with.
func configurations(dir string) ([]configuration, error) {
	var out []configuration
	for _, p := range profile.All() {
		out = append(out, configuration{p.Name, p.Level})
	}
	paths, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return nil, err
	}
	for _, file := range paths {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		levels, err := levelsIn(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		name := "[" + filepath.Base(file) + "](../../policy/profiles/" + filepath.Base(file) + ")"
		out = append(out, configuration{name, levels})
	}
	return out, nil
}

// levelsIn reads a configuration of the pack: a policy has a level, or an object
// with one; "all" is for those that have none.
func levelsIn(config []byte) (func(rule.Rule) rule.Level, error) {
	var entries map[string]json.RawMessage
	if err := json.Unmarshal(config, &entries); err != nil {
		return nil, err
	}
	levels := map[string]rule.Level{}
	for name, raw := range entries {
		level := strings.Trim(string(raw), `"`)
		if strings.HasPrefix(level, "{") {
			var entry struct {
				Level string `json:"enforcementLevel"`
			}
			if err := json.Unmarshal(raw, &entry); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			level = entry.Level
		}
		levels[name] = rule.Level(level)
	}
	return func(r rule.Rule) rule.Level {
		for _, level := range []rule.Level{levels[r.Name], levels["all"]} {
			if level != "" {
				return level
			}
		}
		return r.Level
	}, nil
}
