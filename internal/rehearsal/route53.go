package rehearsal

import "slices"

const (
	docsRecords  = "https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeResourceRecordSets.html"
	docsQueryLog = "https://docs.aws.amazon.com/Route53/latest/APIReference/API_route53resolver_CreateResolverQueryLogConfig.html"
)

// route53Kinds are zones, records and the resolver's query log.
var route53Kinds = []kind{
	{
		token: "aws:route53/zone:Zone", noun: "Route53 Hosted Zone", service: "Route 53", action: "HostedZone", global: true,
		id: "{zoneId}", arn: "arn:{partition}:route53:::hostedzone/{id}",
		defaults: props{"comment": "Managed by Pulumi", "forceDestroy": false},
		computed: props{
			"zoneId": "Z{upper20:zone}", "primaryNameServer": "ns-1.awsdns-01.org",
			"nameServers": []any{"ns-1.awsdns-01.org", "ns-2.awsdns-02.com", "ns-3.awsdns-03.net", "ns-4.awsdns-04.co.uk"},
		},
		replaces: []string{"name", "delegationSetId"},
		blocks: []block{{
			by: []string{"aws:route53/record:Record"}, unless: "forceDestroy",
			code: "HostedZoneNotEmpty", message: "The specified hosted zone contains non-required resource record sets and so cannot be deleted.",
		}},
	},
	{
		token: "aws:route53/record:Record", noun: "Route53 Record", service: "Route 53", action: "ResourceRecordSets", call: "ChangeResourceRecordSets", global: true,
		id:       "{zoneId}_{name}_{type}_{setIdentifier|}",
		computed: props{"fqdn": "{name}"}, replaces: []string{"name", "setIdentifier", "type", "zoneId"},
		refs: externalZone,
		unique: []unique{{
			key: "{zoneId}/{name}/{type}/{setIdentifier}", code: "InvalidChangeBatch",
			message: "Tried to create resource record set [name='{name}', type='{type}'] but it already exists",
		}},
		limits: []limit{{path: "type", source: docsRecords, oneOf: []string{"A", "AAAA", "CAA", "CNAME", "DS", "HTTPS", "MX", "NAPTR", "NS", "PTR", "SOA", "SPF", "SRV", "SSHFP", "SVCB", "TLSA", "TXT"}}},
		refuses: []refusal{{name: "record-or-alias", code: "InvalidInput", source: docsRecords, because: func(c *call) string {
			records, aliases := has(c.in, "records"), has(c.in, "aliases")
			switch {
			case records == aliases:
				return "a record needs either records or aliases"
			case records && !has(c.in, "ttl"):
				return "a record with records needs a ttl"
			}
			return ""
		}}},
	},
	{
		token: "aws:route53/resolverQueryLogConfig:ResolverQueryLogConfig", noun: "Route53 Resolver Query Log Config", service: "Route53Resolver", action: "ResolverQueryLogConfig",
		id: "rqlc-{hex17}", arn: "arn:{partition}:route53resolver:{region}:{account}:resolver-query-log-config/{id}",
		computed: props{"ownerId": "{account}", "shareStatus": "NOT_SHARED"}, replaces: []string{"destinationArn", "name"},
		refs:   refer(toAnyLogTarget, "destinationArn"),
		limits: []limit{{path: "name", longest: 64, source: docsQueryLog}},
		blocks: []block{{
			by:   []string{queryLogAssociation},
			code: "InvalidRequestException", message: "[RSLVR-01404] The query logging configuration {id} is associated with VPCs.",
		}},
	},
	{
		token: queryLogAssociation, noun: "Route53 Resolver Query Log Config Association", service: "Route53Resolver", action: "ResolverQueryLogConfig", call: "AssociateResolverQueryLogConfig",
		id: "rqlca-{hex17}", replaces: []string{"resolverQueryLogConfigId", "resourceId"},
		refs: slices.Concat(refer(toQueryLogConfig, "resolverQueryLogConfigId"), refer(toVpc, "resourceId")),
		unique: []unique{{
			key: "{resolverQueryLogConfigId}/{resourceId}", code: "ResourceExistsException",
			message: "The VPC {resourceId} is already associated with {resolverQueryLogConfigId}",
		}},
	},
}

const queryLogAssociation = "aws:route53/resolverQueryLogConfigAssociation:ResolverQueryLogConfigAssociation"

// externalZone links records to zones of the account but accepts others: zones
// are looked up by id from a registry outside the stack more often than made.
var externalZone = []ref{{"zoneId", &target{types: toZone.types}}}
