package workload

import (
	"encoding/json"
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/apigateway"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/infra/monitoring"
)

// accessLog is a line of the access log: what is needed to follow a request,
// and neither its body nor its token.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-variables-for-access-logging.html
var accessLog = map[string]string{
	"requestId":          "$context.requestId",
	"traceId":            "$context.xrayTraceId",
	"time":               "$context.requestTimeEpoch",
	"ip":                 "$context.identity.sourceIp",
	"user":               "$context.authorizer.claims.sub",
	"client":             "$context.authorizer.claims.client_id",
	"apiKeyId":           "$context.identity.apiKeyId",
	"method":             "$context.httpMethod",
	"route":              "$context.resourcePath",
	"path":               "$context.path",
	"protocol":           "$context.protocol",
	"status":             "$context.status",
	"error":              "$context.error.responseType",
	"authorizer":         "$context.authorizer.error",
	"waf":                "$context.waf.status",
	"bytes":              "$context.responseLength",
	"latency":            "$context.responseLatency",
	"integrationLatency": "$context.integrationLatency",
	"integrationStatus":  "$context.integrationStatus",
}

// buildLogs makes both of the API's log groups.
func (c *Api) buildLogs(ctx *pulumi.Context, name string, args *ApiArgs) (err error) {
	c.LogGroup, err = monitoring.NewLogGroup(ctx, name+"-access", &monitoring.LogGroupArgs{
		Name: "/aws/apigateway/" + c.Name + "/" + args.StageName, KmsKeyArn: args.LogKmsKeyArn,
		RetentionInDays: args.LogRetentionInDays, Tags: args.Tags,
	}, pulumi.Parent(c))
	if err != nil {
		return err
	}
	// API Gateway makes the group of its errors itself, unencrypted and for
	// ever, unless it is there. Its name holds the API's id, which is an output:
	// monitoring.NewLogGroup takes names that are known at preview.
	group := pulumi.Sprintf("API-Gateway-Execution-Logs_%s/%s", c.RestApi.ID(), args.StageName)
	c.errorLog, err = cloudwatch.NewLogGroup(ctx, name+"-execution", &cloudwatch.LogGroupArgs{
		Name: group, KmsKeyId: args.LogKmsKeyArn.ToStringOutput(), RetentionInDays: pulumi.Int(args.LogRetentionInDays),
		Tags: withName(args.Tags, c.Name+"-execution"),
	}, pulumi.Parent(c))
	return err
}

func (c *Api) buildStage(ctx *pulumi.Context, name string, args *ApiArgs) error {
	format, err := json.Marshal(accessLog)
	if err != nil {
		return fmt.Errorf("access log: %w", err)
	}
	triggers := pulumi.StringMap{"configuration": pulumi.String(c.plan.digest)}
	if args.Backend.VpcLinkID != nil {
		triggers["vpcLink"] = args.Backend.VpcLinkID.ToStringOutput()
	}
	if c.plan.tokens {
		triggers["userPool"] = args.UserPoolArn.ToStringOutput()
	}
	deployment, err := apigateway.NewDeployment(ctx, name+"-deployment", &apigateway.DeploymentArgs{
		RestApi: c.RestApi.ID(), Description: pulumi.String("Configuration " + c.plan.digest[:12]), Triggers: triggers,
	}, pulumi.Parent(c), pulumi.DependsOn(c.deployed))
	if err != nil {
		return err
	}
	c.Stage, err = apigateway.NewStage(ctx, name+"-stage", &apigateway.StageArgs{
		RestApi: c.RestApi.ID(), Deployment: deployment.ID(), StageName: pulumi.String(args.StageName),
		XrayTracingEnabled: pulumi.Bool(true),
		AccessLogSettings:  &apigateway.StageAccessLogSettingsArgs{DestinationArn: c.LogGroup.Arn, Format: pulumi.String(string(format))},
		Tags:               withName(args.Tags, c.Name),
	}, pulumi.Parent(c), pulumi.DependsOn(append([]pulumi.Resource{c.errorLog}, args.Account.Ready...)))
	if err != nil {
		return err
	}
	_, err = apigateway.NewMethodSettings(ctx, name+"-settings", &apigateway.MethodSettingsArgs{
		RestApi: c.RestApi.ID(), StageName: c.Stage.StageName, MethodPath: pulumi.String("*/*"),
		Settings: &apigateway.MethodSettingsSettingsArgs{
			// A trace of data would write bodies and tokens into the log.
			LoggingLevel: pulumi.String("ERROR"), DataTraceEnabled: pulumi.Bool(false), MetricsEnabled: pulumi.Bool(true),
			ThrottlingRateLimit: pulumi.Float64(args.RatePerSecond), ThrottlingBurstLimit: pulumi.Int(args.Burst),
		},
	}, pulumi.Parent(c))
	if err != nil {
		return err
	}
	c.association, err = args.WebAcl.Associate(ctx, name+"-waf", c.Stage.Arn, pulumi.Parent(c))
	return err
}
