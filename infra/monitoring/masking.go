package monitoring

import (
	"encoding/json"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// maskedData are what no log of an application is for: credentials, cards and
// whom to write to. Addresses of machines are left, because a response looks
// for them.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/protect-sensitive-log-data-types.html
var maskedData = []string{
	"AwsSecretKey", "CreditCardNumber", "CreditCardSecurityCode", "EmailAddress",
	"OpenSshPrivateKey", "PgpPrivateKey", "PkcsPrivateKey", "PuttyPrivateKey",
}

// mask hides the data from whoever reads the group without logs:Unmask, and
// from what its events are sent to; LogEventsWithFindings counts it. The policy
// is the group's and not the account's: that one would mask the trail too, in
// which investigations look for names.
func (c *LogGroup) mask(ctx *pulumi.Context, name string, partition string) error {
	var data []string
	for _, identifier := range maskedData {
		data = append(data, "arn:"+partition+":dataprotection::aws:data-identifier/"+identifier)
	}
	statement := func(sid, operation string, how map[string]any) map[string]any {
		return map[string]any{"Sid": sid, "DataIdentifier": data, "Operation": map[string]any{operation: how}}
	}
	policy, err := json.Marshal(map[string]any{
		"Name": "mask", "Version": "2021-06-01", "Statement": []any{
			statement("audit", "Audit", map[string]any{"FindingsDestination": map[string]any{}}),
			statement("mask", "Deidentify", map[string]any{"MaskConfig": map[string]any{}}),
		},
	})
	if err != nil {
		return err
	}
	_, err = cloudwatch.NewLogDataProtectionPolicy(ctx, name+"-mask", &cloudwatch.LogDataProtectionPolicyArgs{
		LogGroupName: c.Group.Name, PolicyDocument: pulumi.String(string(policy)),
	}, pulumi.Parent(c))
	return err
}
