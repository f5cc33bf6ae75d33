package rehearsal

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/stretchr/testify/require"
)

// The engine calls in parallel.
func TestCallsInParallel(t *testing.T) {
	t.Parallel()
	a, err := Open(filepath.Join(t.TempDir(), "account.jsonl"))
	require.NoError(t, err)
	p := configured(t, a, "eu-west-1")
	vpc := create(t, p, vpcToken, "main", props{"cidrBlock": "10.0.0.0/16"})
	const n = 64
	var all sync.WaitGroup
	errs := make([]error, n)
	for i := range n {
		all.Go(func() {
			r, err := attempt(t, p, subnetToken, fmt.Sprintf("s%d", i), props{"vpcId": string(vpc.id), "cidrBlock": fmt.Sprintf("10.0.%d.0/24", i)})
			_, read := p.Read(context.Background(), plugin.ReadRequest{URN: urnOf(subnetToken, r.name), Type: subnetToken, ID: r.id})
			a.Stats()
			errs[i] = errors.Join(err, read, a.Drift(string(r.id), "mapPublicIpOnLaunch", value(true)))
			if i%2 == 0 {
				errs[i] = errors.Join(errs[i], remove(p, r))
			}
		})
	}
	all.Wait()
	require.NoError(t, errors.Join(errs...))
	require.Len(t, a.Resources(), 1+n/2)
	require.NoError(t, a.Close())
	_, err = p.Read(context.Background(), plugin.ReadRequest{Type: vpcToken, ID: vpc.id})
	require.ErrorContains(t, err, "closed")
}

// The same life of a stack gives the same ids.
func TestIdsAreReproducible(t *testing.T) {
	t.Parallel()
	var ids []string
	for range 2 {
		a := open(t)
		p := configured(t, a, "eu-west-1")
		vpc := create(t, p, vpcToken, "main", props{"cidrBlock": "10.0.0.0/16"})
		create(t, p, subnetToken, "app", props{"vpcId": string(vpc.id), "cidrBlock": "10.0.1.0/24"})
		ids = append(ids, fmt.Sprint(a.Resources()))
	}
	require.Equal(t, ids[0], ids[1])
}

func TestRegionsAreApart(t *testing.T) {
	t.Parallel()
	a := open(t)
	west, east := configured(t, a, "eu-west-1"), configured(t, a, "us-east-1")
	vpc := create(t, west, vpcToken, "main", props{"cidrBlock": "10.0.0.0/16"})
	_, err := attempt(t, east, subnetToken, "app", props{"vpcId": string(vpc.id), "cidrBlock": "10.0.1.0/24"})
	require.Equal(t, []string{"InvalidVpcID.NotFound"}, Codes(err))
	primary := create(t, west, keyToken, "k", props{"multiRegion": true})
	replica := create(t, east, "aws:kms/replicaKey:ReplicaKey", "k", props{"primaryKeyArn": primary.text("arn")})
	require.Equal(t, primary.text("keyId"), replica.text("keyId"))
	require.Contains(t, replica.text("arn"), ":us-east-1:")
	require.Equal(t, []string{"KMSInvalidStateException"}, Codes(remove(west, primary)))
	role := create(t, west, roleToken, "r", props{"name": "one", "assumeRolePolicy": trust("ec2.amazonaws.com")})
	_, err = attempt(t, east, roleToken, "again", props{"name": "one", "assumeRolePolicy": trust("ec2.amazonaws.com")})
	require.Equal(t, []string{"EntityAlreadyExists"}, Codes(err), "IAM is global")
	require.NoError(t, remove(east, role))
}

func TestFaults(t *testing.T) {
	t.Parallel()
	a := open(t)
	p := configured(t, a, "eu-west-1")
	lift, err := a.Inject(Fault{Call: "create", Type: "aws:logs*", Code: "never"})
	require.NoError(t, err)
	_, err = a.Inject(Fault{Type: "aws:cloudwatch/*", After: 1, Times: 2, Delay: time.Millisecond, Code: "ThrottlingException", Message: "Rate exceeded"})
	require.NoError(t, err)
	for i, want := range []string{"", "ThrottlingException", "ThrottlingException", ""} {
		_, err := attempt(t, p, logToken, fmt.Sprintf("g%d", i), nil)
		if want == "" {
			require.NoError(t, err)
			continue
		}
		require.Equal(t, []string{want}, Codes(err))
		require.ErrorContains(t, err, "operation error CloudWatch Logs: CreateLogGroup")
	}
	lift()
	_, err = a.Inject(Fault{Type: "["})
	require.ErrorContains(t, err, "type pattern")
}

func TestPortInUse(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, listener.Close()) }()
	_, err = Serve(context.Background(), open(t), listener.Addr().String())
	require.ErrorContains(t, err, "choose another port")
}

func TestServerEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	s, err := Serve(ctx, open(t), "127.0.0.1:0")
	require.NoError(t, err)
	require.Equal(t, fmt.Sprintf("PULUMI_DEBUG_PROVIDERS=aws:%d", s.Port()), s.Env())
	cancel()
	<-s.done
	require.NoError(t, s.Close())
}

func TestLookUps(t *testing.T) {
	t.Parallel()
	p := configured(t, open(t), "eu-west-1")
	vpc := create(t, p, vpcToken, "main", props{"cidrBlock": "10.0.0.0/16", "tags": props{"Name": "main"}})
	for _, by := range []props{{"id": string(vpc.id)}, {"tags": props{"Name": "main"}}, {"filters": []any{props{"name": "tag:Name", "values": []any{"ma*"}}}}} {
		require.Equal(t, string(vpc.id), invoke(t, p, "aws:ec2/getVpc:getVpc", by)["id"].StringValue())
	}
	_, err := p.Invoke(context.Background(), plugin.InvokeRequest{Tok: "aws:ec2/getVpc:getVpc", Args: inputs(props{"id": "vpc-1"})})
	require.ErrorContains(t, err, "no live Vpc fits id=vpc-1")
	_, err = p.Invoke(context.Background(), plugin.InvokeRequest{Tok: "aws:index/getIpRanges:getIpRanges"})
	require.ErrorContains(t, err, "not modelled")
	_, err = p.Invoke(context.Background(), plugin.InvokeRequest{Tok: "aws:organizations/getOrganization:getOrganization"})
	require.Equal(t, []string{"AWSOrganizationsNotInUseException"}, Codes(err))

	document := invoke(t, p, "aws:iam/getPolicyDocument:getPolicyDocument", props{"statements": []any{props{
		"sid": "Read", "actions": []any{"s3:GetObject", "s3:ListBucket"}, "resources": []any{"*"},
		"principals": []any{props{"type": "Service", "identifiers": []any{"a.amazonaws.com"}}},
		"conditions": []any{props{"test": "StringEquals", "variable": "aws:SourceAccount", "values": []any{"123456789012"}}},
	}}})["minifiedJson"].StringValue()
	require.JSONEq(t, `{"Version":"2012-10-17","Statement":[{"Sid":"Read","Effect":"Allow","Action":["s3:GetObject","s3:ListBucket"],"Resource":"*",
		"Principal":{"Service":"a.amazonaws.com"},"Condition":{"StringEquals":{"aws:SourceAccount":"123456789012"}}}]}`, document)
	_, err = parsePolicy(document)
	require.NoError(t, err)
}

func TestZones(t *testing.T) {
	t.Parallel()
	p := configured(t, open(t), "ap-southeast-2")
	answer := invoke(t, p, "aws:index/getAvailabilityZones:getAvailabilityZones", nil)
	require.Equal(t, []string{"ap-southeast-2a", "ap-southeast-2b", "ap-southeast-2c"}, stringsAt(answer, "names[*]"))
	require.Equal(t, []string{"apse2-az1", "apse2-az2", "apse2-az3"}, stringsAt(answer, "zoneIds[*]"))
	require.Equal(t, "euw1-az2", zoneID("eu-west-1", 'b'))
}

// A network contains another exactly if it contains its first and last address.
func FuzzContains(f *testing.F) {
	f.Add("10.0.0.0/16", "10.0.1.0/24")
	f.Add("10.0.0.0/24", "10.0.0.0/16")
	f.Fuzz(func(t *testing.T, outer, inner string) {
		o, ok1 := network(outer)
		i, ok2 := network(inner)
		if !ok1 || !ok2 || !o.Addr().Is4() || !i.Addr().Is4() {
			return
		}
		o, i = o.Masked(), i.Masked()
		require.Equal(t, o.Contains(i.Addr()) && o.Contains(lastAddress(i)), contains(o, i), "%s in %s", i, o)
	})
}

func lastAddress(p netip.Prefix) netip.Addr {
	b := p.Addr().As4()
	for bit := p.Bits(); bit < 32; bit++ {
		b[bit/8] |= 0x80 >> (bit % 8)
	}
	return netip.AddrFrom4(b)
}

func TestWildcards(t *testing.T) {
	t.Parallel()
	for _, one := range []struct {
		pattern, s string
		fits       bool
	}{
		{"kms:*", "kms:PutKeyPolicy", true},
		{"kms:Put*", "KMS:putkeypolicy", true},
		{"s3:Get?bject", "s3:GetObject", true},
		{"*", "", true},
		{"a*b*c", "aXbYc", true},
		{"a*b*c", "aXbY", false},
		{"", "a", false},
		{"s3:Get", "s3:GetObject", false},
	} {
		require.Equal(t, one.fits, like(one.pattern, one.s), "%s %s", one.pattern, one.s)
	}
}

// A thousand resources, from Check to Create, with the account in a file.
func BenchmarkCreateThousandResources(b *testing.B) {
	for b.Loop() {
		a, err := Open(filepath.Join(b.TempDir(), "account.jsonl"))
		require.NoError(b, err)
		p := configured(b, a, "eu-west-1")
		vpc := create(b, p, vpcToken, "main", props{"cidrBlock": "10.0.0.0/16"})
		for i := range 1000 {
			switch i % 3 {
			case 0:
				create(b, p, logToken, fmt.Sprintf("log%d", i), props{"retentionInDays": 30})
			case 1:
				create(b, p, roleToken, fmt.Sprintf("role%d", i), props{"assumeRolePolicy": trust("ec2.amazonaws.com")})
			case 2:
				create(b, p, groupToken, fmt.Sprintf("group%d", i), props{"vpcId": string(vpc.id), "description": "a group", "tags": props{"n": fmt.Sprint(i)}})
			}
		}
		require.NoError(b, a.Close())
	}
}
