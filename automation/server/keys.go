package server

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/gofrs/flock"

	"redoubt/automation/awskms"
	"redoubt/automation/backend"
	"redoubt/automation/keyfile"
)

// keyFile is the operator's keys in the data folder.
const keyFile = "keys.json"

// keyring wraps with the current source, and opens with every source there is:
// going from the file to KMS, or back, is a change of keys.source and a rewrap.
type keyring struct {
	current backend.Keyring
	// file is nil without a key file, kms without a key of KMS.
	file *fileKeys
	kms  *awskms.Ring
}

func openKeys(ctx context.Context, config Config, log *slog.Logger) (*keyring, error) {
	k := &keyring{}
	path := filepath.Join(config.Data, keyFile)
	_, err := os.Stat(path)
	if config.Keys.Source == keysInFile || err == nil {
		if k.file, err = openFileKeys(path, log); err != nil {
			return nil, err
		}
	}
	var arns []string
	for _, source := range append([]string{config.Keys.Source}, config.Keys.Older...) {
		if arn, ok := strings.CutPrefix(source, kmsScheme); ok {
			arns = append(arns, arn)
		}
	}
	if len(arns) > 0 {
		if k.kms, err = awskms.Open(ctx, arns[0], arns[1:]); err != nil {
			return nil, err
		}
	}
	if config.Keys.Source == keysInFile {
		k.current = k.file
		return k, nil
	}
	k.current = k.kms
	return k, k.kms.Check(ctx)
}

// Current implements backend.Keyring.
func (k *keyring) Current() string { return k.current.Current() }

// Wrap implements backend.Keyring.
func (k *keyring) Wrap(ctx context.Context, key []byte, label string) ([]byte, string, error) {
	return k.current.Wrap(ctx, key, label)
}

// Unwrap implements backend.Keyring.
func (k *keyring) Unwrap(ctx context.Context, wrapped []byte, by, label string) ([]byte, error) {
	switch {
	case strings.HasPrefix(by, awskms.Prefix) && k.kms != nil:
		return k.kms.Unwrap(ctx, wrapped, by, label)
	case !strings.HasPrefix(by, awskms.Prefix) && k.file != nil:
		return k.file.Unwrap(ctx, wrapped, by, label)
	}
	return nil, fmt.Errorf("no source of keys knows %q: add it to keys.older, or put %s back into the data folder", by, keyFile)
}

// fileKeys is a key file that is read again when it changes, so that a
// rotation needs no restart.
type fileKeys struct {
	path string
	log  *slog.Logger
	mu   sync.Mutex
	ring *keyfile.Ring
	seen stamp
}

func openFileKeys(path string, log *slog.Logger) (*fileKeys, error) {
	ring, err := keyfile.Open(path)
	return &fileKeys{path: path, log: log, ring: ring, seen: stampOf(path)}, err
}

func (f *fileKeys) fresh() *keyfile.Ring {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := stampOf(f.path)
	if now == f.seen || now == (stamp{}) {
		return f.ring
	}
	f.seen = now
	ring, err := keyfile.Open(f.path)
	if err != nil {
		// The keys in memory are as good as before.
		f.log.Error("the key file changed and cannot be read; the keys from before are used", "error", err)
		return f.ring
	}
	f.log.Info("the key file was read again", "current", ring.Current())
	f.ring = ring
	return ring
}

// Current implements backend.Keyring.
func (f *fileKeys) Current() string { return f.fresh().Current() }

// Wrap implements backend.Keyring.
func (f *fileKeys) Wrap(ctx context.Context, key []byte, label string) ([]byte, string, error) {
	return f.fresh().Wrap(ctx, key, label)
}

// Unwrap implements backend.Keyring.
func (f *fileKeys) Unwrap(ctx context.Context, wrapped []byte, by, label string) ([]byte, error) {
	return f.fresh().Unwrap(ctx, wrapped, by, label)
}

// RotateKeyFile adds a key to the key file of a data folder and makes it the
// current one; a server that runs on the folder takes it over when it next
// needs a key. It is a command on the server's own machine: who may change the
// file has its keys anyway, and nobody else should by way of an API.
func RotateKeyFile(data string) (id string, err error) {
	path := filepath.Join(data, keyFile)
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("there is no key file %s to rotate (name the server's data folder with --data; a key of AWS KMS is rotated there)", path)
	}
	// Two rotations at once would lose the key of one, and what it wrapped.
	lock := flock.New(path+".lock", flock.SetPermissions(0o600))
	if err := lock.Lock(); err != nil {
		return "", fmt.Errorf("the key file %s cannot be locked: %w", path, err)
	}
	defer lock.Unlock() //nolint:errcheck // the process's end does it too
	return keyfile.Rotate(path)
}
