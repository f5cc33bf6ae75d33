// Package languagehost serves a Pulumi language runtime for Go programs to the
// stock CLI, by gRPC on a local port. The CLI attaches to it through
// PULUMI_DEBUG_LANGUAGES, so that a machine without the pulumi-language-go
// plugin runs Go projects and Go policy packs all the same.
package languagehost

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"

	"github.com/pulumi/pulumi/sdk/v3/go/common/constant"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/emptypb"
)

// Options say what is run and where its output goes.
type Options struct {
	// Programs are prebuilt executables by the absolute folder of their main
	// package; any other folder is built with the Go toolchain when it is run.
	Programs map[string]string
	// Stdout and Stderr receive what programs print; nil discards it.
	Stdout, Stderr io.Writer
}

// Server is a running language host.
type Server struct {
	handle rpcutil.ServeHandle
	cancel chan bool
	once   sync.Once
	stop   context.CancelFunc
	build  string
}

// Serve starts a language host on a free port of the loopback interface. It
// runs until Close.
func Serve(ctx context.Context, opts Options) (*Server, error) {
	folder, err := os.MkdirTemp("", "redoubt-languagehost-")
	if err != nil {
		return nil, fmt.Errorf("language host: no folder for built programs: %w", err)
	}
	if err := writeMarker(filepath.Join(folder, "plugin")); err != nil {
		return nil, errors.Join(fmt.Errorf("language host: %w", err), os.RemoveAll(folder))
	}
	ctx, stop := context.WithCancel(ctx)
	s := &Server{cancel: make(chan bool), stop: stop, build: folder}
	h := &host{ctx: ctx, programs: opts.Programs, build: folder, stdout: opts.Stdout, stderr: opts.Stderr}
	s.handle, err = rpcutil.ServeWithOptions(rpcutil.ServeOptions{
		Cancel: s.cancel,
		Init: func(srv *grpc.Server) error {
			pulumirpc.RegisterLanguageRuntimeServer(srv, h)
			return nil
		},
	})
	if err != nil {
		stop()
		return nil, errors.Join(fmt.Errorf("language host: %w", err), os.RemoveAll(folder))
	}
	return s, nil
}

// Env is the environment entry that makes the CLI attach this host.
func (s *Server) Env() string { return "PULUMI_DEBUG_LANGUAGES=go:" + strconv.Itoa(s.handle.Port) }

// Folder holds a file named pulumi-language-go. Before it runs a policy pack of
// a folder the CLI looks for that file on PATH, though it then talks to the
// attached host; so put this folder on the CLI's PATH.
func (s *Server) Folder() string { return filepath.Join(s.build, "plugin") }

// Close ends running programs and the server. It may be called more than once.
func (s *Server) Close() error {
	var err error
	s.once.Do(func() {
		s.stop()
		close(s.cancel)
		err = errors.Join(<-s.handle.Done, os.RemoveAll(s.build))
	})
	return err
}

// writeMarker writes the file that the CLI looks for and never runs.
func writeMarker(folder string) error {
	if err := os.Mkdir(folder, 0o700); err != nil {
		return err
	}
	const text = "#!/bin/sh\necho 'a Go language host is attached through PULUMI_DEBUG_LANGUAGES; this file is only looked for' >&2\nexit 1\n"
	return os.WriteFile(filepath.Join(folder, "pulumi-language-go"), []byte(text), 0o700)
}

// host implements the runtime. The engine handshakes more than once, each time
// with a new address, and closes connections in between; so the newest address
// counts, and a program lives as long as the server, not as its connection.
type host struct {
	pulumirpc.UnimplementedLanguageRuntimeServer

	ctx            context.Context
	programs       map[string]string
	build          string
	stdout, stderr io.Writer

	mu     sync.Mutex
	engine string
	built  map[string]string
}

func (h *host) Handshake(_ context.Context, req *pulumirpc.LanguageHandshakeRequest) (*pulumirpc.LanguageHandshakeResponse, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.engine = req.GetEngineAddress()
	return &pulumirpc.LanguageHandshakeResponse{}, nil
}

func (h *host) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{Version: "3.259.0"}, nil
}

// The providers that a program needs are found when it registers resources.
func (h *host) GetRequiredPackages(context.Context, *pulumirpc.GetRequiredPackagesRequest) (*pulumirpc.GetRequiredPackagesResponse, error) {
	return &pulumirpc.GetRequiredPackagesResponse{}, nil
}

func (h *host) GetRequiredPlugins(context.Context, *pulumirpc.GetRequiredPluginsRequest) (*pulumirpc.GetRequiredPluginsResponse, error) {
	return &pulumirpc.GetRequiredPluginsResponse{}, nil
}

// The Go toolchain fetches modules when it builds.
func (h *host) InstallDependencies(*pulumirpc.InstallDependenciesRequest, grpc.ServerStreamingServer[pulumirpc.InstallDependenciesResponse]) error {
	return nil
}

func (h *host) Cancel(context.Context, *emptypb.Empty) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

// Run executes the project's program with the environment that pulumi.Run reads.
func (h *host) Run(_ context.Context, req *pulumirpc.RunRequest) (*pulumirpc.RunResponse, error) {
	folder := filepath.Join(req.GetInfo().GetProgramDirectory(), req.GetInfo().GetEntryPoint())
	exe, err := h.executable(folder)
	if err != nil {
		return &pulumirpc.RunResponse{Error: err.Error()}, nil
	}
	env, err := h.environment(req)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(h.ctx, exe, req.GetArgs()...)
	cmd.Dir = req.GetPwd()
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = h.stdout, h.stderr
	err = cmd.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return &pulumirpc.RunResponse{}, nil
	case errors.As(err, &exit) && exit.ExitCode() == constant.ExitStatusLoggedError:
		// The program has told the engine what went wrong.
		return &pulumirpc.RunResponse{Bail: true}, nil
	default:
		return &pulumirpc.RunResponse{Error: fmt.Sprintf("the program in %s ended badly: %v", folder, err)}, nil
	}
}

func (h *host) environment(req *pulumirpc.RunRequest) ([]string, error) {
	config, err := json.Marshal(req.GetConfig())
	if err != nil {
		return nil, fmt.Errorf("language host: configuration: %w", err)
	}
	secrets, err := json.Marshal(req.GetConfigSecretKeys())
	if err != nil {
		return nil, fmt.Errorf("language host: secret keys: %w", err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return []string{
		"PULUMI_ORGANIZATION=" + req.GetOrganization(),
		"PULUMI_ROOT_DIRECTORY=" + req.GetInfo().GetRootDirectory(),
		"PULUMI_PROJECT=" + req.GetProject(),
		"PULUMI_STACK=" + req.GetStack(),
		"PULUMI_CONFIG=" + string(config),
		"PULUMI_CONFIG_SECRET_KEYS=" + string(secrets),
		"PULUMI_DRY_RUN=" + strconv.FormatBool(req.GetDryRun()),
		"PULUMI_PARALLEL=" + strconv.Itoa(int(req.GetParallel())),
		"PULUMI_MONITOR=" + req.GetMonitorAddress(),
		"PULUMI_ENGINE=" + h.engine,
	}, nil
}

// executable returns the program of a folder, built at most once a server.
func (h *host) executable(folder string) (string, error) {
	folder, err := filepath.Abs(folder)
	if err != nil {
		return "", fmt.Errorf("language host: %w", err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if exe, ok := h.programs[folder]; ok {
		return exe, nil
	}
	if exe, ok := h.built[folder]; ok {
		return exe, nil
	}
	exe := filepath.Join(h.build, strconv.Itoa(len(h.built))+"-"+filepath.Base(folder))
	cmd := exec.CommandContext(h.ctx, "go", "build", "-ldflags", "-s -w", "-o", exe, ".")
	cmd.Dir = folder
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build in %s failed: %w\n%s", folder, err, out)
	}
	if h.built == nil {
		h.built = map[string]string{}
	}
	h.built[folder] = exe
	return exe, nil
}
