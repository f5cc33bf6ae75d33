package server_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/automation/server"
)

// certify writes a certificate for 127.0.0.1 that signs itself, and its key.
func certify(t *testing.T, files server.TLS, name string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	replace(t, files.Certificate, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	replace(t, files.Key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}))
}

// replace writes a file as programs do that renew certificates: as a whole.
func replace(t *testing.T, path string, text []byte) {
	t.Helper()
	require.NoError(t, os.WriteFile(path+".new", text, 0o600))
	require.NoError(t, os.Rename(path+".new", path))
}

func files(t *testing.T) server.TLS {
	folder := t.TempDir()
	return server.TLS{Certificate: filepath.Join(folder, "server.pem"), Key: filepath.Join(folder, "server.key")}
}

// shown is the name in the certificate that a server shows.
func shown(t *testing.T, s *running) string {
	t.Helper()
	conn, err := tls.Dial("tcp", s.Addr().String(), &tls.Config{InsecureSkipVerify: true})
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close()) }()
	return conn.ConnectionState().PeerCertificates[0].Subject.CommonName
}

func TestTLSWithACertificateThatIsRenewed(t *testing.T) {
	t.Parallel()
	config := configure(t, func(c *server.Config) { c.TLS = files(t) })
	certify(t, config.TLS, "first")
	s := start(t, config)
	pool := x509.NewCertPool()
	text, err := os.ReadFile(config.TLS.Certificate)
	require.NoError(t, err)
	require.True(t, pool.AppendCertsFromPEM(text))
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true}}
	response, err := client.Get(s.URL() + "/healthz")
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusOK, response.StatusCode)
	require.Equal(t, 2, response.ProtoMajor)
	require.Contains(t, s.URL(), "https://127.0.0.1:")

	_, err = tls.Dial("tcp", s.Addr().String(), &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS11})
	require.Error(t, err, "TLS 1.1 is too old")

	certify(t, config.TLS, "second")
	require.Equal(t, "second", shown(t, s))
	replace(t, config.TLS.Certificate, []byte("half of a certif"))
	require.Equal(t, "second", shown(t, s), "what cannot be read replaces nothing")
	require.Contains(t, s.Log.String(), "the one from before is used")
	certify(t, config.TLS, "third")
	require.Equal(t, "third", shown(t, s))
}

func TestKeyOfAnotherCertificateIsAFinding(t *testing.T) {
	t.Parallel()
	one, other := files(t), files(t)
	certify(t, one, "one")
	certify(t, other, "other")
	_, _, err := server.Load(server.Sources{Flags: map[string]any{"tls-certificate": one.Certificate, "tls-key": other.Key}})
	require.ErrorContains(t, err, "private key does not match")
}
