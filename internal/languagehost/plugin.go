package languagehost

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
)

// RunPlugin runs a plugin that is written in Go, for example the policy pack
// of a folder with `runtime: go`, and streams what it prints until it ends.
func (h *host) RunPlugin(req *pulumirpc.RunPluginRequest, stream grpc.ServerStreamingServer[pulumirpc.RunPluginResponse]) error {
	exe, err := h.executable(filepath.Join(req.GetInfo().GetProgramDirectory(), req.GetInfo().GetEntryPoint()))
	if err != nil {
		return err
	}
	// A plugin belongs to the call: the engine ends it by cancelling the stream.
	cmd := exec.CommandContext(stream.Context(), exe, req.GetArgs()...)
	cmd.Dir = req.GetPwd()
	cmd.Env = append(os.Environ(), req.GetEnv()...)
	out := &streamWriter{stream: stream}
	cmd.Stdout = writerFunc(func(p []byte) (int, error) {
		return out.send(p, &pulumirpc.RunPluginResponse{Output: &pulumirpc.RunPluginResponse_Stdout{Stdout: p}})
	})
	cmd.Stderr = writerFunc(func(p []byte) (int, error) {
		return out.send(p, &pulumirpc.RunPluginResponse{Output: &pulumirpc.RunPluginResponse_Stderr{Stderr: p}})
	})
	err = cmd.Run()
	var exit *exec.ExitError
	switch {
	case stream.Context().Err() != nil:
		return stream.Context().Err()
	case errors.As(err, &exit):
		_, err = out.send(nil, &pulumirpc.RunPluginResponse{Output: &pulumirpc.RunPluginResponse_Exitcode{Exitcode: int32(exit.ExitCode())}})
		return err
	case err != nil:
		return fmt.Errorf("plugin %s: %w", exe, err)
	}
	return nil
}

// streamWriter serialises sends: a stream may be written by one at a time,
// and a process prints on two pipes at once.
type streamWriter struct {
	mu     sync.Mutex
	stream grpc.ServerStreamingServer[pulumirpc.RunPluginResponse]
}

func (w *streamWriter) send(p []byte, msg *pulumirpc.RunPluginResponse) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.stream.Send(msg); err != nil {
		return 0, err
	}
	return len(p), nil
}

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
