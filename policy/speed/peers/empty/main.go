// The floor of the benchmarks: this module's own server, with no rule.
package main

import "redoubt/policy/analyzer"

func main() {
	analyzer.Main(analyzer.Options{Name: "empty", Version: "0.1.0", DisplayName: "Empty", Description: "No rules."})
}
