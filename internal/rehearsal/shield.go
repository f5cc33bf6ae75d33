package rehearsal

import "fmt"

const (
	docsProtections = "https://docs.aws.amazon.com/waf/latest/DDOSAPIReference/API_CreateProtection.html"
	docsAutoAnswer  = "https://docs.aws.amazon.com/waf/latest/DDOSAPIReference/API_EnableApplicationLayerAutomaticResponse.html"
)

var toProtection = &target{
	types: []string{"aws:shield/protection:Protection"},
	code:  "ResourceNotFoundException", message: "The referenced protection does not exist: {value}",
}

// shieldKinds are protections. The subscription that they need belongs to another
// stack, so that nothing asks for it here.
var shieldKinds = []kind{
	{
		token: "aws:shield/protection:Protection", noun: "Shield Protection", service: "Shield", action: "Protection", global: true,
		id: "{uuid:protection}", arn: "arn:{partition}:shield::{account}:protection/{id}",
		replaces: []string{"name", "resourceArn"}, refs: []ref{{"resourceArn", wafTarget}},
		unique: []unique{{key: "{resourceArn}", code: "ResourceAlreadyExistsException", message: "The resource {resourceArn} is already protected."}},
		limits: []limit{{path: "name", longest: 128, source: docsProtections}},
	},
	{
		token: "aws:shield/protectionGroup:ProtectionGroup", noun: "Shield Protection Group", service: "Shield", action: "ProtectionGroup", global: true,
		id: "{protectionGroupId}", computed: props{"protectionGroupArn": "arn:{partition}:shield::{account}:protection-group/{id}"},
		replaces: []string{"protectionGroupId"},
		limits: []limit{
			{path: "aggregation", oneOf: []string{"MAX", "MEAN", "SUM"}, source: docsProtections},
			{path: "pattern", oneOf: []string{"ALL", "ARBITRARY", "BY_RESOURCE_TYPE"}, source: docsProtections},
		},
	},
	{
		token: "aws:shield/protectionHealthCheckAssociation:ProtectionHealthCheckAssociation", noun: "Shield Health Check Association",
		service: "Shield", action: "HealthCheck", call: "AssociateHealthCheck", global: true,
		id: "{shieldProtectionId}+{healthCheckArn}", replaces: []string{"healthCheckArn", "shieldProtectionId"}, refs: refer(toProtection, "shieldProtectionId"),
	},
	{
		token: "aws:shield/applicationLayerAutomaticResponse:ApplicationLayerAutomaticResponse", noun: "Shield Application Layer Automatic Response",
		service: "Shield", action: "ApplicationLayerAutomaticResponse", call: "EnableApplicationLayerAutomaticResponse", global: true,
		id: "{resourceArn}", replaces: []string{"resourceArn"}, refs: []ref{{"resourceArn", wafTarget}},
		limits: []limit{{path: "action", oneOf: []string{"BLOCK", "COUNT"}, source: docsAutoAnswer}},
		refuses: []refusal{{name: "automatic-response-needs-web-acl", at: []operation{opCreate}, code: "InvalidOperationException", source: docsAutoAnswer, because: func(c *call) string {
			protected := c.referred("resourceArn")
			if protected == nil || len(c.users(protected, "aws:wafv2/webAclAssociation:WebAclAssociation")) > 0 {
				return ""
			}
			return fmt.Sprintf("%s has no web ACL; make the automatic response depend on the web ACL's association.", protected.arn())
		}}},
	},
}
