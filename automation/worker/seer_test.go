package worker_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"redoubt/internal/providertest"
)

// seer is a provider in a process of its own, as that of AWS is: it finds its
// credentials by AWS's SDK, and writes down which ones those are.
type seer struct{ *providertest.Things }

// sight is one call of the engine's, and the credentials that the provider had.
type sight struct {
	Call               string
	Dry                bool
	Key, Secret, Token string
	Environment        []string
}

// see writes down what it sees into the file that the resource names.
func see(ctx context.Context, call string, dry bool, in resource.PropertyMap) (s sight, err error) {
	s = sight{Call: call, Dry: dry, Environment: os.Environ()}
	c, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return s, err
	}
	if got, err := c.Credentials.Retrieve(ctx); err == nil {
		s.Key, s.Secret, s.Token = got.AccessKeyID, got.SecretAccessKey, got.SessionToken
	}
	text, err := json.Marshal(s)
	if err != nil {
		return s, err
	}
	file, err := os.OpenFile(in["record"].StringValue(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return s, err
	}
	defer file.Close() //nolint:errcheck // the test sees what is missing
	_, err = fmt.Fprintf(file, "%s\n", text)
	return s, err
}

func (p seer) Create(ctx context.Context, req plugin.CreateRequest) (plugin.CreateResponse, error) {
	s, err := see(ctx, "create", req.Preview, req.Properties)
	if err == nil && !req.Preview && req.Properties["leak"].BoolValue() {
		err = fmt.Errorf("credentials %s %s %s are refused", s.Key, s.Secret, s.Token)
	}
	if err != nil {
		return plugin.CreateResponse{Status: resource.StatusUnknown}, err
	}
	return p.Things.Create(ctx, req)
}

func (p seer) Update(ctx context.Context, req plugin.UpdateRequest) (plugin.UpdateResponse, error) {
	if _, err := see(ctx, "update", req.Preview, req.NewInputs); err != nil {
		return plugin.UpdateResponse{}, err
	}
	return p.Things.Update(ctx, req)
}

func (p seer) Read(ctx context.Context, req plugin.ReadRequest) (plugin.ReadResponse, error) {
	if _, err := see(ctx, "read", true, req.State); err != nil {
		return plugin.ReadResponse{}, err
	}
	return p.Things.Read(ctx, req)
}

func (p seer) Delete(ctx context.Context, req plugin.DeleteRequest) (plugin.DeleteResponse, error) {
	if _, err := see(ctx, "delete", false, req.Outputs); err != nil {
		return plugin.DeleteResponse{}, err
	}
	return p.Things.Delete(ctx, req)
}

// seerName is the provider that the CLI finds on PATH and starts itself.
const seerName = "pulumi-resource-seer"

// serveSeer is the provider's process: it says its port, and ends with the engine,
// which is at the address that it is given.
func serveSeer() int {
	cancel := make(chan bool)
	handle, err := rpcutil.ServeWithOptions(rpcutil.ServeOptions{Cancel: cancel, Init: func(srv *grpc.Server) error {
		pulumirpc.RegisterResourceProviderServer(srv, plugin.NewProviderServer(seer{providertest.New()}))
		return nil
	}})
	if err == nil && len(os.Args) > 1 {
		err = rpcutil.Healthcheck(context.Background(), os.Args[len(os.Args)-1], time.Second, func() { close(cancel) })
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Println(handle.Port)
	if err := <-handle.Done; err != nil {
		return 1
	}
	return 0
}

// onPath lets the CLI find the provider.
func seerOnPath(t *testing.T) {
	t.Helper()
	plugins := t.TempDir()
	executable, err := os.Executable()
	require.NoError(t, err)
	require.NoError(t, os.Symlink(executable, filepath.Join(plugins, seerName)))
	t.Setenv("PATH", plugins+string(os.PathListSeparator)+os.Getenv("PATH"))
}

// sights are what was seen since the file was last read.
func sights(t *testing.T, path string) (all []sight) {
	t.Helper()
	file, err := os.Open(path)
	if os.IsNotExist(err) {
		return nil
	}
	require.NoError(t, err)
	defer file.Close() //nolint:errcheck // it is read
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var s sight
		require.NoError(t, json.Unmarshal(lines.Bytes(), &s))
		all = append(all, s)
	}
	require.NoError(t, lines.Err())
	require.NoError(t, os.Remove(path))
	return all
}
