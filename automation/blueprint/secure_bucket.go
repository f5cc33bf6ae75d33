package blueprint

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/automation/provision"
	"redoubt/infra/data"
)

// BucketInputs are the inputs of SecureBucket.
type BucketInputs struct {
	Where
	KeySettings
	ReplicaSettings
	KmsKeyArn       string     `json:"kmsKeyArn,omitempty" doc:"An existing KMS key of the account and region that encrypts the objects; empty for one of the stack's own." pattern:"^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$"`
	LogBucket       string     `json:"logBucket,omitempty" doc:"An existing bucket of the account and region that receives the access log; its policy must admit this bucket's. Empty for one of the stack's own." pattern:"^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$"`
	LogDays         int        `json:"logDays,omitempty" doc:"How long the access log is kept, in days, in a bucket of the stack's own." min:"1" max:"3653" default:"365"`
	ExpireAfterDays int        `json:"expireAfterDays,omitempty" doc:"Objects are deleted after so many days; 0 keeps them." min:"0" max:"36500" default:"0"`
	NoncurrentDays  int        `json:"noncurrentDays,omitempty" doc:"How long an overwritten or deleted version can be brought back, in days." min:"1" max:"3650" default:"90"`
	Retention       *Retention `json:"retention,omitempty" doc:"Keeps every version from being deleted for a while (Object Lock). It cannot be switched off again."`
	ForceDestroy    *bool      `json:"forceDestroy,omitempty" doc:"A destroy deletes the objects too. By default in dev, unless there is a retention."`
	Protect         *bool      `json:"protect,omitempty" doc:"Pulumi refuses to delete the bucket and its key. By default in prod."`
}

// Retention is Object Lock's default for new versions.
type Retention struct {
	Mode        string `json:"mode" doc:"governance: roles with s3:BypassGovernanceRetention may delete. compliance: nobody may, the account's root included." enum:"governance,compliance"`
	Days        int    `json:"days" doc:"Days of retention." min:"1" max:"36500"`
	Acknowledge string `json:"acknowledge,omitempty" doc:"Must say nobody-can-remove-this-lock for compliance." maxLength:"64"`
}

func (in *BucketInputs) complete() {
	if in.Retention == nil {
		in.ForceDestroy = in.inDev(in.ForceDestroy)
	}
	in.Protect = in.inProd(in.Protect)
}

func (in *BucketInputs) check(f *findings) {
	in.Where.check(f)
	in.inRegion(f, "/kmsKeyArn", in.KmsKeyArn)
	in.ReplicaSettings.check(f, in.Where)
	f.refuse(in.ReplicaRegion != "" && in.KmsKeyArn != "", "/kmsKeyArn", "is given together with replicaRegion, where the key needs a replica (leave one of the two out)")
	if r := in.Retention; r != nil {
		f.refuse(isTrue(in.ForceDestroy), "/forceDestroy", "locked versions cannot be deleted (leave out one of forceDestroy and retention)")
		f.refuse(r.Mode == "compliance" && r.Acknowledge != data.LockAcknowledgement, "/retention/acknowledge",
			"must say %s: nobody deletes an object before its days are over (or use mode governance)", data.LockAcknowledgement)
		f.refuse(in.ExpireAfterDays > 0 && in.ExpireAfterDays < r.Days, "/expireAfterDays",
			"%d is before the retention of %d days ends (expire later, or retain for less)", in.ExpireAfterDays, r.Days)
	}
	f.refuse(isTrue(in.Protect) && isTrue(in.ForceDestroy), "/forceDestroy", "what is protected is never destroyed (leave out one of protect and forceDestroy)")
}

func isTrue(b *bool) bool { return b != nil && *b }

const bucketExample = `{
  "region": "eu-central-1",
  "expireAfterDays": 400,
  "tags": {"owner": "payments-team", "data-class": "confidential"}
}`

var bucketOutputs = []Output{
	{"bucketName", "The bucket."},
	{"bucketArn", "Its ARN."},
	{"kmsKeyArn", "The key that encrypts its objects."},
	{"logBucketName", "The bucket that receives its access log."},
}

var bucketInputs = inputsOf[BucketInputs]("Inputs of secure-bucket", bucketExample)

// SecureBucket is a bucket with everything that the guide asks of one.
var SecureBucket = withOrder(Blueprint{
	Name: "secure-bucket", Version: "1.0.0",
	Summary: "A private, versioned S3 bucket with its own KMS key, access log, TLS only, life cycle and retention.",
	Inputs:  bucketInputs, Outputs: bucketOutputs,
	Limits: provision.BlueprintLimits{Resources: 80, Minutes: 20},
	Change: map[string]string{InputsKey + ".expireAfterDays": "500"},
	Drifts: []Drift{{
		Type: "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", Property: "blockPublicPolicy", Value: false,
		Deed: "somebody lets public policies onto the bucket, in the console",
	}},
	Release: map[string]string{InputsKey + ".protect": "false"},
}, order(bucketInputs, deployBucket))

func deployBucket(ctx *pulumi.Context, in *BucketInputs) error {
	p, err := in.open(ctx)
	if err != nil {
		return err
	}
	args := &data.BucketArgs{
		Scope: p.scope, Kind: data.Data, BucketName: p.bucketName("data"), LogBucketName: in.LogBucket,
		ExpireAfterDays: in.ExpireAfterDays, NoncurrentDays: in.NoncurrentDays,
		ForceDestroy: isTrue(in.ForceDestroy), Protect: isTrue(in.Protect), Tags: p.tags,
	}
	if r := in.Retention; r != nil {
		args.ObjectLock = &data.ObjectLock{Mode: lockModes[r.Mode], Days: r.Days, Acknowledge: r.Acknowledge}
	}
	if in.KmsKeyArn != "" {
		args.KmsKeyArn = pulumi.String(in.KmsKeyArn)
	} else {
		objects := kept{purpose: "data", key: "data", description: "Objects of " + p.prefix, deletionDays: in.KeyDeletionDays, logDays: in.LogDays}
		if _, err := in.keyed(ctx, &in.Where, p, objects, args); err != nil {
			return err
		}
	}
	if in.LogBucket == "" {
		if args.LogBucket, err = p.newLogBucket(ctx, in.LogDays, args.ForceDestroy, args.Protect); err != nil {
			return err
		}
	}
	bucket, err := data.NewBucket(ctx, p.prefix+"-data", args, p.here())
	if err != nil {
		return err
	}
	logs := in.LogBucket
	if args.LogBucket != nil {
		logs = args.LogBucket.PhysicalName
	}
	return publish(ctx, bucketOutputs, pulumi.Map{
		"bucketName":    bucket.Name,
		"bucketArn":     bucket.Arn,
		"kmsKeyArn":     args.KmsKeyArn,
		"logBucketName": pulumi.String(logs),
	})
}

var lockModes = map[string]string{"governance": "GOVERNANCE", "compliance": "COMPLIANCE"}

// newLogBucket receives the access logs of the stack's buckets.
func (p *place) newLogBucket(ctx *pulumi.Context, days int, forceDestroy, protect bool) (*data.Bucket, error) {
	bucket, err := data.NewBucket(ctx, p.prefix+"-logs"+p.suffix, &data.BucketArgs{
		Scope: p.scope, Kind: data.AccessLogs, BucketName: p.bucketName("logs"),
		Writers: []data.BucketWriter{data.ServerAccessLogs}, SourcePrefix: p.prefix + "-", ExpireAfterDays: days,
		ForceDestroy: forceDestroy, Protect: protect, Tags: p.tags,
	}, p.here())
	if err != nil {
		return nil, fmt.Errorf("log bucket: %w", err)
	}
	return bucket, nil
}
