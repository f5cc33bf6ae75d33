package response

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/infra/data"
	"redoubt/infra/identity"
)

// Mode is how far the response goes by itself.
type Mode string

// The modes.
const (
	// Off makes nothing.
	Off Mode = "off"
	// Notify detects, analyses and preserves evidence; it has no rights to
	// change anything else.
	Notify Mode = "notify"
	// Approve asks people before it contains, eradicates and recovers.
	Approve Mode = "approve"
	// Auto contains the types in AutoContain without asking, and asks for all
	// others; eradication and recovery always ask.
	Auto Mode = "auto"
)

// OperatorSource is the source in the input of an execution that a person
// starts: {"source":"redoubt.operator","time":"…","detail":{"id","type",
// "title","severity","target":{"kind","id","arn"}}}; a task's id is its ARN, a
// pool user's target has "pool" too, an address "address".
const OperatorSource = "redoubt.operator"

// ResponderArgs describes an environment's response. What is a plain value is
// part of the state machine and known at preview; ids that AWS makes are
// inputs and reach the machine through a parameter.
type ResponderArgs struct {
	Scope identity.Scope
	// Prefix starts physical names, for example "redoubt-dev".
	Prefix string
	// Environment is "dev", "staging" or "prod".
	Environment string
	Mode        Mode
	// AutoContain are how the types of findings start that are contained
	// without asking, for example "CryptoCurrency:"; only for Auto.
	AutoContain []string
	// ApprovalTimeoutMinutes is how long containment waits for an answer
	// before it escalates, 5 to 1440.
	ApprovalTimeoutMinutes int
	// Approvers are ARNs of the principals that may assume the approver role,
	// with MFA; at least one unless Mode is Notify.
	Approvers []string
	// SubscriberEmails hear of every step; each confirms by e-mail.
	SubscriberEmails []string
	// ArchiveArn is a queue that keeps every step beside them, and whose policy
	// admits the topic NoticesTopic; nil for none.
	ArchiveArn pulumi.StringInput

	// Alarms are names of alarms that start the response.
	Alarms []string
	// HealthAlarms are names of alarms that are OK when the service is well, 1
	// to 100; they decide whether recovery worked.
	HealthAlarms []string
	// LogGroupNames are searched for traces, 1 to 20.
	LogGroupNames []string

	// EvidenceBucket keeps analyses, containments and reports; with object lock.
	EvidenceBucket *data.Bucket
	// ProtectedBuckets are names of buckets besides the evidence bucket that
	// are never contained: the audit and log buckets.
	ProtectedBuckets []string
	// Buckets are names of the buckets that may be closed.
	Buckets []string
	// ProtectedRoles are names of roles besides the response's own that are
	// never contained: deployment and break-glass roles.
	ProtectedRoles []string
	// WorkloadBoundary is the ARN of the permissions boundary that workload roles
	// have, see identity.BoundaryARN. The sessions of a role with it are revoked
	// for good: what a boundary caps, no inline policy raises. Any other role is
	// quarantined, and people are asked to go on.
	WorkloadBoundary string
	// ClusterName and ServiceName are the ECS service that may be restarted.
	ClusterName, ServiceName string

	// IsolationGroupID is the security group without rules.
	IsolationGroupID pulumi.StringInput
	// BlockSetArn is the ARN of the IP set <Prefix>-blocked, which the web ACL blocks.
	BlockSetArn pulumi.StringInput
	// TargetGroupArn is the load balancer's target group of the service.
	TargetGroupArn pulumi.StringInput
	// VpcID is the network whose ACLs, all but the default one, get deny
	// entries with the numbers 1 to 50.
	VpcID pulumi.StringInput
	// DetectorID is GuardDuty's detector of the region.
	DetectorID pulumi.StringInput

	// KmsKeyArn encrypts the table, topic, queues and state machine, and
	// KeyAlias is its alias, "alias/…". Its policy admits EventBridge, CloudWatch
	// alarms and log delivery (data.KeyForEvents, KeyForAlarms, KeyForLogDelivery).
	KmsKeyArn pulumi.StringInput
	KeyAlias  string
	// EvidenceKeyAlias is the alias of the evidence bucket's key; empty if it is KeyAlias.
	EvidenceKeyAlias string
	// LogKmsKeyArn encrypts the execution log; LogRetentionInDays is one of
	// monitoring.RetentionDays.
	LogKmsKeyArn       pulumi.StringInput
	LogRetentionInDays int
	// PermissionsBoundary is the ARN of the policy that caps the response's roles.
	PermissionsBoundary string

	// GameDay makes sample findings every quarter; refused in prod, where they
	// would page people and start containment of what is not there.
	GameDay bool
	// Protect keeps the table of incidents when the stack is destroyed.
	Protect bool
	Tags    map[string]string
}

// Names that are known before anything is deployed.

func (a *ResponderArgs) name(purpose string) string { return a.Prefix + "-response-" + purpose }

func (a *ResponderArgs) tableName() string   { return a.name("incidents") }
func (a *ResponderArgs) queueName() string   { return a.name("approvals") }
func (a *ResponderArgs) machineName() string { return a.Prefix + "-response" }
func (a *ResponderArgs) ipSetName() string   { return a.Prefix + "-blocked" }

func (a *ResponderArgs) machineARN() string {
	return a.Scope.ARN("states", "stateMachine:"+a.machineName())
}

func (a *ResponderArgs) topicARN() string { return a.Scope.ARN("sns", NoticesTopic(a.Prefix)) }

// NoticesTopic is the physical name of the topic that tells of each step.
func NoticesTopic(prefix string) string { return prefix + "-response-notices" }

func (a *ResponderArgs) queueURL() string {
	suffix := ".amazonaws.com/"
	if a.Scope.Partition == "aws-cn" {
		suffix = ".amazonaws.com.cn/"
	}
	return "https://sqs." + a.Scope.Region + suffix + a.Scope.AccountID + "/" + a.queueName()
}

func (a *ResponderArgs) quarantineARN() string {
	return a.Scope.GlobalARN("iam", "policy/"+a.Prefix+"-quarantine")
}

func (a *ResponderArgs) targetsParameter() string {
	return "/security/" + a.Environment + "/response/targets"
}

func (a *ResponderArgs) documentName(runbook string) string { return DocumentName(a.Prefix, runbook) }

// ownRoles are the response's own roles: it may not touch itself.
func (a *ResponderArgs) ownRoles() []string {
	return []string{a.name("machine"), a.name("trigger"), a.name("approver"), a.name("game-day")}
}

func (a *ResponderArgs) protectedRoles() []string { return append(a.ownRoles(), a.ProtectedRoles...) }

func (a *ResponderArgs) protectedBuckets() []string {
	return append([]string{a.EvidenceBucket.PhysicalName}, a.ProtectedBuckets...)
}

// quarantineExceptions are who still gets into a closed bucket: the machine,
// which opens it again, and the protected roles.
func (a *ResponderArgs) quarantineExceptions() []string {
	out := []string{a.Scope.RoleARN(a.name("machine"))}
	for _, r := range a.ProtectedRoles {
		out = append(out, a.Scope.RoleARN(r))
	}
	return out
}

// metricQueries are the last two hours of what shows an attack.
func (a *ResponderArgs) metricQueries() []any {
	query := func(id, namespace, metric, stat string, dimensions ...string) any {
		var list []any
		for i := 0; i < len(dimensions); i += 2 {
			list = append(list, map[string]any{"Name": dimensions[i], "Value": dimensions[i+1]})
		}
		return map[string]any{"Id": id, "MetricStat": map[string]any{
			"Metric": map[string]any{"Namespace": namespace, "MetricName": metric, "Dimensions": list}, "Period": 300, "Stat": stat,
		}}
	}
	return []any{
		query("blocked", "AWS/WAFV2", "BlockedRequests", "Sum", "WebACL", a.Prefix+"-waf", "Region", a.Scope.Region, "Rule", "ALL"),
		query("processor", "AWS/ECS", "CPUUtilization", "Maximum", "ClusterName", a.ClusterName, "ServiceName", a.ServiceName),
		query("memory", "AWS/ECS", "MemoryUtilization", "Maximum", "ClusterName", a.ClusterName, "ServiceName", a.ServiceName),
	}
}
