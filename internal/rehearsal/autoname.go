package rehearsal

import "strings"

// autonames are the named properties that differ from the rule, which is: a
// type whose schema has an optional input "name" is named by it, in up to 255
// characters. An empty property means that AWS makes the name, not the provider.
// The lengths are AWS's own for the name in question.
var autonames = map[string]autoname{
	"aws:alb/loadBalancer:LoadBalancer":                              {property: "name", max: 32},
	"aws:alb/targetGroup:TargetGroup":                                {property: "name", max: 32},
	"aws:cloudwatch/eventRule:EventRule":                             {property: "name", max: 64},
	"aws:cloudwatch/logGroup:LogGroup":                               {property: "name", max: 512},
	"aws:cognito/userPool:UserPool":                                  {property: "name", max: 128},
	"aws:ec2/route:Route":                                            {},
	"aws:ecr/repository:Repository":                                  {property: "name", max: 256, lower: true},
	"aws:iam/group:Group":                                            {property: "name", max: 128},
	"aws:iam/instanceProfile:InstanceProfile":                        {property: "name", max: 128},
	"aws:iam/policy:Policy":                                          {property: "name", max: 128},
	"aws:iam/role:Role":                                              {property: "name", max: 64},
	"aws:iam/rolePolicy:RolePolicy":                                  {property: "name", max: 128},
	"aws:iam/user:User":                                              {property: "name", max: 64},
	"aws:lambda/function:Function":                                   {property: "name", max: 64},
	"aws:lb/loadBalancer:LoadBalancer":                               {property: "name", max: 32},
	"aws:lb/targetGroup:TargetGroup":                                 {property: "name", max: 32},
	"aws:opensearch/domain:Domain":                                   {property: "domainName", max: 28, lower: true},
	"aws:rds/clusterParameterGroup:ClusterParameterGroup":            {property: "name", max: 255, lower: true},
	"aws:rds/parameterGroup:ParameterGroup":                          {property: "name", max: 255, lower: true},
	"aws:rds/subnetGroup:SubnetGroup":                                {property: "name", max: 255, lower: true},
	"aws:s3/bucket:Bucket":                                           {property: "bucket", max: 63, lower: true},
	"aws:s3/bucketV2:BucketV2":                                       {property: "bucket", max: 63, lower: true},
	"aws:sfn/stateMachine:StateMachine":                              {property: "name", max: 80},
	"aws:sns/topic:Topic":                                            {property: "name", max: 256},
	"aws:sqs/queue:Queue":                                            {property: "name", max: 80},
	"aws:wafv2/ipSet:IpSet":                                          {property: "name", max: 128},
	"aws:wafv2/regexPatternSet:RegexPatternSet":                      {property: "name", max: 128},
	"aws:wafv2/ruleGroup:RuleGroup":                                  {property: "name", max: 128},
	"aws:wafv2/webAcl:WebAcl":                                        {property: "name", max: 128},
	"aws:guardduty/filter:Filter":                                    {property: "name", max: 64},
	"aws:kms/alias:Alias":                                            {property: "name", max: 256, prefix: "alias/"},
	"aws:secretsmanager/secret:Secret":                               {property: "name", max: 512},
	"aws:signer/signingProfile:SigningProfile":                       {},
	"aws:ssm/parameter:Parameter":                                    {property: "name", max: 2048},
	"aws:accessanalyzer/analyzer:Analyzer":                           {},
	"aws:cloudwatch/eventTarget:EventTarget":                         {},
	"aws:appautoscaling/policy:Policy":                               {property: "name", max: 255},
	"aws:cloudwatch/logDataProtectionPolicy:LogDataProtectionPolicy": {},
}

// autonameOf is how resources of a type are named; false if they are not.
func autonameOf(token string) (autoname, bool) {
	n, ok := autonames[token]
	if !ok {
		p, isInput := schemaOf(token).inputs["name"]
		if !isInput || p.required || p.kind != 'S' {
			return autoname{}, false
		}
		n = autoname{property: "name", max: 255}
	}
	if n.separator == "" {
		n.separator = "-"
	}
	return n, n.property != ""
}

func (n autoname) cased(name string) string {
	if n.lower {
		name = strings.ToLower(name)
	}
	return n.prefix + name
}
