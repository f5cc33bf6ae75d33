package transfer

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"redoubt/automation/backend/replay"
)

// object is a JSON object. Numbers in it keep their text: an integer beyond 2^53
// would lose digits.
type object = map[string]any

// state is a deployment with its secrets readable. It lives in memory only.
type state struct {
	// doc is an apitype.UntypedDeployment as JSON; a secret has a plaintext, the
	// JSON of its value, instead of a ciphertext.
	doc object
	// provider is what encrypted the secrets there; nil for nothing.
	provider *provider
	// secrets is how many there are.
	secrets int
}

// provider is an apitype.SecretsProvidersV1.
type provider struct {
	Type  string          `json:"type"`
	State json.RawMessage `json:"state,omitempty"`
}

func decode(text []byte) (object, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var doc object
	if err := d.Decode(&doc); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is more than one JSON value")
	}
	return doc, nil
}

func encode(doc any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(doc)
	return b.Bytes(), err
}

// deployment is the part of the document that holds resources.
func (s *state) deployment() object {
	d, _ := s.doc["deployment"].(object)
	return d
}

func (s *state) resources() []any {
	r, _ := s.deployment()["resources"].([]any)
	return r
}

func (s *state) pending() []any {
	p, _ := s.deployment()["pending_operations"].([]any)
	return p
}

// empty says that there is nothing to lose.
func (s *state) empty() bool { return len(s.resources()) == 0 && len(s.pending()) == 0 }

// read exports a stack's state. The CLI is asked twice: once for the state as it
// is stored, to the last field and digit, and once for the secrets, because what
// it prints then is only what it understands. Without secrets nothing needs to be
// decrypted.
func (s *side) read(ctx context.Context, name Name, phrases *Passphrases) (*state, error) {
	text, err := s.cli.run(ctx, call{args: []string{"stack", "export", "--stack", name.String()}})
	if err != nil {
		return nil, err
	}
	stored, err := parseState(text)
	if err != nil || stored.secrets == 0 {
		return stored, err
	}
	shown := call{args: []string{"stack", "export", "--show-secrets", "--stack", name.String()}}
	if shown.passphrase, err = s.passphrase(stored.provider, name, phrases); err != nil {
		return nil, err
	}
	if text, err = s.cli.run(ctx, shown); err != nil {
		return nil, fmt.Errorf("its secrets cannot be decrypted: %w", err)
	}
	plain, err := decode(text)
	if err != nil {
		return nil, errors.New("the Pulumi CLI exported what is no JSON")
	}
	if err := reveal(stored.doc, plain, "state"); err != nil {
		return nil, fmt.Errorf("%w (was it changed while it was read?)", err)
	}
	return stored, nil
}

// passphrase is what the CLI needs beside its own environment for a provider.
func (s *side) passphrase(p *provider, name Name, phrases *Passphrases) (*string, error) {
	if p == nil || p.Type != "passphrase" {
		return nil, nil
	}
	text, err := phrases.of(name)
	return &text, err
}

func parseState(text []byte) (*state, error) {
	doc, err := decode(text)
	if err != nil {
		return nil, errors.New("its state is not JSON")
	}
	s := &state{doc: doc}
	if s.deployment() == nil {
		// The CLI exports null for a stack that never had a state.
		doc["deployment"] = object{}
	}
	if raw, ok := s.deployment()["secrets_providers"].(object); ok {
		again, err := json.Marshal(raw)
		if err != nil {
			return nil, err
		}
		s.provider = &provider{}
		if err := json.Unmarshal(again, s.provider); err != nil {
			return nil, errors.New("its state names a secrets provider in a form that is not known here")
		}
	}
	eachSecret(doc, func(object) { s.secrets++ })
	return s, nil
}

func isSecret(o object) bool { return o[resource.SigKey] == resource.SecretSig }

// eachSecret calls f with every secret of a document, in a fixed order.
func eachSecret(v any, f func(object)) {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			eachSecret(e, f)
		}
	case object:
		if isSecret(v) {
			f(v)
			return
		}
		for _, k := range keys(v) {
			eachSecret(v[k], f)
		}
	}
}

// reveal puts the plaintexts of one document into the other, which is the same
// but encrypted.
func reveal(stored, plain any, path string) error {
	switch stored := stored.(type) {
	case []any:
		other, _ := plain.([]any)
		for i, e := range stored {
			var o any
			if i < len(other) {
				o = other[i]
			}
			if err := reveal(e, o, fmt.Sprintf("%s[%d]", path, i)); err != nil {
				return err
			}
		}
	case object:
		other, _ := plain.(object)
		if isSecret(stored) {
			if _, readable := stored["plaintext"]; readable {
				return nil
			}
			text, ok := other["plaintext"].(string)
			if !ok {
				return fmt.Errorf("the Pulumi CLI does not show the secret %s", path)
			}
			delete(stored, "ciphertext")
			stored["plaintext"] = text
			return nil
		}
		for k, e := range stored {
			if err := reveal(e, other[k], path+"."+k); err != nil {
				return err
			}
		}
	}
	return nil
}

// renamed is the state of a stack with another name: URNs and what refers to
// them, inside secrets too.
func (s *state) renamed(from, to Name) (*state, error) {
	if from.short() == to.short() {
		return s, nil
	}
	text, err := encode(s.doc)
	if err != nil {
		return nil, err
	}
	text, err = replay.Rename(text,
		replay.StackIdentity{Project: from.Project, Stack: from.Stack},
		replay.StackIdentity{Project: to.Project, Stack: to.Stack})
	if err != nil {
		return nil, err
	}
	return parseState(text)
}
