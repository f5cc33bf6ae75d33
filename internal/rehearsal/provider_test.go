package rehearsal

import (
	"context"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/urn"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/stretchr/testify/require"
)

type propertyKey = resource.PropertyKey

// open is an account in memory.
func open(t testing.TB, opts ...Option) *Account {
	t.Helper()
	a, err := Open("", opts...)
	require.NoError(t, err)
	return a
}

// configured is a provider for a region.
func configured(t testing.TB, a *Account, region string) plugin.Provider {
	t.Helper()
	p := a.Provider()
	_, err := p.Configure(context.Background(), plugin.ConfigureRequest{Inputs: resource.PropertyMap{"region": resource.NewProperty(region)}})
	require.NoError(t, err)
	return p
}

func urnOf(token, name string) resource.URN {
	return urn.New("dev", "test", "", tokens.Type(token), name)
}

func inputs(in props) resource.PropertyMap {
	if in == nil {
		return resource.PropertyMap{}
	}
	return value(in).ObjectValue()
}

// live is a created resource.
type live struct {
	token, name string
	id          resource.ID
	in, out     resource.PropertyMap
}

// checked runs Check, as the engine does before everything else.
func checked(t testing.TB, p plugin.Provider, token, name string, olds resource.PropertyMap, in props) (resource.PropertyMap, []plugin.CheckFailure) {
	t.Helper()
	res, err := p.Check(context.Background(), plugin.CheckRequest{
		URN: urnOf(token, name), Name: name, Type: tokens.Type(token), Olds: olds, News: inputs(in), RandomSeed: []byte(token + name),
	})
	require.NoError(t, err)
	return res.Properties, res.Failures
}

// attempt checks and creates, and gives the account's answer.
func attempt(t testing.TB, p plugin.Provider, token, name string, in props) (live, error) {
	t.Helper()
	made, failures := checked(t, p, token, name, nil, in)
	require.Empty(t, failures)
	res, err := p.Create(context.Background(), plugin.CreateRequest{URN: urnOf(token, name), Name: name, Type: tokens.Type(token), Properties: made})
	return live{token, name, res.ID, made, res.Properties}, err
}

// create creates what must not be refused.
func create(t testing.TB, p plugin.Provider, token, name string, in props) live {
	t.Helper()
	r, err := attempt(t, p, token, name, in)
	require.NoError(t, err)
	return r
}

// change updates a resource.
func change(t testing.TB, p plugin.Provider, r live, in props) (live, error) {
	t.Helper()
	made, failures := checked(t, p, r.token, r.name, r.in, in)
	require.Empty(t, failures)
	res, err := p.Update(context.Background(), plugin.UpdateRequest{
		URN: urnOf(r.token, r.name), Name: r.name, Type: tokens.Type(r.token), ID: r.id, OldInputs: r.in, OldOutputs: r.out, NewInputs: made,
	})
	return live{r.token, r.name, r.id, made, res.Properties}, err
}

func remove(p plugin.Provider, r live) error {
	_, err := p.Delete(context.Background(), plugin.DeleteRequest{
		URN: urnOf(r.token, r.name), Name: r.name, Type: tokens.Type(r.token), ID: r.id, Inputs: r.in, Outputs: r.out,
	})
	return err
}

func diffed(t testing.TB, p plugin.Provider, r live, in props, ignore ...string) plugin.DiffResponse {
	t.Helper()
	made, failures := checked(t, p, r.token, r.name, r.in, in)
	require.Empty(t, failures)
	d, err := p.Diff(context.Background(), plugin.DiffRequest{
		URN: urnOf(r.token, r.name), Name: r.name, Type: tokens.Type(r.token), ID: r.id, OldInputs: r.in, OldOutputs: r.out, NewInputs: made, IgnoreChanges: ignore,
	})
	require.NoError(t, err)
	return d
}

func read(t testing.TB, p plugin.Provider, r live) plugin.ReadResponse {
	t.Helper()
	res, err := p.Read(context.Background(), plugin.ReadRequest{
		URN: urnOf(r.token, r.name), Name: r.name, Type: tokens.Type(r.token), ID: r.id, Inputs: r.in, State: r.out,
	})
	require.NoError(t, err)
	return res
}

func invoke(t testing.TB, p plugin.Provider, token string, in props) resource.PropertyMap {
	t.Helper()
	res, err := p.Invoke(context.Background(), plugin.InvokeRequest{Tok: tokens.ModuleMember(token), Args: inputs(in)})
	require.NoError(t, err)
	return res.Properties
}

func (r live) text(property string) string {
	s, _ := text(r.out, property)
	return s
}

func TestPreviewKeepsWhatIsKnown(t *testing.T) {
	t.Parallel()
	a := open(t)
	p := configured(t, a, "eu-west-1")
	const token = "aws:ec2/subnet:Subnet"
	in, failures := checked(t, p, token, "app", nil, props{
		"vpcId": resource.MakeComputed(resource.NewProperty("")), "cidrBlock": "10.0.1.0/24", "tags": props{"owner": "us"},
	})
	require.Empty(t, failures)
	res, err := p.Create(context.Background(), plugin.CreateRequest{URN: urnOf(token, "app"), Name: "app", Type: token, Properties: in, Preview: true})
	require.NoError(t, err)
	require.Empty(t, res.ID)
	for _, unknown := range []propertyKey{"arn", "ownerId", "vpcId", "availabilityZone"} {
		require.True(t, res.Properties[unknown].IsComputed(), unknown)
	}
	require.Equal(t, "10.0.1.0/24", res.Properties["cidrBlock"].StringValue())
	require.Equal(t, "us", res.Properties["tagsAll"].ObjectValue()["owner"].StringValue())
	require.False(t, res.Properties["mapPublicIpOnLaunch"].BoolValue())
	require.Empty(t, a.Resources())
}

func TestProviderTagsAreMerged(t *testing.T) {
	t.Parallel()
	a := open(t)
	p := a.Provider()
	_, err := p.Configure(context.Background(), plugin.ConfigureRequest{Inputs: resource.PropertyMap{
		"region": resource.NewProperty("eu-west-1"), "defaultTags": resource.NewProperty(`{"tags":{"stack":"dev","owner":"all"}}`),
	}})
	require.NoError(t, err)
	r := create(t, p, "aws:ec2/vpc:Vpc", "main", props{"cidrBlock": "10.0.0.0/16", "tags": props{"owner": "us"}})
	require.Equal(t, map[string]string{"stack": "dev", "owner": "us"}, stringMap(r.out["tagsAll"]))
	require.Equal(t, map[string]string{"owner": "us"}, stringMap(r.out["tags"]))
}

func TestSecretsStaySecret(t *testing.T) {
	t.Parallel()
	p := configured(t, open(t), "eu-west-1")
	secret := create(t, p, "aws:secretsmanager/secret:Secret", "s", nil)
	r := create(t, p, "aws:secretsmanager/secretVersion:SecretVersion", "v", props{
		"secretId": string(secret.id), "secretString": resource.MakeSecret(resource.NewProperty("hunter2")),
	})
	require.True(t, r.out["secretString"].IsSecret())
	require.True(t, read(t, p, r).Outputs["secretString"].IsSecret())
}

func TestNames(t *testing.T) {
	t.Parallel()
	p := configured(t, open(t), "eu-west-1")
	in, _ := checked(t, p, "aws:s3/bucketV2:BucketV2", "MyData", nil, nil)
	require.Regexp(t, `^mydata-[0-9a-f]{7}$`, in["bucket"].StringValue())
	again, _ := checked(t, p, "aws:s3/bucketV2:BucketV2", "MyData", in, nil)
	require.Equal(t, in["bucket"], again["bucket"], "a name that was made once stays")

	_, failures := checked(t, p, "aws:lb/loadBalancer:LoadBalancer", "a-name-that-is-much-too-long", nil, nil)
	require.Len(t, failures, 1)
	require.Contains(t, failures[0].Reason, "longer than maximum length 32")
	given, _ := checked(t, p, "aws:iam/role:Role", "r", nil, props{"name": "mine", "assumeRolePolicy": "{}"})
	require.Equal(t, "mine", given["name"].StringValue())
	prefixed := create(t, p, "aws:iam/role:Role", "r", props{"namePrefix": "mine-", "assumeRolePolicy": trust("ecs-tasks.amazonaws.com")})
	require.Regexp(t, `^mine-\d{26}$`, string(prefixed.id))
}

func trust(service string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"` + service + `"},"Action":"sts:AssumeRole"}]}`
}

func TestDiff(t *testing.T) {
	t.Parallel()
	p := configured(t, open(t), "eu-west-1")
	vpc := create(t, p, "aws:ec2/vpc:Vpc", "main", props{"cidrBlock": "10.0.0.0/16", "tags": props{"a": "1"}})
	require.Equal(t, plugin.DiffNone, diffed(t, p, vpc, props{"cidrBlock": "10.0.0.0/16", "tags": props{"a": "1"}}).Changes)

	d := diffed(t, p, vpc, props{"cidrBlock": "10.0.0.0/16", "tags": props{"a": "2"}})
	require.Equal(t, plugin.DiffSome, d.Changes)
	require.Empty(t, d.ReplaceKeys)
	require.Equal(t, plugin.PropertyDiff{Kind: plugin.DiffUpdate, InputDiff: true}, d.DetailedDiff["tags.a"])

	require.Equal(t, []propertyKey{"cidrBlock"}, diffed(t, p, vpc, props{"cidrBlock": "10.1.0.0/16", "tags": props{"a": "1"}}).ReplaceKeys)
	require.Equal(t, plugin.DiffNone, diffed(t, p, vpc, props{"cidrBlock": "10.1.0.0/16", "tags": props{"a": "1"}}, "cidrBlock").Changes)

	role := create(t, p, "aws:iam/role:Role", "r", props{"name": "mine", "assumeRolePolicy": trust("ecs-tasks.amazonaws.com")})
	d = diffed(t, p, role, props{"name": "mine", "path": "/x/", "assumeRolePolicy": trust("ecs-tasks.amazonaws.com")})
	require.True(t, d.Replace() && d.DeleteBeforeReplace, "the name is taken until the old role is gone")
}

func TestUpdateKeepsWhatAWSDecided(t *testing.T) {
	t.Parallel()
	p := configured(t, open(t), "eu-west-1")
	vpc := create(t, p, "aws:ec2/vpc:Vpc", "main", props{"cidrBlock": "10.0.0.0/16", "enableDnsHostnames": true})
	now, err := change(t, p, vpc, props{"cidrBlock": "10.0.0.0/16", "tags": props{"a": "2"}})
	require.NoError(t, err)
	require.Equal(t, vpc.text("mainRouteTableId"), now.text("mainRouteTableId"))
	require.Equal(t, "false", now.text("enableDnsHostnames"), "what is no longer asked for falls back")
	require.Equal(t, "2", now.text("tags.a"))
}

func TestDriftIsReadAndUpdateRestores(t *testing.T) {
	t.Parallel()
	a := open(t)
	p := configured(t, a, "eu-west-1")
	in := props{"cidrBlock": "10.0.0.0/16", "tags": props{"owner": "us"}}
	vpc := create(t, p, "aws:ec2/vpc:Vpc", "main", in)
	require.NoError(t, a.Drift(string(vpc.id), "tags.owner", resource.NewProperty("them")))
	require.NoError(t, a.Drift("main", "enableDnsHostnames", resource.NewProperty(true)))
	seen := read(t, p, vpc)
	require.Equal(t, "them", seen.Outputs["tags"].ObjectValue()["owner"].StringValue())
	vpc.in, vpc.out = seen.Inputs, seen.Outputs
	require.Equal(t, []propertyKey{"enableDnsHostnames", "tags", "tagsAll"}, diffed(t, p, vpc, in).ChangedKeys)
	now, err := change(t, p, vpc, in)
	require.NoError(t, err)
	require.Equal(t, "us", now.text("tags.owner"))

	for _, wrong := range []struct{ selector, path, because string }{
		{"nobody", "tags", "no live resource"},
		{"main", "colour", `has no property "colour"`},
		{"main", "ipv6CidrBlock.a.b", "nothing at"},
		{"main", "a[", "path"},
	} {
		require.ErrorContains(t, a.Drift(wrong.selector, wrong.path, resource.NewProperty("x")), wrong.because)
	}
}

func TestVanishedResourceIsReadAsGone(t *testing.T) {
	t.Parallel()
	a := open(t)
	p := configured(t, a, "eu-west-1")
	vpc := create(t, p, "aws:ec2/vpc:Vpc", "main", props{"cidrBlock": "10.0.0.0/16"})
	require.NoError(t, a.Vanish("main"))
	require.Nil(t, read(t, p, vpc).Outputs)
	_, err := change(t, p, vpc, props{"cidrBlock": "10.0.0.0/16", "tags": props{"a": "b"}})
	require.Equal(t, []string{"ResourceNotFoundException"}, Codes(err))
	require.NoError(t, remove(p, vpc), "what is gone can be deleted")
}

func TestIgnoredPropertyIsLeftToOthers(t *testing.T) {
	t.Parallel()
	a := open(t)
	p := configured(t, a, "eu-west-1")
	set := create(t, p, "aws:wafv2/ipSet:IpSet", "blocked", props{"scope": "REGIONAL", "ipAddressVersion": "IPV4", "addresses": []any{}})
	require.NoError(t, a.Drift("blocked", "addresses", value([]any{"192.0.2.1/32"})))
	made, _ := checked(t, p, set.token, set.name, set.in, props{"scope": "REGIONAL", "ipAddressVersion": "IPV4", "addresses": []any{}, "description": "blocked addresses"})
	res, err := p.Update(context.Background(), plugin.UpdateRequest{
		URN: urnOf(set.token, set.name), Name: set.name, Type: tokens.Type(set.token), ID: set.id, OldInputs: set.in, OldOutputs: set.out, NewInputs: made, IgnoreChanges: []string{"addresses"},
	})
	require.NoError(t, err)
	require.Equal(t, []string{"192.0.2.1/32"}, stringsAt(res.Properties, "addresses[*]"))
}

func TestTypeWithoutRow(t *testing.T) {
	t.Parallel()
	a := open(t)
	p := configured(t, a, "eu-west-1")
	r := create(t, p, "aws:athena/workgroup:Workgroup", "approve", nil)
	require.Regexp(t, `^approve-[0-9a-f]{7}$`, string(r.id))
	require.Equal(t, "arn:aws:athena:eu-west-1:123456789012:workgroup/"+string(r.id), a.Resources()[0].ARN)
	require.Equal(t, map[string]int{"aws:athena/workgroup:Workgroup": 1}, a.Stats().NotModelled)
	require.Equal(t, 1, a.Stats().Calls["create"])
	_, err := p.Check(context.Background(), plugin.CheckRequest{URN: urnOf("aws:sfn/none:None", "x"), Name: "x", Type: "aws:sfn/none:None"})
	require.ErrorContains(t, err, "unknown resource type")
}

func TestConfigurationIsChecked(t *testing.T) {
	t.Parallel()
	p := open(t).Provider()
	for property, wrong := range map[propertyKey]string{"region": "here", "allowedAccountIds": `["999999999999"]`, "forbiddenAccountIds": `["123456789012"]`, "defaultTags": "{"} {
		_, err := p.Configure(context.Background(), plugin.ConfigureRequest{Inputs: resource.PropertyMap{property: resource.NewProperty(wrong)}})
		require.ErrorContains(t, err, "aws:"+string(property))
		res, err := p.CheckConfig(context.Background(), plugin.CheckConfigRequest{News: resource.PropertyMap{property: resource.NewProperty(wrong)}})
		require.NoError(t, err)
		require.Len(t, res.Failures, 1)
	}
	_, err := p.Read(context.Background(), plugin.ReadRequest{Type: "aws:ec2/vpc:Vpc"})
	require.ErrorContains(t, err, "before the provider was configured")
}

func TestSecretsStayOutOfMessages(t *testing.T) {
	t.Parallel()
	p := configured(t, open(t), "eu-west-1")
	secret := resource.MakeSecret(resource.NewProperty("hunter2"))
	_, err := attempt(t, p, subnetToken, "app", props{"vpcId": secret, "cidrBlock": "10.0.0.0/24"})
	require.Equal(t, []string{"InvalidVpcID.NotFound"}, Codes(err))
	require.NotContains(t, err.Error(), "hunter2")
	_, failures := checked(t, p, vpcToken, "main", nil, props{"cidrBlock": secret})
	require.Len(t, failures, 1)
	require.NotContains(t, failures[0].Reason, "hunter2")
}

func TestReadForImport(t *testing.T) {
	t.Parallel()
	p := configured(t, open(t), "eu-west-1")
	group := create(t, p, logToken, "app", props{"name": "/app", "retentionInDays": 7})
	for _, id := range []string{"/app", group.text("arn")} {
		res, err := p.Read(context.Background(), plugin.ReadRequest{URN: urnOf(logToken, "imported"), Type: logToken, ID: resource.ID(id)})
		require.NoError(t, err)
		require.Equal(t, resource.ID("/app"), res.ID)
		require.Equal(t, 7.0, res.Inputs["retentionInDays"].NumberValue())
	}
}

func TestResourceCanBeNamedByTypeAndID(t *testing.T) {
	t.Parallel()
	a := open(t)
	p := configured(t, a, "eu-west-1")
	bucket := create(t, p, bucketToken, "data", props{"bucket": "data-bucket"})
	create(t, p, versioningToken, "data-versioning", props{"bucket": "data-bucket", "versioningConfiguration": props{"status": "Enabled"}})
	require.ErrorContains(t, a.Drift("data-bucket", "tags", value(props{"a": "b"})), "means 2 live resources")
	require.NoError(t, a.Drift(bucketToken+" data-bucket", "tags", value(props{"a": "b"})))
	require.Equal(t, map[string]string{"a": "b"}, stringMap(read(t, p, bucket).Outputs["tags"]))
}
