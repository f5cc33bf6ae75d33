// Package awskms wraps the stacks' keys with keys of AWS KMS, which never leave
// it: who has the database has nothing without the right to call kms:Decrypt.
package awskms

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/kms"
)

// Prefix starts the names of keys in WrappedBy; the key's ARN follows.
const Prefix = "awskms:"

// contextKey is the name under which the label stands in the encryption
// context. CloudTrail shows it, and key policies can ask for it.
const contextKey = "redoubt:label"

// timeout of a call with all of its attempts: an update waits for it.
const timeout = 15 * time.Second

// Ring is the keys. It implements backend.Keyring.
type Ring struct {
	current string
	older   []string
	// clients are by region: a key is asked where it is.
	clients map[string]*kms.Client
}

// Option changes how the clients are made.
type Option = func(*kms.Options)

// Open makes a ring of the current key and of older ones, which only open; all
// are ARNs of keys. Credentials come from the environment as for any program of
// AWS's SDK. It asks for nothing: Check does.
func Open(ctx context.Context, current string, older []string, opts ...Option) (*Ring, error) {
	r := &Ring{current: current, older: older, clients: map[string]*kms.Client{}}
	for _, arn := range append([]string{current}, older...) {
		region, err := regionOf(arn)
		if err != nil {
			return nil, err
		}
		if r.clients[region] != nil {
			continue
		}
		loaded, err := config.LoadDefaultConfig(ctx, config.WithRegion(region))
		if err != nil {
			return nil, fmt.Errorf("the credentials for AWS KMS: %w", err)
		}
		r.clients[region] = kms.NewFromConfig(loaded, opts...)
	}
	return r, nil
}

// regionOf reads the fourth part of an ARN.
func regionOf(arn string) (string, error) {
	parts := strings.Split(arn, ":")
	if len(parts) != 6 || parts[0] != "arn" || parts[2] != "kms" || parts[3] == "" || !strings.HasPrefix(parts[5], "key/") {
		return "", fmt.Errorf("%q is no ARN of a KMS key: arn:aws:kms:eu-central-1:111122223333:key/…", arn)
	}
	return parts[3], nil
}

// Check wraps and unwraps something, so that a missing permission is known
// before the first stack needs it.
func (r *Ring) Check(ctx context.Context) error {
	const probe = "redoubt's check of the key"
	wrapped, by, err := r.Wrap(ctx, []byte(probe), probe)
	if err != nil {
		return err
	}
	plain, err := r.Unwrap(ctx, wrapped, by, probe)
	if err == nil && string(plain) != probe {
		err = fmt.Errorf("%s opened something else than it wrapped", by)
	}
	return err
}

// Current implements backend.Keyring.
func (r *Ring) Current() string { return Prefix + r.current }

// Wrap implements backend.Keyring.
func (r *Ring) Wrap(ctx context.Context, key []byte, label string) ([]byte, string, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	out, err := r.client(r.current).Encrypt(ctx, &kms.EncryptInput{
		KeyId: aws.String(r.current), Plaintext: key, EncryptionContext: map[string]string{contextKey: label},
	})
	if err != nil {
		return nil, "", fmt.Errorf("AWS KMS does not encrypt with %s (the role needs kms:Encrypt and kms:Decrypt on it): %w", r.current, err)
	}
	return out.CiphertextBlob, r.Current(), nil
}

// Unwrap implements backend.Keyring. It asks no other key than the configured
// ones: who can write the database must not make us call a key of theirs.
func (r *Ring) Unwrap(ctx context.Context, wrapped []byte, by, label string) ([]byte, error) {
	arn, ok := strings.CutPrefix(by, Prefix)
	if !ok || arn != r.current && !slices.Contains(r.older, arn) {
		return nil, fmt.Errorf("%q is not among the configured keys: add it to keys.older", by)
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	out, err := r.client(arn).Decrypt(ctx, &kms.DecryptInput{
		KeyId: aws.String(arn), CiphertextBlob: wrapped, EncryptionContext: map[string]string{contextKey: label},
	})
	if err != nil {
		return nil, fmt.Errorf("AWS KMS does not decrypt with %s: %w", arn, err)
	}
	if out.Plaintext == nil {
		return nil, errors.New("AWS KMS answered without a key")
	}
	return out.Plaintext, nil
}

func (r *Ring) client(arn string) *kms.Client {
	region, _ := regionOf(arn) // Open has checked it
	return r.clients[region]
}
