package postgres

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
)

// iterations is PostgreSQL's own default (scram_iterations).
const iterations = 4096

// verifier is what PostgreSQL stores for a password. It is sent in place of the
// password: a statement with the password itself would stand in the server's
// log, which is exported and audited.
// https://www.postgresql.org/docs/current/catalog-pg-authid.html, RFC 5803
func verifier(password string) (string, error) {
	salt := make([]byte, 16)
	_, _ = rand.Read(salt) // never fails: crypto/rand ends the program instead
	return verifierWith(password, salt)
}

func verifierWith(password string, salt []byte) (string, error) {
	for _, c := range []byte(password) {
		// Other characters would need SASLprep (RFC 4013) first.
		if c < 0x20 || c > 0x7e {
			return "", fmt.Errorf("the password has characters other than printable ASCII (use letters and digits)")
		}
	}
	salted, err := pbkdf2.Key(sha256.New, password, salt, iterations, sha256.Size)
	if err != nil {
		return "", fmt.Errorf("derive the password's verifier: %w", err)
	}
	stored := sha256.Sum256(sign(salted, "Client Key"))
	encode := base64.StdEncoding.EncodeToString
	return fmt.Sprintf("SCRAM-SHA-256$%d:%s$%s:%s", iterations, encode(salt), encode(stored[:]), encode(sign(salted, "Server Key"))), nil
}

func sign(key []byte, text string) []byte {
	m := hmac.New(sha256.New, key)
	_, _ = m.Write([]byte(text)) // hash.Hash never returns an error
	return m.Sum(nil)
}
