package workload

import (
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/apigateway"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// gatewayResponse is an answer that API Gateway gives by itself.
type gatewayResponse struct {
	Kind        string
	ContentType string
	Body        string
}

// gatewayResponses say what is wrong and nothing about what is behind. A
// message of the validation holds quotes that API Gateway does not escape, so
// it is plain text: as JSON it would be broken, as HTML it could be a script.
var gatewayResponses = []gatewayResponse{
	{"BAD_REQUEST_BODY", "text/plain", "The body does not match the schema: $context.error.validationErrorString"},
	{"BAD_REQUEST_PARAMETERS", "application/json", `{"message":$context.error.messageString,"requestId":"$context.requestId"}`},
	{"DEFAULT_4XX", "application/json", `{"message":$context.error.messageString,"requestId":"$context.requestId"}`},
	{"DEFAULT_5XX", "application/json", `{"message":"The request could not be handled.","requestId":"$context.requestId"}`},
}

// responseHeaders are on every answer of API Gateway's own.
var responseHeaders = map[string]string{
	"Cache-Control":             "no-store",
	"Strict-Transport-Security": "max-age=63072000; includeSubDomains",
	"X-Content-Type-Options":    "nosniff",
}

func (c *Api) buildResponses(ctx *pulumi.Context, name string, _ *ApiArgs) error {
	for _, r := range gatewayResponses {
		headers := pulumi.StringMap{"gatewayresponse.header.Content-Type": pulumi.String("'" + r.ContentType + "'")}
		for header, value := range responseHeaders {
			headers["gatewayresponse.header."+header] = pulumi.String("'" + value + "'")
		}
		logical := name + "-" + strings.ReplaceAll(strings.ToLower(r.Kind), "_", "-")
		response, err := apigateway.NewResponse(ctx, logical, &apigateway.ResponseArgs{
			RestApiId: c.RestApi.ID(), ResponseType: pulumi.String(r.Kind),
			ResponseTemplates: pulumi.StringMap{"application/json": pulumi.String(r.Body)}, ResponseParameters: headers,
		}, pulumi.Parent(c))
		if err != nil {
			return err
		}
		c.deployed = append(c.deployed, response)
	}
	return nil
}
