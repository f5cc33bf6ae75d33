package provision

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"fmt"
)

// derived is a key of 32 bytes for one purpose, made of the installation's key:
// what one is used for says nothing about another.
func (s *Service) derived(purpose string) []byte {
	if len(s.opts.Key) != 32 {
		// Of no key there would be keys too, which everybody could make.
		panic(fmt.Sprintf("the installation's key has %d bytes: Options.Key wants 32", len(s.opts.Key)))
	}
	key, err := hkdf.Key(sha256.New, s.opts.Key, nil, "redoubt "+purpose, 32)
	if err != nil {
		panic(err) // 32 bytes are not too many
	}
	return key
}

// sealer seals and opens what the service itself must read again, such as the
// secrets of webhooks; label binds the result to its place.
func (s *Service) sealer(purpose string) cipher.AEAD {
	block, err := aes.NewCipher(s.derived(purpose))
	if err != nil {
		panic(err) // the key has 32 bytes
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err) // as above
	}
	return aead
}
