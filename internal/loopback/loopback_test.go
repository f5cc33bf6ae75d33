package loopback_test

import (
	"net"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/internal/loopback"
)

// Who connects to such an address comes from another one, so that no connection
// takes the port of a server that is stopped.
func TestConnectionsComeFromElsewhere(t *testing.T) {
	t.Parallel()
	server, err := net.Listen("tcp", net.JoinHostPort(loopback.Host(), "0"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close()) })
	connection, err := net.Dial("tcp", server.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, connection.Close()) })
	from := connection.LocalAddr().(*net.TCPAddr)
	require.Equal(t, "127.0.0.1", from.IP.String())
}
