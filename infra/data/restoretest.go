package data

import (
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/backup"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// RestoreTest proves that the backups of a service can be restored: AWS Backup
// restores the latest of each resource of the tier, and deletes the result
// after ValidationHours.
type RestoreTest struct {
	// ResourceType is AWS Backup's name of the service: Aurora, S3, …
	ResourceType string
	// ValidationHours leave somebody time to look at the result, 0 to 168.
	ValidationHours int
	// Metadata overrides where it is restored to. What AWS Backup infers, such
	// as the account's default VPC, an account may have deleted.
	// https://docs.aws.amazon.com/aws-backup/latest/devguide/restore-testing-inferred-metadata.html
	Metadata map[string]pulumi.StringInput
}

// restorable are the services whose restores AWS Backup can test.
var restorable = []string{
	"Aurora", "DocumentDB", "DynamoDB", "EBS", "EC2", "EFS", "FSx", "Neptune", "RDS", "S3",
}

const (
	// restoreSchedule is the second day of each month, after the monthly backup.
	restoreSchedule = "cron(0 9 2 * ? *)"
	// restoreWindowDays is how old the latest backup may be.
	restoreWindowDays = 30
	restoreStartHours = 4
)

// restoreTests makes the role that restores, which people and the response to
// an incident use too, and the tests.
func (b *backupBuilder) restoreTests() error {
	role, err := b.role("restore", "AWS Backup restores from the vault "+b.args.vaultName(), restorePolicies)
	if err != nil {
		return err
	}
	b.c.RestoreRole = role
	if len(b.args.RestoreTests) == 0 {
		return nil
	}
	plan, err := backup.NewRestoreTestingPlan(b.ctx, b.name+"-restore-test", &backup.RestoreTestingPlanArgs{
		Name:               pulumi.String(underscored(b.args.Prefix)),
		ScheduleExpression: pulumi.String(restoreSchedule),
		StartWindowHours:   pulumi.Int(restoreStartHours),
		RecoveryPointSelection: &backup.RestoreTestingPlanRecoveryPointSelectionArgs{
			Algorithm:           pulumi.String("LATEST_WITHIN_WINDOW"),
			IncludeVaults:       pulumi.StringArray{b.c.Vault.Arn},
			RecoveryPointTypes:  pulumi.ToStringArray([]string{"CONTINUOUS", "SNAPSHOT"}),
			SelectionWindowDays: pulumi.Int(restoreWindowDays),
		},
		Tags: tagged(b.args.Tags, underscored(b.args.Prefix)),
	}, pulumi.Parent(b.c))
	if err != nil {
		return err
	}
	for _, test := range b.args.RestoreTests {
		_, err := backup.NewRestoreTestingSelection(b.ctx, b.name+"-restore-test-"+strings.ToLower(test.ResourceType),
			b.args.restoreSelection(test, plan.Name, role.Arn), pulumi.Parent(b.c), pulumi.DependsOn(role.Rights))
		if err != nil {
			return err
		}
	}
	return nil
}

func (args *BackupArgs) restoreSelection(test RestoreTest, plan, role pulumi.StringOutput) *backup.RestoreTestingSelectionArgs {
	in := &backup.RestoreTestingSelectionArgs{
		Name:                   pulumi.String(underscored(strings.ToLower(test.ResourceType))),
		RestoreTestingPlanName: plan,
		ProtectedResourceType:  pulumi.String(test.ResourceType),
		IamRoleArn:             role,
		// Conditions narrow the wildcard and do not stand without it.
		// https://docs.aws.amazon.com/aws-backup/latest/devguide/API_RestoreTestingSelectionForCreate.html
		ProtectedResourceArns: pulumi.ToStringArray([]string{"*"}),
		ProtectedResourceConditions: &backup.RestoreTestingSelectionProtectedResourceConditionsArgs{
			StringEquals: backup.RestoreTestingSelectionProtectedResourceConditionsStringEqualArray{
				&backup.RestoreTestingSelectionProtectedResourceConditionsStringEqualArgs{
					Key: pulumi.String("aws:ResourceTag/" + BackupTag), Value: pulumi.String(args.Tier),
				},
			},
		},
	}
	if len(test.Metadata) > 0 {
		in.RestoreMetadataOverrides = pulumi.StringMap(test.Metadata)
	}
	if test.ValidationHours > 0 {
		in.ValidationWindowHours = pulumi.Int(test.ValidationHours)
	}
	return in
}

// underscored is a name where AWS Backup allows letters, digits and
// underscores only.
func underscored(name string) string { return strings.ReplaceAll(name, "-", "_") }
