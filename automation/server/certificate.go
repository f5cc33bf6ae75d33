package server

import (
	"crypto/tls"
	"log/slog"
	"sync"
)

// certificate is a certificate in files, which is read again when they change:
// whoever renews it need not restart the server.
type certificate struct {
	files TLS
	log   *slog.Logger

	mu     sync.Mutex
	loaded *tls.Certificate
	seen   [2]stamp
}

func openCertificate(files TLS, log *slog.Logger) (*certificate, error) {
	c := &certificate{files: files, log: log, seen: [2]stamp{stampOf(files.Certificate), stampOf(files.Key)}}
	pair, err := tls.LoadX509KeyPair(files.Certificate, files.Key)
	c.loaded = &pair
	return c, err
}

// get returns the certificate for a handshake. Looking at two files costs next
// to nothing beside one.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := [2]stamp{stampOf(c.files.Certificate), stampOf(c.files.Key)}
	if now == c.seen {
		return c.loaded, nil
	}
	pair, err := tls.LoadX509KeyPair(c.files.Certificate, c.files.Key)
	if err != nil {
		// One of the two may be written already and the other not yet: the next
		// handshake looks again.
		c.log.Warn("the certificate changed and cannot be read; the one from before is used", "error", err)
		return c.loaded, nil
	}
	c.seen, c.loaded = now, &pair
	c.log.Info("the certificate was read again", "file", c.files.Certificate)
	return c.loaded, nil
}

func (c *certificate) config() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: c.get, NextProtos: []string{"h2", "http/1.1"}}
}
