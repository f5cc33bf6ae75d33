package rehearsal

// tables are the rows of every service.
var tables = [][]kind{
	vpcKinds, routeKinds, securityGroupKinds, endpointKinds, kmsKinds, s3Kinds, bucketSides, iamKinds, lbKinds, acmKinds,
	route53Kinds, wafKinds, ecsKinds, rdsKinds, secretsKinds, searchKinds, cloudwatchKinds, messagingKinds, lambdaKinds, auditKinds,
	apiKinds, cognitoKinds, backupKinds, shieldKinds, workflowKinds,
	settingKinds, soleKinds,
}
