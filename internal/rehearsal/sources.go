package rehearsal

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// sourceTables are the functions of every service.
var sourceTables = []map[string]source{accountSources, networkSources, policySources}

// accountSources say who and where one is.
var accountSources = map[string]source{
	"aws:index/getCallerIdentity:getCallerIdentity": func(c *call) (props, error) {
		return props{
			"accountId": "{account}", "id": "{account}", "userId": "AROA{upper17:caller}:rehearsal",
			"arn": "arn:{partition}:sts::{account}:assumed-role/rehearsal/rehearsal",
		}, nil
	},
	"aws:index/getRegion:getRegion": func(c *call) (props, error) {
		region := c.conf.region
		if name, ok := text(c.in, "name"); ok {
			region = name
		}
		return props{"name": region, "id": region, "description": region, "endpoint": "ec2." + region + ".{dns}"}, nil
	},
	"aws:index/getPartition:getPartition": func(c *call) (props, error) {
		dns := strings.Split(dnsSuffix(c.acct.partition), ".")
		slices.Reverse(dns)
		return props{"partition": "{partition}", "id": "{partition}", "dnsSuffix": "{dns}", "reverseDnsPrefix": strings.Join(dns, ".")}, nil
	},
	"aws:index/getDefaultTags:getDefaultTags": func(c *call) (props, error) {
		tags := props{}
		for k, v := range c.conf.defaultTags {
			tags[k] = v
		}
		return props{"tags": tags}, nil
	},
	"aws:index/getBillingServiceAccount:getBillingServiceAccount": func(c *call) (props, error) {
		return props{"id": "386209384616", "arn": "arn:{partition}:iam::386209384616:root"}, nil
	},
	"aws:organizations/getOrganization:getOrganization": func(c *call) (props, error) {
		if c.acct.organization == "" {
			return nil, &APIError{
				Doing: "reading Organizations Organization", Service: "Organizations", Operation: "DescribeOrganization", Status: 400, RequestID: c.requestID(""),
				Code: "AWSOrganizationsNotInUseException", Message: "Your account is not a member of an organization. (Open the rehearsal with an organisation id to rehearse in one.)",
			}
		}
		id := c.acct.organization
		return props{
			"id": id, "arn": "arn:{partition}:organizations::{account}:organization/" + id, "featureSet": "ALL", "masterAccountId": "{account}",
			"masterAccountArn": "arn:{partition}:organizations::{account}:account/" + id + "/{account}", "masterAccountEmail": "rehearsal@example.com", "masterAccountName": "rehearsal",
			"accounts": []any{}, "nonMasterAccounts": []any{}, "awsServiceAccessPrincipals": []any{}, "enabledPolicyTypes": []any{},
			"roots": []any{props{"id": "r-{alnum4:root}", "name": "Root", "arn": "arn:{partition}:organizations::{account}:root/" + id + "/r-{alnum4:root}", "policyTypes": []any{}}},
		}, nil
	},
	"aws:iam/getRoles:getRoles": func(c *call) (props, error) {
		named, err := regexp.Compile(c.text("nameRegex"))
		if err != nil {
			return nil, fmt.Errorf("rehearsal: aws:iam/getRoles: nameRegex: %w", err)
		}
		arns, names := []any{}, []any{}
		for _, token := range toRole.types {
			for _, r := range c.all(token) {
				name, _ := text(r.outputs, "name")
				path, _ := text(r.outputs, "path")
				if strings.HasPrefix(path, c.text("pathPrefix")) && named.MatchString(name) {
					arns, names = append(arns, r.arn()), append(names, name)
				}
			}
		}
		return props{"arns": arns, "names": names}, nil
	},
	"aws:ssm/getParametersByPath:getParametersByPath": func(c *call) (props, error) {
		path, _ := text(c.in, "path")
		path = strings.TrimSuffix(path, "/") + "/"
		arns, names, types, values := []any{}, []any{}, []any{}, []any{}
		for _, r := range c.all("aws:ssm/parameter:Parameter") {
			rest, below := strings.CutPrefix(r.id, path)
			if !below || strings.Contains(rest, "/") && !c.truth("recursive") {
				continue
			}
			out := plainMap(r.outputs)
			arns, names = append(arns, out["arn"]), append(names, r.id)
			// What the program marks as no secret stands in another property.
			value := out["insecureValue"]
			if s, secret := text(out, "value"); secret {
				value = resource.NewProperty(s)
			}
			types, values = append(types, out["type"]), append(values, value)
		}
		return props{"id": path, "arns": arns, "names": names, "types": types, "values": values}, nil
	},
	"aws:ssm/getParameter:getParameter": func(c *call) (props, error) {
		name := c.text("name")
		if strings.HasPrefix(name, "/aws/service/") {
			return props{"name": name, "id": name, "arn": "arn:{partition}:ssm:{region}::parameter" + name, "type": "String", "value": "ami-{hex17:" + name + "}", "insecureValue": "", "version": 1}, nil
		}
		made, _, err := c.lookUp("aws:ssm/getParameter:getParameter")
		return made, err
	},
}

// networkSources say what the region's network has.
var networkSources = map[string]source{
	"aws:index/getAvailabilityZones:getAvailabilityZones": func(c *call) (props, error) {
		names, ids := []any{}, []any{}
		for _, letter := range zoneLetters {
			name, id := c.conf.region+string(letter), zoneID(c.conf.region, letter)
			if slices.Contains(c.texts("excludeNames[*]"), name) || slices.Contains(c.texts("excludeZoneIds[*]"), id) {
				continue
			}
			names, ids = append(names, name), append(ids, id)
		}
		return props{"names": names, "zoneIds": ids, "groupNames": []any{"{region}"}, "id": "{region}"}, nil
	},
	"aws:index/getAvailabilityZone:getAvailabilityZone": func(c *call) (props, error) {
		for _, letter := range zoneLetters {
			name, id := c.conf.region+string(letter), zoneID(c.conf.region, letter)
			if c.text("name") == name || c.text("zoneId") == id {
				return props{
					"name": name, "zoneId": id, "id": name, "nameSuffix": string(letter), "region": "{region}", "state": "available", "groupName": "{region}",
					"networkBorderGroup": "{region}", "optInStatus": "opt-in-not-required", "zoneType": "availability-zone", "parentZoneId": "", "parentZoneName": "",
				}, nil
			}
		}
		return nil, fmt.Errorf("rehearsal: aws:index/getAvailabilityZone: %s has no zone %s%s", c.conf.region, c.text("name"), c.text("zoneId"))
	},
	"aws:elb/getServiceAccount:getServiceAccount": func(c *call) (props, error) {
		region := regionArgument(c)
		account, ok := elbAccounts[region]
		if !ok {
			return nil, fmt.Errorf("rehearsal: aws:elb/getServiceAccount: region %s has no such account; use the principal logdelivery.elasticloadbalancing.amazonaws.com", region)
		}
		return props{"id": account, "arn": "arn:{partition}:iam::" + account + ":root"}, nil
	},
	"aws:elb/getHostedZoneId:getHostedZoneId": func(c *call) (props, error) { return props{"id": "Z{upper13:" + regionArgument(c) + "}"}, nil },
	"aws:ec2/getManagedPrefixList:getManagedPrefixList": func(c *call) (props, error) {
		name := prefixListName(c)
		id := prefixListID(c.conf.region, name)
		return props{
			"id": id, "name": name, "arn": "arn:{partition}:ec2:{region}:aws:prefix-list/" + id, "addressFamily": "IPv4", "ownerId": "AWS",
			"maxEntries": 0, "version": 1, "tags": props{}, "entries": []any{props{"cidr": "198.51.100.0/24", "description": ""}},
		}, nil
	},
	"aws:ec2/getPrefixList:getPrefixList": func(c *call) (props, error) {
		name := prefixListName(c)
		return props{"id": prefixListID(c.conf.region, name), "name": name, "cidrBlocks": []any{"198.51.100.0/24"}}, nil
	},
	"aws:ec2/getVpcEndpointService:getVpcEndpointService": func(c *call) (props, error) {
		name := c.text("serviceName")
		if name == "" {
			name = "com.amazonaws." + c.conf.region + "." + c.text("service")
		}
		kind := c.text("serviceType")
		if kind == "" {
			kind = "Interface"
		}
		return props{
			"serviceName": name, "id": "{hex10:" + name + "}", "serviceId": "vpce-svc-{hex17:" + name + "}", "serviceType": kind, "region": "{region}", "owner": "amazon",
			"acceptanceRequired": false, "managesVpcEndpoints": false, "vpcEndpointPolicySupported": true, "privateDnsName": name[strings.LastIndex(name, ".")+1:] + ".{region}.{dns}",
			"availabilityZones": []any{"{region}a", "{region}b", "{region}c"}, "supportedIpAddressTypes": []any{"ipv4"}, "tags": props{},
			"arn": "arn:{partition}:ec2:{region}:{account}:vpc-endpoint-service/vpce-svc-{hex17:" + name + "}", "baseEndpointDnsNames": []any{}, "privateDnsNames": []any{}, "serviceRegions": []any{"{region}"},
		}, nil
	},
	// A zone is usually older than the stacks that use it, so that one is made up
	// for a name that the account does not have.
	"aws:route53/getZone:getZone": func(c *call) (props, error) {
		if made, _, err := c.lookUp("aws:route53/getZone:getZone"); err == nil {
			return made, nil
		}
		name := strings.TrimSuffix(c.text("name"), ".")
		id := c.text("zoneId")
		if id == "" {
			id = "Z{upper20:" + name + "}"
		}
		return props{
			"id": id, "zoneId": id, "name": name, "arn": "arn:{partition}:route53:::hostedzone/" + id, "comment": "", "callerReference": "rehearsal",
			"nameServers": []any{"ns-1.awsdns-01.org", "ns-2.awsdns-02.com"}, "primaryNameServer": "ns-1.awsdns-01.org", "resourceRecordSetCount": 2,
			"linkedServiceDescription": "", "linkedServicePrincipal": "", "privateZone": c.truth("privateZone"), "tags": props{}, "vpcId": "",
		}, nil
	},
}

func regionArgument(c *call) string {
	if region := c.text("region"); region != "" {
		return region
	}
	return c.conf.region
}

// prefixListName is the list that is asked for by name or by a filter.
func prefixListName(c *call) string {
	if name := c.text("name"); name != "" {
		return name
	}
	for _, v := range c.texts("filters[*].values[*]") {
		return v
	}
	return "com.amazonaws." + c.conf.region + ".s3"
}
