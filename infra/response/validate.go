package response

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"redoubt/infra/monitoring"
)

var (
	prefixForm      = regexp.MustCompile(`^[a-z][a-z0-9-]{1,30}$`)
	environmentForm = regexp.MustCompile(`^[a-z]{2,16}$`)
	principalForm   = regexp.MustCompile(`^arn:[^:]+:iam::\d{12}:(role|user|root)`)
	boundaryForm    = regexp.MustCompile(`^arn:[^:]+:iam::\d{12}:policy/.+$`)
	emailForm       = regexp.MustCompile(`^[^@\s]+@[^@\s]+\.[^@\s]+$`)
)

// validate returns every finding, each "field: why (fix)".
func (a *ResponderArgs) validate() error {
	if a == nil {
		return errors.New("args: nil (pass &response.ResponderArgs{…})")
	}
	c := &findings{}
	c.check(slices.Contains([]Mode{Off, Notify, Approve, Auto}, a.Mode), "mode: %q (off, notify, approve or auto)", a.Mode)
	c.check(prefixForm.MatchString(a.Prefix), "prefix: %q (2 to 31 lower-case letters, digits and hyphens, for example redoubt-dev)", a.Prefix)
	c.check(environmentForm.MatchString(a.Environment), "environment: %q (dev, staging or prod)", a.Environment)
	c.check(len(a.Scope.AccountID) == 12 && a.Scope.Partition != "" && a.Scope.Region != "", "scope: %+v (partition, region and account)", a.Scope)
	if a.Mode == Off {
		return c.join()
	}
	a.checkAutomation(c)
	a.checkLists(c)
	a.checkInputs(c)
	c.check(!a.GameDay || a.Environment != "prod", "gameDay: on in prod (sample findings would page people and start containment; practise in dev)")
	return c.join()
}

// findings collects what is wrong.
type findings struct{ all []error }

func (c *findings) check(ok bool, format string, values ...any) {
	if !ok {
		c.all = append(c.all, fmt.Errorf(format, values...))
	}
}

func (c *findings) join() error { return errors.Join(c.all...) }

func (a *ResponderArgs) checkAutomation(c *findings) {
	c.check(a.Mode == Auto || len(a.AutoContain) == 0, "autoContain: set with mode %s, which asks for everything (use mode auto, or leave it out)", a.Mode)
	c.check(a.Mode != Auto || len(a.AutoContain) > 0, "autoContain: empty with mode auto (name how the types start, for example CryptoCurrency:, or use mode approve)")
	for i, prefix := range a.AutoContain {
		c.check(strings.Contains(prefix, ":") && !strings.Contains(prefix, "*"),
			"autoContain[%d]: %q (how a type starts, purpose first, for example CryptoCurrency: or Backdoor:EC2/)", i, prefix)
	}
	if a.Mode == Notify {
		return
	}
	c.check(a.ApprovalTimeoutMinutes >= 5 && a.ApprovalTimeoutMinutes <= 1440, "approvalTimeoutMinutes: %d (5 to 1440)", a.ApprovalTimeoutMinutes)
	c.check(len(a.Approvers) > 0, "approvers: none (name the principals that may decide, as ARNs)")
	for i, arn := range a.Approvers {
		c.check(principalForm.MatchString(arn), "approvers[%d]: %q (the ARN of a role or user)", i, arn)
	}
	c.check(len(a.HealthAlarms) > 0 && len(a.HealthAlarms) <= 100, "healthAlarms: %d (1 to 100 names; they decide whether recovery worked)", len(a.HealthAlarms))
}

func (a *ResponderArgs) checkLists(c *findings) {
	c.check(len(a.LogGroupNames) > 0 && len(a.LogGroupNames) <= 20, "logGroupNames: %d (1 to 20 names; they are searched for traces)", len(a.LogGroupNames))
	for i, e := range a.SubscriberEmails {
		c.check(emailForm.MatchString(e), "subscriberEmails[%d]: %q (an e-mail address)", i, e)
	}
	for i, b := range a.Buckets {
		c.check(!slices.Contains(a.ProtectedBuckets, b) && (a.EvidenceBucket == nil || b != a.EvidenceBucket.PhysicalName),
			"buckets[%d]: %s is protected too (a bucket is one or the other)", i, b)
	}
	c.check(a.ClusterName != "" && a.ServiceName != "", "clusterName and serviceName: %q and %q (the ECS service)", a.ClusterName, a.ServiceName)
	c.check(slices.Contains(monitoring.RetentionDays, a.LogRetentionInDays), "logRetentionInDays: %d (one of %v)", a.LogRetentionInDays, monitoring.RetentionDays)
}

func (a *ResponderArgs) checkInputs(c *findings) {
	c.check(a.EvidenceBucket != nil, "evidenceBucket: nil (a data.Bucket with object lock)")
	c.check(a.KmsKeyArn != nil, "kmsKeyArn: nil (the key of the topic, queues, table and machine)")
	c.check(strings.HasPrefix(a.KeyAlias, "alias/"), "keyAlias: %q (alias/… of kmsKeyArn's key; policies name the key by it)", a.KeyAlias)
	c.check(a.EvidenceKeyAlias == "" || strings.HasPrefix(a.EvidenceKeyAlias, "alias/"), "evidenceKeyAlias: %q (alias/…, or empty)", a.EvidenceKeyAlias)
	c.check(a.LogKmsKeyArn != nil, "logKmsKeyArn: nil (the logs key's ARN)")
	c.check(a.DetectorID != nil, "detectorId: nil (GuardDuty's detector of the region)")
	if a.Mode == Notify {
		return
	}
	c.check(a.IsolationGroupID != nil, "isolationGroupId: nil (the security group without rules)")
	c.check(boundaryForm.MatchString(a.WorkloadBoundary), "workloadBoundary: %q (the ARN of the workload roles' boundary, identity.BoundaryARN)", a.WorkloadBoundary)
	c.check(a.BlockSetArn != nil, "blockSetArn: nil (the IP set that the web ACL blocks)")
	c.check(a.TargetGroupArn != nil, "targetGroupArn: nil (the service's target group)")
	c.check(a.VpcID != nil, "vpcId: nil (the network whose ACLs get deny entries)")
}
