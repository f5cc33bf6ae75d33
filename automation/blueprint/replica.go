package blueprint

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/infra/data"
)

// ReplicaSettings are where a stack's objects are copied to.
type ReplicaSettings struct {
	ReplicaRegion string `json:"replicaRegion,omitempty" doc:"Another region that receives a copy of every object, encrypted with the key's replica; the key is then the stack's own. Choose it at the start: a key cannot be given a replica later." pattern:"^[a-z]{2}(-[a-z]+)+-[0-9]$"`
}

func (r *ReplicaSettings) check(f *findings, w Where) {
	f.refuse(r.ReplicaRegion != "" && r.ReplicaRegion == w.Region, "/replicaRegion", "is the stack's own region (name another)")
}

// kept is a bucket with a key of the stack's own, and with a copy elsewhere where one
// is wanted.
type kept struct {
	// purpose is the bucket's, key the key's, in their names.
	purpose, key string
	description  string
	deletionDays int
	users        []data.KeyUser
	// logDays is how long the copy's access log is kept.
	logDays int
}

// keyed gives a bucket its key. With a replica's region it makes the key's replica
// too, and the bucket over there that receives the copies.
func (r *ReplicaSettings) keyed(ctx *pulumi.Context, w *Where, p *place, k kept, args *data.BucketArgs) (*data.Key, error) {
	if r.ReplicaRegion == "" {
		key, err := p.newKey(ctx, k.key, k.description, k.deletionDays, args.Protect, k.users...)
		if err == nil {
			args.KmsKeyArn = key.Arn
		}
		return key, err
	}
	there := *p
	there.scope, there.suffix = p.scope.In(r.ReplicaRegion), "-replica"
	var err error
	if there.provider, err = w.newProvider(ctx, "replica", r.ReplicaRegion, p.tags); err != nil {
		return nil, err
	}
	key, err := data.NewKey(ctx, p.prefix+"-"+k.key, &data.KeyArgs{
		Scope: p.scope, Alias: p.prefix + "-" + k.key, Description: k.description, DeletionWindowInDays: k.deletionDays, Users: k.users,
		MultiRegion: true, Replica: &data.KeyReplica{Region: r.ReplicaRegion, Provider: there.provider}, Protect: args.Protect, Tags: p.tags,
	}, p.here())
	if err != nil {
		return nil, err
	}
	// Access logs stay in their region, so the replica has its own.
	logs, err := there.newLogBucket(ctx, k.logDays, args.ForceDestroy, args.Protect)
	if err != nil {
		return nil, err
	}
	copied := *args
	copied.Scope, copied.BucketName, copied.LogBucketName, copied.LogBucket, copied.KmsKeyArn = there.scope, there.bucketName(k.purpose), "", logs, key.ReplicaArn
	copied.Readers = nil // what reads the bucket does not read the copies
	replica, err := data.NewBucket(ctx, p.prefix+"-"+k.purpose+"-replica", &copied, there.here())
	if err != nil {
		return nil, err
	}
	args.KmsKeyArn = key.Arn
	args.Replica = &data.BucketReplica{
		To: replica, KmsKeyArn: key.ReplicaArn, KeyAlias: key.AliasName, RoleName: p.prefix + "-replication", TimeControl: true,
	}
	return key, nil
}
