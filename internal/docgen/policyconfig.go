package main

import (
	"redoubt/policy/analyzer"
	"redoubt/policy/rules"
)

// policyConfig is docs/policy-config.schema.json: what `redoubt-policy schema` prints.
func policyConfig(string) (string, error) {
	pack, err := analyzer.New(analyzer.Options{Name: "redoubt", Version: "0.0.0", Rules: rules.All()})
	if err != nil {
		return "", err
	}
	text, err := pack.Schema()
	return string(text), err
}
