package rule

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/stretchr/testify/require"
)

type (
	props = resource.PropertyMap
	deps  = map[resource.PropertyKey][]resource.URN
)

func urn(token, name string) resource.URN {
	return resource.NewURN("dev", "test", "", tokens.Type(token), name)
}

func node(token, name string, in, state props, d deps) *Resource {
	return Resource{
		URN: urn(token, name), Token: token, Type: Canonical(token), Name: name, Inputs: in, State: state,
	}.WithDependencies(d)
}

const (
	bucketToken  = "aws:s3/bucketV2:BucketV2"
	subnetToken  = "aws:ec2/subnet:Subnet"
	serviceToken = "aws:ecs/service:Service"
	policyToken  = "aws:s3/bucketPolicy:BucketPolicy"
)

func list(v ...resource.PropertyValue) resource.PropertyValue { return resource.NewArrayProperty(v) }

func str(s string) resource.PropertyValue { return resource.NewStringProperty(s) }

func TestRefsFollowDependenciesAndLiterals(t *testing.T) {
	t.Parallel()
	a := node(subnetToken, "a", nil, props{"id": str("subnet-a")}, nil)
	b := node(subnetToken, "b", nil, nil, nil)
	for name, c := range map[string]struct {
		subnets  resource.PropertyValue
		deps     []resource.URN
		targets  []string
		external int
		unknown  bool
	}{
		"unknown with a dependency":    {list(unknown), []resource.URN{b.URN}, []string{"b"}, 0, false},
		"an unknown list":              {unknown, []resource.URN{a.URN, b.URN}, []string{"a", "b"}, 0, false},
		"a literal id":                 {list(str("subnet-a")), nil, []string{"a"}, 0, false},
		"a literal of elsewhere":       {list(str("subnet-x")), nil, nil, 1, false},
		"one here, one elsewhere":      {list(str("subnet-a"), str("subnet-x")), nil, []string{"a"}, 1, false},
		"unknown without a dependency": {list(unknown), nil, nil, 0, true},
		"more unknowns than targets":   {list(unknown, unknown), []resource.URN{b.URN}, []string{"b"}, 0, true},
		"a known value made from b":    {list(str("arn:of:b")), []resource.URN{b.URN}, []string{"b"}, 0, false},
		"nothing":                      {list(), []resource.URN{b.URN}, nil, 0, false},
	} {
		svc := node(serviceToken, "svc", props{"networkConfiguration": resource.NewObjectProperty(props{"subnets": c.subnets})},
			nil, deps{"networkConfiguration": c.deps})
		refs := NewStack([]*Resource{b, svc, a}).Refs(svc, "networkConfiguration.subnets", "ec2/subnet")
		var got []string
		for _, r := range refs.Targets {
			got = append(got, r.Name)
		}
		require.Equal(t, c.targets, got, name)
		require.Len(t, refs.External, c.external, name)
		require.Equal(t, c.unknown, refs.Unknown, name)
		require.Equal(t, c.external == 0 && !c.unknown, refs.Complete(), name)
	}
}

func TestPointingFollowsAPropertyThroughAnotherResource(t *testing.T) {
	t.Parallel()
	bucket := node(bucketToken, "data", nil, nil, nil)
	versioning := node("aws:s3/bucketVersioningV2:BucketVersioningV2", "v", props{"bucket": unknown}, nil, deps{"bucket": {bucket.URN}})
	policy := node(policyToken, "p", props{"bucket": unknown}, nil, deps{"bucket": {versioning.URN}})
	stray := node(policyToken, "stray", props{"bucket": unknown}, nil, nil)

	s := NewStack([]*Resource{policy, versioning, bucket})
	require.Equal(t, []*Resource{policy}, s.Pointing(bucket, "bucket", "s3/bucketPolicy"))
	require.Equal(t, []*Resource{versioning}, s.Pointing(bucket, "bucket", "s3/bucketVersioning"))
	require.False(t, s.Loose("bucket", "s3/bucketPolicy", "s3/bucketV2"))
	require.True(t, NewStack([]*Resource{policy, bucket, stray}).Loose("bucket", "s3/bucketPolicy", "s3/bucketV2"))
}

func TestCanonicalKnowsEverySpelling(t *testing.T) {
	t.Parallel()
	for token, want := range map[string]string{
		"aws:kms/key:Key":           "kms/key",
		"kms/key":                   "kms/key",
		"aws:alb/listener:Listener": "lb/listener",
		"aws:lb/listener:Listener":  "lb/listener",
		"aws:elasticloadbalancingv2/listener:Listener": "lb/listener",
		"aws:s3/bucketV2:BucketV2":                     "s3/bucket",
		"aws:s3/bucket:Bucket":                         "s3/bucket",
		"aws:s3/bucketVersioning:BucketVersioning":     "s3/bucketVersioning",
		"s3/bucketVersioningV2":                        "s3/bucketVersioning",
		"pulumi:providers:aws":                         "pulumi:providers:aws",
		"redoubt:network:Vpc":                          "redoubt:network:Vpc",
	} {
		require.Equal(t, want, Canonical(token))
	}
}

func TestCIDR(t *testing.T) {
	t.Parallel()
	for cidr, want := range map[string]bool{
		"0.0.0.0/0": true, "128.0.0.0/1": true, "16.0.0.0/4": true, "10.0.0.0/8": false, "203.0.113.0/24": false,
		"::/0": true, "2000::/3": true, "2001:db8::/32": false, "nonsense": false, "": false,
	} {
		require.Equal(t, want, InternetWide(cidr), cidr)
	}
	require.True(t, PrivateCIDR("10.1.0.0/16"))
	require.False(t, PrivateCIDR("10.0.0.0/7"))
	require.False(t, PrivateCIDR("11.0.0.0/16"))
	require.True(t, SubsetOf("10.0.3.0/24", []string{"bad", "10.0.0.0/16"}))
	require.False(t, SubsetOf("10.1.0.0/24", []string{"10.0.0.0/16"}))
	require.False(t, SubsetOf("::/0", []string{"0.0.0.0/0"}))
}

func TestSpellingsAreCanonicalTypes(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{"aws:kms/key:Key"}, Spellings("kms/key"))
	require.Equal(t, []string{"aws:s3/bucket:Bucket", "aws:s3/bucketV2:BucketV2"}, Spellings("s3/bucketV2"))
	require.Equal(t, []string{"pulumi:providers:aws"}, Spellings("pulumi:providers:aws"))
	listeners := Spellings("aws:alb/listener:Listener")
	require.Contains(t, listeners, "aws:lb/listener:Listener")
	for _, token := range listeners {
		require.Equal(t, "lb/listener", Canonical(token))
	}
}
