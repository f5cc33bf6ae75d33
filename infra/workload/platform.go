package workload

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/infra/data"
	"redoubt/infra/identity"
	"redoubt/infra/monitoring"
)

// FunctionPlatform is what the functions of a stack have in common. Every
// field but PermissionsBoundary, After and Tags is required.
type FunctionPlatform struct {
	Scope identity.Scope
	// Prefix starts every physical name, for example "redoubt-dev".
	Prefix string
	// ArchiveDir is where the archives are that archive.Command writes, from
	// the project's root: archive.Dir. A program without a project folder (one
	// that the Automation API runs inline) passes an absolute path.
	ArchiveDir string
	// Signing signs the archives; Artifacts, a bucket of kind data.Artifacts
	// that is encrypted with KmsKeyArn, holds them.
	Signing   *CodeSigning
	Artifacts *data.Bucket
	// SubnetIDs are private. The security groups are the network's: Lambda's
	// interfaces hold a group for up to 45 minutes after the function is gone,
	// so a group that goes with the function stalls the destroy
	// (pulumi-aws#2642, #4382).
	SubnetIDs, SecurityGroupIDs pulumi.StringArrayInput
	// KmsKeyArn encrypts environments, queues and archives; its policy needs
	// data.KeyForServiceGrants. KeyAlias, "alias/…", is how policies name it.
	KmsKeyArn pulumi.StringInput
	KeyAlias  string
	// LogKmsKeyArn encrypts the log groups.
	LogKmsKeyArn       pulumi.StringInput
	LogRetentionInDays int
	// MaskLogs hides credentials and personal data in the functions' logs.
	MaskLogs bool
	// PermissionsBoundary caps the functions' roles; empty for none.
	PermissionsBoundary string
	// After must exist before a function runs: the endpoints and the way out.
	After []pulumi.Resource
	Tags  map[string]string
}

// archiveDir is ArchiveDir for this run: Pulumi runs a program in the folder
// of its main package, which need not be the project's.
func (p *FunctionPlatform) archiveDir(ctx *pulumi.Context) string {
	if filepath.IsAbs(p.ArchiveDir) {
		return p.ArchiveDir
	}
	return filepath.Join(ctx.RootDirectory(), p.ArchiveDir)
}

func (p *FunctionPlatform) validate() error {
	if p == nil {
		return errors.New("platform: nil (pass the stack's &workload.FunctionPlatform{…})")
	}
	var f findings
	f.scope(p.Scope)
	f.refuse(!prefixForm.MatchString(p.Prefix), "platform.prefix: %q (2 to 28 lower-case letters, digits and hyphens, a letter first)", p.Prefix)
	f.refuse(p.ArchiveDir == "", "platform.archiveDir: empty (the folder of the functions' archives)")
	f.refuse(p.Signing == nil, "platform.signing: nil (functions run signed code only; pass workload.NewCodeSigning's)")
	f.refuse(p.Artifacts == nil, "platform.artifacts: nil (a bucket of kind data.Artifacts: Signer needs its versions)")
	f.refuse(p.SubnetIDs == nil, "platform.subnetIds: nil (the private subnets)")
	f.refuse(p.SecurityGroupIDs == nil, "platform.securityGroupIds: nil (the network's group for functions)")
	f.refuse(p.KmsKeyArn == nil, "platform.kmsKeyArn: nil (the application's key)")
	f.refuse(!strings.HasPrefix(p.KeyAlias, "alias/"), "platform.keyAlias: %q (alias/<name>, see data.Key.AliasName)", p.KeyAlias)
	f.refuse(p.LogKmsKeyArn == nil, "platform.logKmsKeyArn: nil (the key with the CloudWatch Logs statement)")
	f.refuse(!slices.Contains(monitoring.RetentionDays, p.LogRetentionInDays),
		"platform.logRetentionInDays: %d (one of %v)", p.LogRetentionInDays, monitoring.RetentionDays)
	return f.err()
}

// useKey allows actions with the platform's key through services. The key is
// named by its alias, because its id is not known at preview.
func (p *FunctionPlatform) useKey(sid string, actions []string, services ...string) identity.Statement {
	via := make([]string, 0, len(services))
	for _, service := range services {
		via = append(via, service+"."+p.Scope.Region+".amazonaws.com")
	}
	return identity.Statement{
		Sid: sid, Effect: identity.Allow, Actions: actions, Resources: []string{p.Scope.ARN("kms", "key/*")},
		Conditions: []identity.Condition{
			{Test: "ForAnyValue:StringEquals", Key: "kms:ResourceAliases", Values: []string{p.KeyAlias}},
			{Test: "StringEquals", Key: "kms:ViaService", Values: via},
		},
	}
}
