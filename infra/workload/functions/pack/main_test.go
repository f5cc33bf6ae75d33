package main

import (
	"archive/zip"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/infra/workload/functions/archive"
	"redoubt/infra/workload/functions/rotate/postgres"
)

// A function that pack forgets is one that pulumi up cannot find.
func TestEveryFunctionIsPacked(t *testing.T) {
	t.Parallel()
	programs, err := filepath.Glob("../*/main.go")
	require.NoError(t, err)
	var found []string
	for _, p := range programs {
		if name := filepath.Base(filepath.Dir(p)); name != "pack" {
			found = append(found, name)
		}
	}
	require.ElementsMatch(t, functions, found)
}

func TestRunWritesWhatReadFinds(t *testing.T) {
	t.Parallel()
	dir, pem := t.TempDir(), authority(t)
	require.NoError(t, run(t.Context(), options{root: "../../../..", out: dir, authorities: pem}))
	entries := map[string][]string{}
	for _, name := range functions {
		a, err := archive.Read(dir, name)
		require.NoError(t, err)
		r, err := zip.OpenReader(a.Path)
		require.NoError(t, err)
		for _, f := range r.File {
			entries[name] = append(entries[name], f.Name)
		}
		require.NoError(t, r.Close())
	}
	require.Equal(t, map[string][]string{
		"rotate": {postgres.AuthoritiesFile, "bootstrap"}, "search-bootstrap": {"bootstrap"}, "split-logs": {"bootstrap"},
	}, entries)
}

func TestAuthoritiesAreCertificates(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{"empty.pem": "", "other.pem": "no certificate"} {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		require.ErrorContains(t, run(t.Context(), options{authorities: path}), "holds no certificate")
	}
	require.ErrorContains(t, run(t.Context(), options{authorities: filepath.Join(dir, "missing.pem")}), "missing.pem")
}

// authority writes a certificate that signed itself, and returns the file.
func authority(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now(), NotAfter: time.Now().Add(time.Hour), IsCA: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "authority.pem")
	require.NoError(t, os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	return path
}
