package workload

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/apigateway"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/route53"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// buildDomain gives the API its own name, with TLS 1.2 or newer. Nobody can
// call by it before the web ACL is in front.
func (c *Api) buildDomain(ctx *pulumi.Context, name string, args *ApiArgs) error {
	if args.Domain == nil {
		c.URL = c.Stage.InvokeUrl
		return nil
	}
	domain, err := apigateway.NewDomainName(ctx, name+"-domain", &apigateway.DomainNameArgs{
		DomainName: pulumi.String(args.Domain.Name), RegionalCertificateArn: args.Domain.CertificateArn.ToStringOutput(),
		SecurityPolicy:        pulumi.String("TLS_1_2"),
		EndpointConfiguration: &apigateway.DomainNameEndpointConfigurationArgs{Types: pulumi.String("REGIONAL")},
		Tags:                  withName(args.Tags, args.Domain.Name),
	}, pulumi.Parent(c))
	if err != nil {
		return err
	}
	_, err = apigateway.NewBasePathMapping(ctx, name+"-domain", &apigateway.BasePathMappingArgs{
		DomainName: domain.DomainName, RestApi: c.RestApi.ID(), StageName: c.Stage.StageName,
	}, pulumi.Parent(c), pulumi.DependsOn([]pulumi.Resource{c.association}))
	if err != nil {
		return err
	}
	c.URL = pulumi.Sprintf("https://%s", domain.DomainName)
	if args.Domain.ZoneID == "" {
		return nil
	}
	_, err = route53.NewRecord(ctx, name+"-domain", &route53.RecordArgs{
		ZoneId: pulumi.String(args.Domain.ZoneID), Name: pulumi.String(args.Domain.Name), Type: pulumi.String("A"),
		Aliases: route53.RecordAliasArray{&route53.RecordAliasArgs{
			Name: domain.RegionalDomainName, ZoneId: domain.RegionalZoneId, EvaluateTargetHealth: pulumi.Bool(false),
		}},
	}, pulumi.Parent(c))
	return err
}

// buildClients makes a plan and a key for each client. AWS makes the keys'
// values; they are secrets in the stack's state.
func (c *Api) buildClients(ctx *pulumi.Context, name string, args *ApiArgs) error {
	if len(args.Clients) == 0 {
		return nil
	}
	plan, err := apigateway.NewUsagePlan(ctx, name+"-plan", &apigateway.UsagePlanArgs{
		Name: pulumi.String(c.Name), Description: pulumi.String("What each client of " + c.Name + " may use"),
		ApiStages:        apigateway.UsagePlanApiStageArray{&apigateway.UsagePlanApiStageArgs{ApiId: c.RestApi.ID(), Stage: c.Stage.StageName}},
		QuotaSettings:    &apigateway.UsagePlanQuotaSettingsArgs{Limit: pulumi.Int(args.DailyQuota), Period: pulumi.String("DAY")},
		ThrottleSettings: &apigateway.UsagePlanThrottleSettingsArgs{RateLimit: pulumi.Float64(args.RatePerSecond), BurstLimit: pulumi.Int(args.Burst)},
		Tags:             withName(args.Tags, c.Name),
	}, pulumi.Parent(c))
	if err != nil {
		return err
	}
	for _, client := range args.Clients {
		key, err := apigateway.NewApiKey(ctx, name+"-"+client, &apigateway.ApiKeyArgs{
			Name: pulumi.String(c.Name + "-" + client), Description: pulumi.String("Counts the requests of " + client),
			Tags: withName(args.Tags, c.Name+"-"+client),
		}, pulumi.Parent(c), pulumi.AdditionalSecretOutputs([]string{"value"}))
		if err != nil {
			return err
		}
		_, err = apigateway.NewUsagePlanKey(ctx, name+"-"+client, &apigateway.UsagePlanKeyArgs{
			UsagePlanId: plan.ID(), KeyId: key.ID(), KeyType: pulumi.String("API_KEY"),
		}, pulumi.Parent(c))
		if err != nil {
			return err
		}
	}
	return nil
}
