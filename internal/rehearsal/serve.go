package rehearsal

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/stats"
)

// Server serves an account to Pulumi engines.
type Server struct {
	port  int
	grpc  *grpc.Server
	done  chan struct{}
	close sync.Once
	err   error
	acct  *Account
}

// Serve serves the account as the provider "aws" by gRPC on addr, for example
// "127.0.0.1:0" for a free port, until ctx ends or Close. The account stays open.
// Options are gRPC's, for who wants to see the calls, or to hold them.
func Serve(ctx context.Context, a *Account, addr string, options ...grpc.ServerOption) (*Server, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("rehearsal: the account cannot be served on %s: %w; choose another port, or port 0 for a free one", addr, err)
	}
	const largest = 400 << 20 // what the engine allows, too
	s := &Server{
		port: listener.Addr().(*net.TCPAddr).Port, done: make(chan struct{}), acct: a,
		grpc: grpc.NewServer(append([]grpc.ServerOption{grpc.MaxRecvMsgSize(largest), grpc.StatsHandler(sessions{a})}, options...)...),
	}
	s.grpc.RegisterService(perConnection(pulumirpc.ResourceProvider_ServiceDesc), plugin.NewProviderServer(a.Provider()))
	go func() {
		defer close(s.done)
		if err := s.grpc.Serve(listener); err != nil && !errors.Is(err, grpc.ErrServerStopped) {
			s.err = fmt.Errorf("rehearsal: serving on port %d: %w", s.port, err)
		}
	}()
	stop := context.AfterFunc(ctx, s.grpc.Stop)
	go func() {
		<-s.done
		stop()
	}()
	return s, nil
}

// Port is the port that the account is served on.
func (s *Server) Port() int { return s.port }

// Env is the environment entry that makes a Pulumi engine use this account
// instead of downloading a provider.
func (s *Server) Env() string { return fmt.Sprintf("PULUMI_DEBUG_PROVIDERS=aws:%d", s.port) }

// Close ends the serving and makes the account's changes durable. Calls in
// flight are cut off.
func (s *Server) Close() error {
	s.close.Do(s.grpc.Stop)
	<-s.done
	return errors.Join(s.err, s.acct.Flush())
}

// sessions gives every connection a provider of its own. The engine opens one
// connection per provider of the program, but all to the same port, and tells
// providers apart by nothing else: what is configured on a connection holds for
// the calls on it.
type sessions struct{ acct *Account }

type sessionKey struct{}

func (s sessions) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context {
	return context.WithValue(ctx, sessionKey{}, plugin.NewProviderServer(s.acct.Provider()))
}

func (sessions) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context { return ctx }
func (sessions) HandleConn(context.Context, stats.ConnStats)                     {}
func (sessions) HandleRPC(context.Context, stats.RPCStats)                       {}

// perConnection makes a service whose methods run on the connection's session
// instead of on the one registered server.
func perConnection(desc grpc.ServiceDesc) *grpc.ServiceDesc {
	methods := make([]grpc.MethodDesc, len(desc.Methods))
	for i, m := range desc.Methods {
		handler := m.Handler
		m.Handler = func(srv any, ctx context.Context, dec func(any) error, interceptor grpc.UnaryServerInterceptor) (any, error) {
			return handler(session(ctx, srv), ctx, dec, interceptor)
		}
		methods[i] = m
	}
	streams := make([]grpc.StreamDesc, len(desc.Streams))
	for i, s := range desc.Streams {
		handler := s.Handler
		s.Handler = func(srv any, stream grpc.ServerStream) error {
			return handler(session(stream.Context(), srv), stream)
		}
		streams[i] = s
	}
	desc.Methods, desc.Streams = methods, streams
	return &desc
}

func session(ctx context.Context, otherwise any) any {
	if s := ctx.Value(sessionKey{}); s != nil {
		return s
	}
	return otherwise
}
