package postgres

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// AuthoritiesFile is where the function's archive may hold certificates, in PEM.
const AuthoritiesFile = "authorities.pem"

// Authorities are who may have signed the server's certificate: those in the
// text; if that is empty, those in the folder's AuthoritiesFile; without one,
// nil for those that the system trusts. RDS signs with roots of its own, which
// no system trusts.
func Authorities(text, folder string) (*x509.CertPool, error) {
	if text != "" || folder == "" {
		return Roots(text)
	}
	packed, err := os.ReadFile(filepath.Join(folder, AuthoritiesFile))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("%s: %w", AuthoritiesFile, err)
	}
	return Roots(string(packed))
}

// Roots reads certificates in PEM; an empty text means the system's.
func Roots(pem string) (*x509.CertPool, error) {
	if pem == "" {
		return nil, nil
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM([]byte(pem)) {
		return nil, errors.New("no certificate in the PEM text (-----BEGIN CERTIFICATE-----, newlines kept)")
	}
	return pool, nil
}
