package chaos

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"
)

// thingType is the type of everything that lives in the cloud.
const thingType = "chaos:index:Thing"

// cloudVersion is what the provider says that it is.
const cloudVersion = "1.0.0"

// cloud is where things live. It outlives everybody else, and remembers what was
// done to it: it knows whether something was done twice, and what nobody knows
// of any more.
type cloud struct {
	pulumirpc.UnimplementedResourceProviderServer

	trap *trap
	port int

	mu    sync.Mutex
	lives map[string]live // by id
	// made counts the creations by URN, and changes everything that changed
	// something.
	made    map[string]int
	changes int
}

type live struct {
	urn    string
	inputs map[string]any
}

// newCloud serves a cloud as the provider "chaos" until the test ends.
func newCloud(t testing.TB, trap *trap) *cloud {
	t.Helper()
	c := &cloud{trap: trap, lives: map[string]live{}, made: map[string]int{}}
	stop := make(chan bool)
	handle, err := rpcutil.ServeWithOptions(rpcutil.ServeOptions{Cancel: stop, Init: func(s *grpc.Server) error {
		pulumirpc.RegisterResourceProviderServer(s, c)
		return nil
	}})
	require.NoError(t, err)
	c.port = handle.Port
	t.Cleanup(func() { close(stop) })
	return c
}

// of are the things of a stack, by id, and how often each of its URNs was made.
func (c *cloud) of(stack string) (lives map[string]live, made map[string]int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	lives, made = map[string]live{}, map[string]int{}
	for id, l := range c.lives {
		if stackOf(l.urn) == stack {
			lives[id] = l
		}
	}
	for urn, n := range c.made {
		if stackOf(urn) == stack {
			made[urn] = n
		}
	}
	return lives, made
}

func stackOf(urn string) string { return strings.Split(urn, "::")[0][len("urn:pulumi:"):] }

func nameOf(urn string) string { return urn[strings.LastIndex(urn, "::")+2:] }

// total is how many changes there were.
func (c *cloud) total() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.changes
}

// adopt gives a stack the things that another one had.
func (c *cloud) adopt(stack, other string, lives map[string]live) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for id, l := range lives {
		l.urn = strings.Replace(l.urn, ":"+other+"::", ":"+stack+"::", 1)
		c.lives[strings.Replace(id, other+"/", stack+"/", 1)] = l
		c.made[l.urn]++
	}
}

// undo takes back the creation of a thing, as a person does who finds one that
// nobody wants.
func (c *cloud) undo(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.made[c.lives[id].urn]--
	delete(c.lives, id)
}

// errDead is the answer to who cannot hear it: who made the call was killed
// before its effect.
var errDead = status.Error(codes.Unavailable, "who called is dead")

// call is a moment before something happens, and one after it.
func call[T any](c *cloud, urn string, do func() (T, error)) (out T, err error) {
	if c.trap.pass(stackOf(urn)) {
		return out, errDead
	}
	if out, err = do(); err != nil {
		return out, err
	}
	c.trap.pass(stackOf(urn))
	return out, nil
}

func (c *cloud) Handshake(context.Context, *pulumirpc.ProviderHandshakeRequest) (*pulumirpc.ProviderHandshakeResponse, error) {
	return &pulumirpc.ProviderHandshakeResponse{AcceptSecrets: false, AcceptResources: true}, nil
}

func (c *cloud) Attach(context.Context, *pulumirpc.PluginAttach) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

func (c *cloud) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{Version: cloudVersion}, nil
}

func (c *cloud) CheckConfig(_ context.Context, q *pulumirpc.CheckRequest) (*pulumirpc.CheckResponse, error) {
	return &pulumirpc.CheckResponse{Inputs: q.GetNews()}, nil
}

func (c *cloud) DiffConfig(context.Context, *pulumirpc.DiffRequest) (*pulumirpc.DiffResponse, error) {
	return &pulumirpc.DiffResponse{Changes: pulumirpc.DiffResponse_DIFF_NONE}, nil
}

func (c *cloud) Configure(context.Context, *pulumirpc.ConfigureRequest) (*pulumirpc.ConfigureResponse, error) {
	return &pulumirpc.ConfigureResponse{SupportsPreview: true}, nil
}

func (c *cloud) Cancel(context.Context, *emptypb.Empty) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

func (c *cloud) Check(_ context.Context, q *pulumirpc.CheckRequest) (*pulumirpc.CheckResponse, error) {
	return call(c, q.GetUrn(), func() (*pulumirpc.CheckResponse, error) {
		return &pulumirpc.CheckResponse{Inputs: q.GetNews()}, nil
	})
}

// Diff replaces a thing that gets another form.
func (c *cloud) Diff(_ context.Context, q *pulumirpc.DiffRequest) (*pulumirpc.DiffResponse, error) {
	return call(c, q.GetUrn(), func() (*pulumirpc.DiffResponse, error) {
		olds, news := q.GetOldInputs().AsMap(), q.GetNews().AsMap()
		answer := &pulumirpc.DiffResponse{Changes: pulumirpc.DiffResponse_DIFF_NONE}
		if !reflect.DeepEqual(olds, news) {
			answer.Changes = pulumirpc.DiffResponse_DIFF_SOME
		}
		if olds["form"] != news["form"] {
			answer.Replaces = []string{"form"}
		}
		return answer, nil
	})
}

// Create names a thing by its stack, its name and how often it was made.
func (c *cloud) Create(_ context.Context, q *pulumirpc.CreateRequest) (*pulumirpc.CreateResponse, error) {
	return call(c, q.GetUrn(), func() (*pulumirpc.CreateResponse, error) {
		if q.GetPreview() {
			return &pulumirpc.CreateResponse{Properties: q.GetProperties()}, nil
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.changes++
		c.made[q.GetUrn()]++
		id := fmt.Sprintf("%s/%s/%d", stackOf(q.GetUrn()), nameOf(q.GetUrn()), c.made[q.GetUrn()])
		c.lives[id] = live{q.GetUrn(), q.GetProperties().AsMap()}
		return &pulumirpc.CreateResponse{Id: id, Properties: q.GetProperties()}, nil
	})
}

func (c *cloud) Read(_ context.Context, q *pulumirpc.ReadRequest) (*pulumirpc.ReadResponse, error) {
	return call(c, q.GetUrn(), func() (*pulumirpc.ReadResponse, error) {
		c.mu.Lock()
		defer c.mu.Unlock()
		l, ok := c.lives[q.GetId()]
		if !ok {
			return &pulumirpc.ReadResponse{}, nil
		}
		properties, err := structpb.NewStruct(l.inputs)
		return &pulumirpc.ReadResponse{Id: q.GetId(), Properties: properties, Inputs: properties}, err
	})
}

func (c *cloud) Update(_ context.Context, q *pulumirpc.UpdateRequest) (*pulumirpc.UpdateResponse, error) {
	return call(c, q.GetUrn(), func() (*pulumirpc.UpdateResponse, error) {
		if q.GetPreview() {
			return &pulumirpc.UpdateResponse{Properties: q.GetNews()}, nil
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.changes++
		l, ok := c.lives[q.GetId()]
		if !ok {
			return nil, status.Errorf(codes.NotFound, "there is no %s", q.GetId())
		}
		l.inputs = q.GetNews().AsMap()
		c.lives[q.GetId()] = l
		return &pulumirpc.UpdateResponse{Properties: q.GetNews()}, nil
	})
}

// Delete may be asked for again: whoever saw no answer does.
func (c *cloud) Delete(_ context.Context, q *pulumirpc.DeleteRequest) (*emptypb.Empty, error) {
	return call(c, q.GetUrn(), func() (*emptypb.Empty, error) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.changes++
		delete(c.lives, q.GetId())
		return &emptypb.Empty{}, nil
	})
}
