// The Redoubt policy pack: the Security Guide's rules, checked by the Pulumi
// engine at preview.
package main

import (
	"redoubt/policy/analyzer"
	"redoubt/policy/rules"
)

// version is set by the release build with -ldflags "-X main.version=1.2.3".
var version = "0.1.0"

func main() { analyzer.Main(options()) }

func options() analyzer.Options {
	return analyzer.Options{
		Name:        "redoubt",
		Version:     version,
		DisplayName: "Redoubt",
		Description: "The Security Guide as rules: defense in depth on AWS, checked before anything is deployed.",
		Rules:       rules.All(),
	}
}
