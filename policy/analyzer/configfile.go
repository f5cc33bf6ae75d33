package analyzer

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"

	"redoubt/policy/rule"
)

// ParseConfig reads a file for --policy-pack-config as the CLI does: a policy has a
// level, or an object with enforcementLevel beside its settings. Every policy with
// anything else is in the error.
func ParseConfig(text []byte) (map[string]plugin.AnalyzerPolicyConfig, error) {
	var raw map[string]any
	if err := json.Unmarshal(text, &raw); err != nil {
		return nil, fmt.Errorf("the configuration must be a JSON object with a policy's name before each level or object of settings: %w", err)
	}
	out := make(map[string]plugin.AnalyzerPolicyConfig, len(raw))
	var errs []error
	for _, name := range sortedNames(raw) {
		c := plugin.AnalyzerPolicyConfig{Properties: map[string]any{}}
		switch v := raw[name].(type) {
		case string:
			c.EnforcementLevel = rule.Level(v)
		case map[string]any:
			level, isText := v["enforcementLevel"].(string)
			if v["enforcementLevel"] != nil && !isText {
				errs = append(errs, fmt.Errorf("%s: enforcementLevel must be a text", name))
			}
			delete(v, "enforcementLevel")
			c.EnforcementLevel, c.Properties = rule.Level(level), v
		default:
			errs = append(errs, fmt.Errorf("%s: a policy has a level, or an object with enforcementLevel and its settings", name))
		}
		out[name] = c
	}
	return out, errors.Join(errs...)
}
