package data

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// BucketKind is what a bucket is for.
type BucketKind string

const (
	// Data holds the application's objects, encrypted with a key of ours.
	Data BucketKind = "data"
	// AccessLogs receives S3 server access logs and load balancer logs. Both
	// can be written with S3's own key only: with a KMS key S3 loses the logs
	// in silence (aws-cdk#23513) and the load balancer refuses the bucket
	// (aws-cdk#21947).
	AccessLogs BucketKind = "access-logs"
	// Audit keeps trails, findings and flow logs, encrypted with a key of ours.
	Audit BucketKind = "audit"
	// Artifacts holds code to be signed; Signer needs the versions.
	Artifacts BucketKind = "artifacts"
)

// bucketKind is what sets a kind apart.
type bucketKind struct {
	// kms says that objects are encrypted with KmsKeyArn; S3's key otherwise.
	kms bool
	// ownWriters says that only the stack's own principals write, so that the
	// policy can insist on their encryption headers. AWS's log services send
	// headers of their own.
	ownWriters bool
	// lock says that default retention is possible; S3 cannot deliver access
	// logs into a bucket that has it.
	lock bool
	// log says that the bucket's own accesses are logged. A bucket that logged
	// to itself would never stop.
	log bool
	// events says that EventBridge hears of new objects.
	events bool
	// infrequentAfter and archiveAfter are days until an object moves to
	// Infrequent Access and to Glacier Instant Retrieval; 0 is never.
	infrequentAfter, archiveAfter int
	// noncurrentDays is how long an overwritten or deleted version stays, and
	// noncurrentKept how many stay longer.
	noncurrentDays, noncurrentKept int
}

var bucketKinds = map[BucketKind]bucketKind{
	Data:       {kms: true, ownWriters: true, lock: true, log: true, events: true, infrequentAfter: 30, archiveAfter: 90, noncurrentDays: 90, noncurrentKept: 3},
	AccessLogs: {infrequentAfter: 30, archiveAfter: 90, noncurrentDays: 30},
	Audit:      {kms: true, lock: true, log: true, events: true, infrequentAfter: 30, archiveAfter: 90, noncurrentDays: 365},
	Artifacts:  {kms: true, ownWriters: true, lock: true, log: true, events: true, noncurrentDays: 90, noncurrentKept: 5},
}

// bucketName is the naming rule without dots: a dot breaks TLS to the bucket's
// host name. https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
var bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$`)

var reservedBucketNames = []struct{ prefix, suffix string }{
	{prefix: "xn--"},
	{prefix: "sthree-"},
	{prefix: "amzn-s3-demo-"},
	{suffix: "-s3alias"},
	{suffix: "--ol-s3"},
	{suffix: "--x-s3"},
	{suffix: "--table-s3"},
}

// render returns the bucket policy.
func (args *BucketArgs) render() (string, error) {
	if args == nil {
		return "", errors.New("args: nil (pass &data.BucketArgs{…})")
	}
	findings := append(checkScope(args.Scope), args.check()...)
	policy, err := args.policy()
	if err != nil {
		findings = append(findings, err)
	}
	return policy, errors.Join(findings...)
}

func (args *BucketArgs) check() []error {
	kind, known := bucketKinds[args.Kind]
	if !known {
		return []error{fmt.Errorf("kind: %q (data.Data, data.AccessLogs, data.Audit or data.Artifacts)", args.Kind)}
	}
	findings := args.checkName()
	if kind.kms && args.KmsKeyArn == nil {
		findings = append(findings, fmt.Errorf("kmsKeyArn: nil (a bucket of kind %s is encrypted with a key of ours)", args.Kind))
	}
	if !kind.kms && args.KmsKeyArn != nil {
		findings = append(findings, fmt.Errorf("kmsKeyArn: set (logs cannot be delivered into a bucket of kind %s with a KMS key; leave it out)", args.Kind))
	}
	if kind.log && !args.logged() {
		findings = append(findings, fmt.Errorf("logBucket: nil (accesses to a bucket of kind %s are logged; pass the access-logs bucket of the region)", args.Kind))
	}
	if !kind.log && args.logged() {
		findings = append(findings, fmt.Errorf("logBucket: set (a bucket of kind %s would log its own logs; leave it out)", args.Kind))
	}
	if args.LogBucket != nil && args.LogBucketName != "" {
		findings = append(findings, errors.New("logBucketName: set with logBucket (choose one)"))
	}
	if args.LogBucketName != "" && !bucketName.MatchString(args.LogBucketName) {
		findings = append(findings, fmt.Errorf("logBucketName: %q (3 to 63 lower-case letters, digits and hyphens, no dots)", args.LogBucketName))
	}
	if args.LogBucket != nil && args.LogBucket.Scope.Region != args.Scope.Region {
		findings = append(findings, fmt.Errorf("logBucket: in %s, the bucket is in %s (S3 logs within a region; make a log bucket there)",
			args.LogBucket.Scope.Region, args.Scope.Region))
	}
	if args.BackupTier != "" && !kind.events {
		findings = append(findings, fmt.Errorf("backupTier: set for kind %s (AWS Backup needs EventBridge's notifications and would switch them on behind the stack's back; back up data or audit buckets)", args.Kind))
	}
	findings = append(findings, checkTier(args.BackupTier, args.Tags)...)
	findings = append(findings, args.checkReaders()...)
	findings = append(findings, args.checkWriters()...)
	findings = append(findings, args.checkLock(kind)...)
	if args.DenyDeletion && args.ForceDestroy {
		findings = append(findings, errors.New("denyDeletion: set with forceDestroy (a destroy could not delete the objects; choose one)"))
	}
	if args.ExpireAfterDays < 0 {
		findings = append(findings, fmt.Errorf("expireAfterDays: %d (0 for never, or at least 1)", args.ExpireAfterDays))
	}
	if args.NoncurrentDays < 0 {
		findings = append(findings, fmt.Errorf("noncurrentDays: %d (0 for the kind's %d, or at least 1)", args.NoncurrentDays, kind.noncurrentDays))
	}
	if args.ObjectLock != nil && args.ExpireAfterDays > 0 && args.ExpireAfterDays < args.ObjectLock.Days {
		findings = append(findings, fmt.Errorf("expireAfterDays: %d, before the lock of %d days ends (expire later, or lock for less)",
			args.ExpireAfterDays, args.ObjectLock.Days))
	}
	return append(findings, args.Replica.check(args)...)
}

// logged says that accesses are logged, into a bucket of ours or another's.
func (args *BucketArgs) logged() bool { return args.LogBucket != nil || args.LogBucketName != "" }

func (args *BucketArgs) checkName() []error {
	if !bucketName.MatchString(args.BucketName) {
		return []error{fmt.Errorf("bucketName: %q (3 to 63 lower-case letters, digits and hyphens, no dots)", args.BucketName)}
	}
	for _, r := range reservedBucketNames {
		if r.prefix != "" && strings.HasPrefix(args.BucketName, r.prefix) || r.suffix != "" && strings.HasSuffix(args.BucketName, r.suffix) {
			return []error{fmt.Errorf("bucketName: %q (S3 keeps names with %s%s for itself)", args.BucketName, r.prefix, r.suffix)}
		}
	}
	return nil
}

func (args *BucketArgs) checkWriters() []error {
	var findings []error
	for i, w := range args.Writers {
		rows, known := bucketWriters[w]
		switch {
		case !known:
			findings = append(findings, fmt.Errorf("writers[%d]: %q is not in the table of bucket writers (use a data.…Logs constant)", i, w))
		case rows.s3KeyOnly && bucketKinds[args.Kind].kms:
			findings = append(findings, fmt.Errorf("writers[%d]: %s cannot write into a bucket with a KMS key (use a bucket of kind %s)", i, w, AccessLogs))
		case rows.unlocked && args.ObjectLock != nil:
			findings = append(findings, fmt.Errorf("writers[%d]: %s cannot write into a bucket with default retention (give it a bucket of its own, with denyDeletion)", i, w))
		}
	}
	if slices.Contains(args.Writers, ServerAccessLogs) && args.SourcePrefix == "" {
		findings = append(findings, errors.New("sourcePrefix: empty (how the names of the buckets start that log here)"))
	}
	return findings
}

func (args *BucketArgs) checkLock(kind bucketKind) []error {
	if args.ObjectLock == nil {
		return nil
	}
	var findings []error
	if !kind.lock {
		findings = append(findings, fmt.Errorf("objectLock: set (S3 cannot deliver logs into a bucket with default retention; leave it out for kind %s)", args.Kind))
	}
	if m := args.ObjectLock.Mode; m != "GOVERNANCE" && m != "COMPLIANCE" {
		findings = append(findings, fmt.Errorf("objectLock.mode: %q (GOVERNANCE or COMPLIANCE)", m))
	}
	if args.ObjectLock.Mode == "COMPLIANCE" && args.ObjectLock.Acknowledge != LockAcknowledgement {
		findings = append(findings, fmt.Errorf("objectLock.acknowledge: %q (%q: nobody deletes an object before its days are over; or use GOVERNANCE)", args.ObjectLock.Acknowledge, LockAcknowledgement))
	}
	if args.ObjectLock.Days < 1 || args.ObjectLock.Days > 36500 {
		findings = append(findings, fmt.Errorf("objectLock.days: %d (1 to 36500)", args.ObjectLock.Days))
	}
	if args.ForceDestroy {
		findings = append(findings, errors.New("forceDestroy: set with objectLock (locked versions cannot be deleted; choose one)"))
	}
	return findings
}
