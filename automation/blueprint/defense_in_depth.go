package blueprint

import (
	"sync"

	"redoubt/automation/provision"
	"redoubt/infra/stack"
)

var wholeStack = sync.OnceValue(wholeInputs)

// DefenseInDepth is the whole stack of the Security Guide.
var DefenseInDepth = Blueprint{
	Name:    "defense-in-depth",
	Version: "1.0.0",
	Inputs:  wholeStack,
	Order:   orderWhole(wholeStack),
	Limits:  provision.BlueprintLimits{Resources: 1100, Minutes: 180},
	Summary: "The Security Guide's whole stack: network, edge, keys, data, service and logs.",
	Program: stack.Program,
	Account: "redoubt:accountId",
	Folders: map[string]string{"redoubt:functions.dir": "dist/functions", "redoubt:detection.conformancePack": ""},
	Change:  map[string]string{"redoubt:alerting.archiveDays": "7"},
	Drifts: []Drift{
		{
			Type: "aws:lb/loadBalancer:LoadBalancer", Property: "dropInvalidHeaderFields", Value: false,
			Deed: "somebody lets the load balancer pass invalid headers, in the console",
		},
		{
			Type: "aws:cloudtrail/trail:Trail", Property: "enableLogFileValidation", Value: false,
			Deed: "somebody switches off the proof that the trail's files were not changed, in the console",
		},
	},
	Release: map[string]string{
		"redoubt:keys.protect":                   "false",
		"redoubt:edge.deletionProtection":        "false",
		"redoubt:database.deletionProtection":    "false",
		"redoubt:network.dns.mutationProtection": "false",
	},
	Mistakes: mistakes(),
}
