package graphtest

import (
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// computed are the outputs, beside the inputs, the id and the ARN, that
// programs read. Lists are never empty: generated .Index(0) accessors panic on
// an empty list, and AWS fills these.
var computed = map[string]func(r *Resource) map[string]any{
	"aws:acm/certificate:Certificate": func(r *Resource) map[string]any {
		domain, _ := r.Input("domainName").(string)
		return map[string]any{"domainValidationOptions": []any{map[string]any{
			"domainName":          domain,
			"resourceRecordName":  "_0123456789abcdef." + domain + ".",
			"resourceRecordType":  "CNAME",
			"resourceRecordValue": "_fedcba9876543210.acm-validations.aws.",
		}}}
	},
	"aws:acm/certificateValidation:CertificateValidation": func(r *Resource) map[string]any {
		return map[string]any{"certificateArn": r.Input("certificateArn")}
	},
	"aws:apigateway/restApi:RestApi": func(r *Resource) map[string]any {
		return map[string]any{
			"rootResourceId": r.Name + "-root",
			"executionArn":   "arn:" + Partition + ":execute-api:" + Region + ":" + AccountID + ":" + idOf(r),
		}
	},
	"aws:apigateway/stage:Stage": func(r *Resource) map[string]any {
		stage, _ := r.Input("stageName").(string)
		api, _ := r.Input("restApi").(string)
		return map[string]any{
			"arn":          "arn:" + Partition + ":apigateway:" + Region + "::/restapis/" + api + "/stages/" + stage,
			"invokeUrl":    "https://" + api + ".execute-api." + Region + ".amazonaws.com/" + stage,
			"executionArn": "arn:" + Partition + ":execute-api:" + Region + ":" + AccountID + ":" + api + "/" + stage,
		}
	},
	"aws:cognito/userPool:UserPool": func(r *Resource) map[string]any {
		return map[string]any{"endpoint": "cognito-idp." + Region + ".amazonaws.com/" + idOf(r)}
	},
	"aws:ec2/eip:Eip": func(r *Resource) map[string]any {
		return map[string]any{"publicIp": "198.51.100.7", "allocationId": idOf(r)}
	},
	"aws:ec2/vpc:Vpc": func(r *Resource) map[string]any {
		h := hash(r.Type, r.Name)
		return map[string]any{
			"defaultNetworkAclId":    "acl-default-" + h,
			"defaultRouteTableId":    "rtb-default-" + h,
			"defaultSecurityGroupId": "sg-default-" + h,
			"mainRouteTableId":       "rtb-default-" + h,
			"ownerId":                AccountID,
		}
	},
	"aws:ec2/vpcEndpoint:VpcEndpoint": func(r *Resource) map[string]any {
		if r.Input("vpcEndpointType") != "Gateway" {
			return nil
		}
		service, _ := r.Input("serviceName").(string)
		return map[string]any{"prefixListId": "pl-" + hash(service)}
	},
	"aws:ecr/repository:Repository": func(r *Resource) map[string]any {
		return map[string]any{
			"registryId":    AccountID,
			"repositoryUrl": AccountID + ".dkr.ecr." + Region + ".amazonaws.com/" + physicalName(r),
		}
	},
	"aws:kms/key:Key": func(r *Resource) map[string]any {
		return map[string]any{"keyId": idOf(r)}
	},
	"aws:kms/replicaKey:ReplicaKey": func(r *Resource) map[string]any {
		return map[string]any{"keyId": idOf(r)}
	},
	"aws:kms/alias:Alias": func(r *Resource) map[string]any {
		return map[string]any{"targetKeyArn": "arn:" + Partition + ":kms:" + Region + ":" + AccountID + ":key/" + hash(r.Name)}
	},
	"aws:lambda/function:Function": func(r *Resource) map[string]any {
		arn := arnOf(r, "")
		return map[string]any{
			"version":      "1",
			"qualifiedArn": arn + ":1",
			"invokeArn":    "arn:" + Partition + ":apigateway:" + Region + ":lambda:path/2015-03-31/functions/" + arn + "/invocations",
		}
	},
	"aws:lb/loadBalancer:LoadBalancer": func(r *Resource) map[string]any {
		return map[string]any{
			"arnSuffix": strings.SplitN(arnOf(r, ""), ":loadbalancer/", 2)[1],
			"dnsName":   physicalName(r) + "-1234567890." + Region + ".elb.amazonaws.com",
			"zoneId":    "Z215JYRZR1TBD5",
		}
	},
	"aws:lb/targetGroup:TargetGroup": func(r *Resource) map[string]any {
		return map[string]any{"arnSuffix": arnOf(r, "")[strings.Index(arnOf(r, ""), "targetgroup/"):]}
	},
	"aws:opensearch/domain:Domain": func(r *Resource) map[string]any {
		endpoint := "vpc-" + physicalName(r) + "-0123456789." + Region + ".es.amazonaws.com"
		return map[string]any{"endpoint": endpoint, "dashboardEndpoint": endpoint + "/_dashboards", "domainId": AccountID + "/" + physicalName(r)}
	},
	"aws:rds/cluster:Cluster": func(r *Resource) map[string]any {
		name := physicalName(r)
		out := map[string]any{
			"clusterResourceId": "cluster-" + strings.ToUpper(hash(name)),
			"endpoint":          name + ".cluster-0123456789ab." + Region + ".rds.amazonaws.com",
			"readerEndpoint":    name + ".cluster-ro-0123456789ab." + Region + ".rds.amazonaws.com",
			"port":              5432,
		}
		if r.Input("manageMasterUserPassword") == true {
			out["masterUserSecrets"] = []any{map[string]any{
				"kmsKeyId":     r.Input("masterUserSecretKmsKeyId"),
				"secretArn":    "arn:" + Partition + ":secretsmanager:" + Region + ":" + AccountID + ":secret:rds!cluster-" + hash(name) + "-AbCdEf",
				"secretStatus": "active",
			}}
		}
		return out
	},
	"aws:rds/proxy:Proxy": func(r *Resource) map[string]any {
		return map[string]any{"endpoint": physicalName(r) + ".proxy-0123456789ab." + Region + ".rds.amazonaws.com"}
	},
	"aws:s3/bucketV2:BucketV2": func(r *Resource) map[string]any {
		return map[string]any{
			"bucket":                   physicalName(r),
			"bucketDomainName":         physicalName(r) + ".s3.amazonaws.com",
			"bucketRegionalDomainName": physicalName(r) + ".s3." + Region + ".amazonaws.com",
		}
	},
	"aws:s3/bucketObjectv2:BucketObjectv2": func(*Resource) map[string]any {
		return map[string]any{"versionId": "v0000000001"}
	},
	"aws:signer/signingJob:SigningJob": func(r *Resource) map[string]any {
		return map[string]any{
			"jobId": hash(r.Name),
			"signedObjects": []any{map[string]any{"s3s": []any{map[string]any{
				"bucket": r.Input("source.s3.bucket"), "key": "signed/" + hash(r.Name) + ".zip",
			}}}},
		}
	},
	"aws:signer/signingProfile:SigningProfile": func(r *Resource) map[string]any {
		arn := arnOf(r, "")
		return map[string]any{"version": "Ab0Cd1Ef2G", "versionArn": arn + "/Ab0Cd1Ef2G"}
	},
	"aws:sqs/queue:Queue": func(r *Resource) map[string]any {
		return map[string]any{"url": "https://sqs." + Region + ".amazonaws.com/" + AccountID + "/" + physicalName(r)}
	},
}

// outputsOf is what the provider would answer: the inputs, a name, an ARN, the
// type's computed fields, and what the test adds.
func outputsOf(r *Resource, extra resource.PropertyMap) resource.PropertyMap {
	out := r.Inputs.Copy()
	if strings.HasPrefix(r.Type, "aws:") {
		out["arn"] = resource.NewProperty(arnOf(r, r.ID))
		if _, ok := out["name"]; !ok {
			out["name"] = resource.NewProperty(physicalName(r))
		}
	}
	if f, ok := computed[r.Type]; ok {
		for k, v := range resource.NewPropertyMapFromMap(f(r)) {
			out[k] = v
		}
	}
	for k, v := range extra {
		out[k] = v
	}
	return known(out)
}
