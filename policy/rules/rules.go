// Package rules is the catalogue: the Security Guide's bullets as policy rules,
// a file for each of the guide's subjects.
package rules

import (
	"slices"
	"sort"

	"redoubt/policy/rule"
)

// sections are the catalogue's parts in the order of the guide.
var sections = [][]rule.Rule{
	network, networkLogs, subnets, routing, endpoints, networkACL,
	securityGroups, groupTopology, groupExposure, groupUse, edge, listening, balancing, certificates,
	waf, wafRules, wafDelivery, shield,
	s3, s3Access, s3Encryption, s3Logging, s3Replication, s3Keeping, s3Lifecycle,
	kms, kmsKeys, kmsAccess, secrets, secretCare, secretValues,
	database, databaseParameters, databaseAccess, databaseOperations,
	openSearch, openSearchAccess, openSearchLogs, openSearchOperations,
	ecs, ecsTask, ecsEnvironment, ecsService, images, lambda, lambdaOperation, lambdaRuntimes,
	iam, iamRisk, iamAttachments, iamUsers, iamTrust, iamAccount, organization, resourceAccess,
	authentication, sessions, apiGateway, apiGatewayStage, apiGatewayDoor, logs, logSources,
	audit, auditCoverage, auditBucket,
	guardDuty, accountPosture, instanceMetadata, alerts, alarms, alertDelivery, messaging, costs, backups, response,
	provider, options, tags,
}

// All returns every rule, sorted by name. The slice is the caller's.
func All() []rule.Rule {
	out := slices.Concat(sections...)
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out
}
