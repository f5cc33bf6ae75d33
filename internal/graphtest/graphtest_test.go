package graphtest_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"redoubt/internal/graphtest"
)

const (
	bucketType = "aws:s3/bucketV2:BucketV2"
	policyType = "aws:s3/bucketPolicy:BucketPolicy"
	boxType    = "redoubt:data:Box"
)

type box struct{ pulumi.ResourceState }

type bucket struct {
	pulumi.CustomResourceState
	Arn pulumi.StringOutput `pulumi:"arn"`
}

type policy struct{ pulumi.CustomResourceState }

// program makes a component with a bucket and its policy, and a second bucket
// that depends on the first.
func program(ctx *pulumi.Context) error {
	c := &box{}
	if err := ctx.RegisterComponentResource(boxType, "box", c); err != nil {
		return err
	}
	b := &bucket{}
	if err := ctx.RegisterResource(bucketType, "box-data", pulumi.Map{
		"bucket": pulumi.String("data"),
		"tags":   pulumi.StringMap{"Name": pulumi.String("data")},
	}, b, pulumi.Parent(c), pulumi.Protect(true)); err != nil {
		return err
	}
	if err := ctx.RegisterResource(policyType, "box-data", pulumi.Map{
		"bucket": b.ID(),
		"policy": b.Arn.ApplyT(func(arn string) string { return `{"Resource":"` + arn + `"}` }),
		"token":  pulumi.ToSecret(pulumi.String("hunter2")),
	}, &policy{}, pulumi.Parent(c)); err != nil {
		return err
	}
	return ctx.RegisterResource(bucketType, "audit", pulumi.Map{}, &bucket{}, pulumi.DependsOn([]pulumi.Resource{b}))
}

func TestGraphRecordsResourcesInTreeOrder(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, program)
	require.Equal(t, bucketType+" audit\n"+
		boxType+" box\n"+
		"  "+policyType+" box-data\n"+
		"  "+bucketType+" box-data\n", g.Tree())
	require.Len(t, g.ByName("box-data"), 2)
	require.Len(t, g.Children(g.Only(boxType)), 2)
}

func TestGraphAnswersQuestions(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, program)
	data, pol := g.One(bucketType, "box-data"), g.Only(policyType)
	require.Equal(t, "data", data.ID)
	require.Equal(t, "data", data.Input("tags.Name"))
	require.True(t, data.Protect)
	require.False(t, data.Has("versioning"))
	require.Same(t, data, g.Refers(pol.Input("bucket")))
	require.Same(t, data, g.Refers("arn:aws:s3:::data"))
	require.Nil(t, g.Refers("no-such-id"))
	require.Equal(t, `{"Resource":"arn:aws:s3:::data"}`, pol.Input("policy"))
	require.Equal(t, []string{data.URN}, pol.PropertyDependencies["policy"])
	require.True(t, g.Depends(pol, data))
	require.True(t, g.Depends(g.One(bucketType, "audit"), data))
	require.False(t, g.Depends(data, pol))
	require.True(t, pol.Secret("token"))
	require.False(t, pol.Secret("policy"))
}

func TestPreviewLeavesComputedValuesUnknown(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, program, graphtest.Preview())
	pol := g.Only(policyType)
	require.Equal(t, graphtest.Unknown, pol.Input("bucket"))
	require.Equal(t, graphtest.Unknown, pol.Input("policy"))
	require.Equal(t, "data", g.One(bucketType, "box-data").Input("bucket"))
}

func TestGraphIsStable(t *testing.T) {
	t.Parallel()
	first := graphtest.Run(t, program).JSON()
	for range 20 {
		require.Equal(t, string(first), string(graphtest.Run(t, program).JSON()))
	}
	require.NotContains(t, string(first), "hunter2")
	require.Contains(t, string(first), `"token": "[secret]"`)
	require.Contains(t, string(first), `"Resource": "arn:aws:s3:::data"`, "policy documents are unfolded")
}

func TestBuildReportsErrorsAndDuplicates(t *testing.T) {
	t.Parallel()
	boom := errors.New("boom")
	_, err := graphtest.Build(func(*pulumi.Context) error { return boom })
	require.ErrorContains(t, err, "boom")

	_, err = graphtest.Build(func(ctx *pulumi.Context) error {
		for range 2 {
			if err := ctx.RegisterResource(bucketType, "same", pulumi.Map{}, &bucket{}); err != nil {
				return err
			}
		}
		return nil
	})
	require.ErrorContains(t, err, "duplicate URN")
}

func TestInvokesAreAnsweredOrRefused(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, func(ctx *pulumi.Context) error {
		var zones struct {
			Names []string `pulumi:"names"`
		}
		if err := ctx.Invoke("aws:index/getAvailabilityZones:getAvailabilityZones", nil, &zones); err != nil {
			return err
		}
		require.Equal(t, []string{"eu-central-1a", "eu-central-1b", "eu-central-1c"}, zones.Names)
		return nil
	})
	require.Len(t, g.Calls, 1)

	_, err := graphtest.Build(func(ctx *pulumi.Context) error {
		var none struct{}
		return ctx.Invoke("aws:ec2/getAmi:getAmi", nil, &none)
	})
	require.ErrorContains(t, err, "aws:ec2/getAmi:getAmi has no answer")
}

func TestAnswerOfATest(t *testing.T) {
	t.Parallel()
	graphtest.Run(t, func(ctx *pulumi.Context) error {
		var found struct {
			ID string `pulumi:"id"`
		}
		require.NoError(t, ctx.Invoke("aws:guardduty/getDetector:getDetector", nil, &found))
		require.Equal(t, "d-1", found.ID)
		return nil
	}, graphtest.Answer("aws:guardduty/getDetector:getDetector", map[string]any{"id": "d-1"}))
}

func TestOutputsOverride(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, program, graphtest.Outputs(bucketType, resource.PropertyMap{
		"arn": resource.NewProperty("arn:aws:s3:::other"),
	}))
	require.Equal(t, `{"Resource":"arn:aws:s3:::other"}`, g.Only(policyType).Input("policy"))
}

func TestGoldenComparesWithTheFile(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, program)
	path := filepath.Join(t.TempDir(), "graph.json")
	require.NoError(t, os.WriteFile(path, g.JSON(), 0o600))
	g.Golden(path)
}

// failing is a testing.TB that keeps the failure and ends the goroutine, as Fatalf does.
type failing struct {
	testing.TB
	message string
}

func (f *failing) Helper() {}

func (f *failing) Fatalf(format string, args ...any) {
	f.message = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

// failure runs f against a graph and returns why it failed the test.
func failure(t *testing.T, f func(*graphtest.Graph)) string {
	t.Helper()
	tb, done := &failing{TB: t}, make(chan struct{})
	go func() {
		defer close(done)
		f(graphtest.Run(tb, program))
	}()
	<-done
	return tb.message
}

func TestWrongExpectationsFail(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "graph.json")
	require.NoError(t, os.WriteFile(path, []byte("[\n  {}\n]\n"), 0o600))
	for want, f := range map[string]func(*graphtest.Graph){
		"line 2\n want:":   func(g *graphtest.Graph) { g.Golden(path) },
		"UPDATE_GOLDEN=1":  func(g *graphtest.Graph) { g.Golden(path + ".missing") },
		"there are: audit": func(g *graphtest.Graph) { g.One(bucketType, "no such name") },
		"2 resources of type " + bucketType + ", want 1": func(g *graphtest.Graph) { g.Only(bucketType) },
	} {
		require.Contains(t, failure(t, f), want)
	}
}
