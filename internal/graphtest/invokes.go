package graphtest

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// answers are the invokes that the account knows. The availability zones are
// three, as a program gets them with State "available" and no Local Zones.
var answers = map[string]func(args resource.PropertyMap) map[string]any{
	"aws:index/getAvailabilityZones:getAvailabilityZones": func(resource.PropertyMap) map[string]any {
		return map[string]any{
			"id":      Region,
			"names":   []any{Region + "a", Region + "b", Region + "c"},
			"zoneIds": []any{"euc1-az2", "euc1-az3", "euc1-az1"},
		}
	},
	"aws:index/getCallerIdentity:getCallerIdentity": func(resource.PropertyMap) map[string]any {
		return map[string]any{
			"id": AccountID, "accountId": AccountID, "userId": "AROAEXAMPLE:deployer",
			"arn": "arn:" + Partition + ":sts::" + AccountID + ":assumed-role/deployer/session",
		}
	},
	"aws:index/getRegion:getRegion": func(resource.PropertyMap) map[string]any {
		return map[string]any{"id": Region, "name": Region, "description": "Europe (Frankfurt)", "endpoint": "ec2." + Region + ".amazonaws.com"}
	},
	"aws:index/getPartition:getPartition": func(resource.PropertyMap) map[string]any {
		return map[string]any{"id": Partition, "partition": Partition, "dnsSuffix": "amazonaws.com", "reverseDnsPrefix": "com.amazonaws"}
	},
	"aws:iam/getRoles:getRoles": func(resource.PropertyMap) map[string]any {
		return map[string]any{"id": Region, "arns": []any{}, "names": []any{}}
	},
	"aws:ssm/getParametersByPath:getParametersByPath": func(args resource.PropertyMap) map[string]any {
		return map[string]any{"id": args["path"].StringValue(), "arns": []any{}, "names": []any{}, "types": []any{}, "values": []any{}}
	},
	"aws:ec2/getPrefixList:getPrefixList":               prefixList,
	"aws:ec2/getManagedPrefixList:getManagedPrefixList": prefixList,
	"aws:elb/getServiceAccount:getServiceAccount": func(resource.PropertyMap) map[string]any {
		return map[string]any{"id": "054676820928", "arn": "arn:" + Partition + ":iam::054676820928:root"}
	},
	"aws:organizations/getOrganization:getOrganization": func(resource.PropertyMap) map[string]any {
		return map[string]any{"id": "o-a1b2c3d4e5", "masterAccountId": AccountID, "arn": "arn:" + Partition + ":organizations::" + AccountID + ":organization/o-a1b2c3d4e5"}
	},
}

func prefixList(args resource.PropertyMap) map[string]any {
	name := "by-filter"
	if v := args["name"]; v.IsString() {
		name = v.StringValue()
	}
	return map[string]any{"id": "pl-" + hash(name), "name": name, "cidrBlocks": []any{"198.51.100.0/24"}}
}

// answer fails for an invoke that the table does not know, because an empty
// answer would let a program pass that AWS lets down.
func answer(token string, args resource.PropertyMap) (resource.PropertyMap, error) {
	f, ok := answers[token]
	if !ok {
		return nil, fmt.Errorf("graphtest: invoke %s has no answer (add one to answers in internal/graphtest/invokes.go)", token)
	}
	return resource.NewPropertyMapFromMap(f(args)), nil
}
