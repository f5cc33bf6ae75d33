package ruledoc

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPartsOfAFix(t *testing.T) {
	t.Parallel()
	for fix, want := range map[string][]part{
		`kms.KeyArgs{EnableKeyRotation: pulumi.Bool(true)}`: {{goCode, `kms.KeyArgs{EnableKeyRotation: pulumi.Bool(true)}`}},
		`remove the rule`: {{prose, `remove the rule`}},
		`a second rds.NewClusterInstance in it`: {
			{prose, "a second "},
			{goCode, "rds.NewClusterInstance"},
			{prose, " in it"},
		},
		`iam.PolicyArgs{Policy: …} with "Resource": [key.Arn] in place of "*"`: {
			{goCode, "iam.PolicyArgs{Policy: …}"},
			{prose, " with "},
			{otherCode, `"Resource": [key.Arn]`},
			{prose, " in place of "},
			{otherCode, `"*"`},
		},
		`a condition on kms:EncryptionContext:aws:logs:arn, or s3:*`: {
			{prose, "a condition on "},
			{otherCode, "kms:EncryptionContext:aws:logs:arn"},
			{prose, ", or "},
			{otherCode, "s3:*"},
		},
		`Port: pulumi.Int(1) for events.amazonaws.com`: {{goCode, "Port: pulumi.Int(1)"}, {prose, " for events.amazonaws.com"}},
		`pulumi.String("a } in \" it")`:                {{goCode, `pulumi.String("a } in \" it")`}},
		`an open bracket { stays`:                      {{prose, `an open bracket { stays`}},
	} {
		require.Equal(t, want, parts(fix), fix)
	}
}

func TestFixTextLaysGoOut(t *testing.T) {
	t.Parallel()
	require.Equal(t, "```go\nkms.KeyArgs{EnableKeyRotation: pulumi.Bool(true)}\n```", fixText(`kms.KeyArgs{EnableKeyRotation: pulumi.Bool(true)}`))
	require.Equal(t, "```go\n"+`lb.ListenerArgs{
	Port:      pulumi.Int(443),
	SslPolicy: pulumi.String("ELBSecurityPolicy-TLS13-1-2-Res-2021-06"),
	Actions: lb.ListenerDefaultActionArray{
		…,
		lb.ListenerDefaultActionArgs{Type: pulumi.String("a, b")},
	},
}`+"\n```\n\nin place of the other\\*",
		fixText(`lb.ListenerArgs{Port: pulumi.Int(443), SslPolicy: pulumi.String("ELBSecurityPolicy-TLS13-1-2-Res-2021-06"), `+
			`Actions: lb.ListenerDefaultActionArray{…, lb.ListenerDefaultActionArgs{Type: pulumi.String("a, b")}}}, in place of the other*`))
	require.Equal(t, "A second `rds.NewClusterInstance` in it", fixText("a second rds.NewClusterInstance in it"))
}
