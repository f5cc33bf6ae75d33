package backend

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/klauspost/compress/zstd"
)

// Keyring holds the operator's keys, which wrap the stacks' keys. The stacks'
// keys are 32 bytes.
type Keyring interface {
	// Current names the key that wraps from now on.
	Current() string
	// Wrap seals a key with the current one and names it. label is bound to the
	// result: it does not open with another.
	Wrap(ctx context.Context, key []byte, label string) (wrapped []byte, by string, err error)
	// Unwrap opens what a key sealed, the current one or an older one.
	Unwrap(ctx context.Context, wrapped []byte, by, label string) ([]byte, error)
}

// What is sealed, so that a journal entry cannot stand in for a state.
const (
	sealState      = "state"
	sealJournal    = "journal"
	sealCheckpoint = "checkpoint"
	sealEvent      = "event"
	sealConfig     = "config"
	sealSecret     = "secret"
	sealInput      = "input"
)

// The first byte of what is sealed says how; then come the version of the key,
// four bytes, and what AES-256-GCM made, its nonce first.
const (
	sealedPlain byte = 1
	sealedZstd  byte = 2

	sealedHeader = 5
)

// compressFrom is the size from which compression is worth its while: below it,
// to compress costs more than to write what it saves.
const compressFrom = 2 << 10

// errSealed is for bytes that this stack's keys do not open: a damaged
// database, another stack's ciphertext, or none at all.
var errSealed = errors.New("this was not sealed with a key of the stack")

// errNewerKey is errSealed for bytes that name a key that this process does not
// know: another one may have made it.
var errNewerKey = fmt.Errorf("%w that is known here", errSealed)

// stackKeys are a stack's keys, ready for use; safe for concurrent use.
type stackKeys struct {
	stackID string
	newest  uint32
	aeads   map[uint32]cipher.AEAD
	read    time.Time
}

var (
	encoder = sync.OnceValue(func() *zstd.Encoder {
		e, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest))
		if err != nil {
			panic(err) // the options are constants
		}
		return e
	})
	decoder = sync.OnceValue(func() *zstd.Decoder {
		d, err := zstd.NewReader(nil, zstd.WithDecoderMaxMemory(1<<31))
		if err != nil {
			panic(err) // the options are constants
		}
		return d
	})
)

// seal encrypts for the stack. label binds the result to its place: the
// update, the sequence number.
func (k *stackKeys) seal(what, label string, plain []byte) []byte {
	how, body := sealedPlain, plain
	// A secret's length tells less than how well it compresses.
	if what != sealSecret && what != sealInput && len(plain) >= compressFrom {
		how, body = sealedZstd, encoder().EncodeAll(plain, nil)
	}
	out := make([]byte, sealedHeader, sealedHeader+len(body)+k.aeads[k.newest].Overhead())
	out[0] = how
	binary.BigEndian.PutUint32(out[1:], k.newest)
	return k.aeads[k.newest].Seal(out, nil, body, k.bound(out[:sealedHeader], what, label))
}

// open decrypts what seal made with the same what and label.
func (k *stackKeys) open(what, label string, sealed []byte) ([]byte, error) {
	if len(sealed) < sealedHeader {
		return nil, errSealed
	}
	version := binary.BigEndian.Uint32(sealed[1:])
	aead, ok := k.aeads[version]
	if !ok && version > k.newest {
		return nil, errNewerKey
	}
	if !ok {
		return nil, errSealed
	}
	body, err := aead.Open(nil, nil, sealed[sealedHeader:], k.bound(sealed[:sealedHeader], what, label))
	if err != nil {
		return nil, errSealed
	}
	switch sealed[0] {
	case sealedPlain:
		return body, nil
	case sealedZstd:
		return decoder().DecodeAll(body, nil)
	default:
		return nil, errSealed
	}
}

// bound is what is authenticated beside the text.
func (k *stackKeys) bound(header []byte, what, label string) []byte {
	return fmt.Appendf(nil, "%s\x00%s\x00%s\x00%s", header, k.stackID, what, label)
}

// keyring caches stacks' keys: unwrapping may ask a service.
type keyCache struct {
	ring  Keyring
	store Store
	mu    sync.Mutex
	keys  map[string]*stackKeys
}

const (
	// maxCachedKeys bounds the cache; past it, it starts anew.
	maxCachedKeys = 4096
	// keysGood is how long keys are used before the database is asked for a newer
	// one, which another process may have made.
	keysGood = time.Minute
)

// of returns a stack's keys. It must not be called in a transaction.
func (c *keyCache) of(ctx context.Context, stackID string) (*stackKeys, error) {
	c.mu.Lock()
	known := c.keys[stackID]
	c.mu.Unlock()
	if known != nil && time.Since(known.read) < keysGood {
		return known, nil
	}
	return c.load(ctx, stackID, known)
}

// use does something with a stack's keys that opens what they sealed, and once
// more with newer keys where there are any and they are needed. It must not be
// called in a transaction.
func (c *keyCache) use(ctx context.Context, stackID string, do func(*stackKeys) error) error {
	keys, err := c.of(ctx, stackID)
	if err != nil {
		return err
	}
	if err = do(keys); !errors.Is(err, errNewerKey) {
		return err
	}
	newer, failed := c.load(ctx, stackID, keys)
	if failed != nil || newer.newest == keys.newest {
		return errors.Join(failed, err)
	}
	return do(newer)
}

// load reads a stack's keys. Those that are known are not unwrapped again: that
// may be a call of a service that is paid for.
func (c *keyCache) load(ctx context.Context, stackID string, known *stackKeys) (*stackKeys, error) {
	read := time.Now()
	var rows []DataKey
	if err := c.store.View(ctx, func(tx Tx) (err error) { rows, err = tx.DataKeys(stackID); return err }); err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("stack %s has no key", stackID)
	}
	keys := &stackKeys{stackID: stackID, aeads: map[uint32]cipher.AEAD{}, read: read}
	if known != nil {
		maps.Copy(keys.aeads, known.aeads)
		keys.newest = known.newest
	}
	for _, row := range rows {
		if keys.aeads[uint32(row.Version)] != nil { //nolint:gosec // versions count rotations
			continue
		}
		key, err := c.ring.Unwrap(ctx, row.Wrapped, row.WrappedBy, keyLabel(stackID))
		if err != nil {
			return nil, &Error{Code: CodeUnavailable, Message: fmt.Sprintf("the key of the stack cannot be opened with the key %q (is the key file or the key service there?)", row.WrappedBy), Cause: err}
		}
		if err := keys.add(uint32(row.Version), key); err != nil { //nolint:gosec // versions count rotations
			return nil, err
		}
	}
	c.put(keys)
	return keys, nil
}

func (c *keyCache) put(keys *stackKeys) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.keys) >= maxCachedKeys {
		c.keys = map[string]*stackKeys{}
	}
	c.keys[keys.stackID] = keys
}

// forget makes the next use read the keys again.
func (c *keyCache) forget(stackID string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.keys, stackID)
}

// fresh makes a key for a stack, wrapped, to be stored as a version.
func (c *keyCache) fresh(ctx context.Context, stackID string, version int64) (DataKey, *stackKeys, error) {
	key := make([]byte, 32)
	if _, err := rand.Read(key); err != nil {
		return DataKey{}, nil, err
	}
	wrapped, by, err := c.ring.Wrap(ctx, key, keyLabel(stackID))
	if err != nil {
		return DataKey{}, nil, &Error{Code: CodeUnavailable, Message: "a key for the stack cannot be made: the key service does not answer", Cause: err}
	}
	keys := &stackKeys{stackID: stackID, aeads: map[uint32]cipher.AEAD{}, read: time.Now()}
	if err := keys.add(uint32(version), key); err != nil { //nolint:gosec // versions count rotations
		return DataKey{}, nil, err
	}
	return DataKey{StackID: stackID, Version: version, Wrapped: wrapped, WrappedBy: by}, keys, nil
}

func keyLabel(stackID string) string { return "data key of " + stackID }

func (k *stackKeys) add(version uint32, key []byte) error {
	block, err := aes.NewCipher(key)
	if err != nil {
		return err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return err
	}
	k.aeads[version] = aead
	k.newest = max(k.newest, version)
	return nil
}
