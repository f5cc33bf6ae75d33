// Package keyfile keeps the operator's keys in a file. Who can read the file
// and the database can read every state and every secret: where there is a key
// management service, use it instead.
package keyfile

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// file is what the file holds, as JSON.
type file struct {
	// Current is the id of the key that wraps.
	Current string `json:"current"`
	Keys    []key  `json:"keys"`
}

type key struct {
	ID string `json:"id"`
	// Key is 32 bytes, base64.
	Key       []byte    `json:"key"`
	CreatedAt time.Time `json:"createdAt"`
}

// Ring is the keys of a file. It implements backend.Keyring.
type Ring struct {
	current string
	aeads   map[string]cipher.AEAD
}

// Open reads the keys; a file that is not there yet is made, with a fresh key.
func Open(path string) (*Ring, error) {
	f, err := read(path)
	if errors.Is(err, fs.ErrNotExist) {
		f, err = add(file{})
		if err == nil {
			err = write(path, f)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("key file %s: %w", path, err)
	}
	return f.ring(path)
}

// Rotate adds a fresh key to the file and makes it the current one. The older
// ones stay: what they wrap is opened with them until it is wrapped anew.
func Rotate(path string) (id string, err error) {
	f, err := read(path)
	if err == nil {
		f, err = add(f)
	}
	if err == nil {
		err = write(path, f)
	}
	if err != nil {
		return "", fmt.Errorf("key file %s: %w", path, err)
	}
	return f.Current, nil
}

func read(path string) (f file, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return f, err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return f, fmt.Errorf("others may read it (mode %04o): chmod 600, and rotate the key if they did", info.Mode().Perm())
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return f, err
	}
	if err := json.Unmarshal(text, &f); err != nil {
		return f, errors.New("it is not the JSON that it was: restore it from a backup, nothing that it wraps opens without it")
	}
	return f, nil
}

func add(f file) (file, error) {
	fresh := key{ID: "file:" + rand.Text()[:10], Key: make([]byte, 32), CreatedAt: time.Now().UTC().Truncate(time.Second)}
	if _, err := rand.Read(fresh.Key); err != nil {
		return f, err
	}
	f.Current, f.Keys = fresh.ID, append(f.Keys, fresh)
	return f, nil
}

// write replaces the file as a whole, and not before it is on the disk.
func write(path string, f file) error {
	text, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return err
	}
	temporary, err := os.CreateTemp(filepath.Dir(path), ".keys-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(temporary.Name()) //nolint:errcheck // it is renamed if all went well
	_, err = temporary.Write(append(text, '\n'))
	if err = errors.Join(err, temporary.Sync(), temporary.Close()); err != nil {
		return err
	}
	return os.Rename(temporary.Name(), path)
}

func (f file) ring(path string) (*Ring, error) {
	r := &Ring{current: f.Current, aeads: map[string]cipher.AEAD{}}
	for _, k := range f.Keys {
		block, err := aes.NewCipher(k.Key)
		if err != nil || len(k.Key) != 32 {
			return nil, fmt.Errorf("key file %s: key %s has %d bytes, not 32", path, k.ID, len(k.Key))
		}
		if r.aeads[k.ID], err = cipher.NewGCMWithRandomNonce(block); err != nil {
			return nil, fmt.Errorf("key file %s: %w", path, err)
		}
	}
	if r.aeads[r.current] == nil {
		return nil, fmt.Errorf("key file %s: the current key %q is not in it", path, r.current)
	}
	return r, nil
}

// Current implements backend.Keyring.
func (r *Ring) Current() string { return r.current }

// Wrap implements backend.Keyring.
func (r *Ring) Wrap(_ context.Context, plain []byte, label string) ([]byte, string, error) {
	return r.aeads[r.current].Seal(nil, nil, plain, []byte(label)), r.current, nil
}

// Unwrap implements backend.Keyring.
func (r *Ring) Unwrap(_ context.Context, wrapped []byte, by, label string) ([]byte, error) {
	aead, ok := r.aeads[by]
	if !ok {
		return nil, fmt.Errorf("the key file has no key %q: restore the one that had it", by)
	}
	plain, err := aead.Open(nil, nil, wrapped, []byte(label))
	if err != nil {
		return nil, errors.New("what was wrapped was changed, or is another's")
	}
	return plain, nil
}
