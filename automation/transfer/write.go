package transfer

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"os"
)

// create makes an empty stack.
func (s *side) create(ctx context.Context, n Name, tags map[string]string, phrases *Passphrases) error {
	if s.service != nil {
		return s.service.create(ctx, n, tags)
	}
	kind := s.SecretsProvider
	if kind == "" {
		kind = "passphrase"
	}
	folder, err := s.project(n)
	if err != nil {
		return err
	}
	init := call{args: []string{"stack", "init", n.String(), "--no-select", "--secrets-provider", kind}, folder: folder}
	if kind == "passphrase" || kind == "default" {
		if init.passphrase, err = s.passphrase(&provider{Type: "passphrase"}, n, phrases); err != nil {
			return err
		}
	}
	if _, err := s.cli.run(ctx, init); err != nil {
		return err
	}
	return os.RemoveAll(folder)
}

// remove takes create back.
func (s *side) remove(ctx context.Context, n Name) error {
	if s.service != nil {
		return s.service.remove(ctx, n)
	}
	folder, err := s.project(n)
	if err != nil {
		return err
	}
	_, err = s.cli.run(ctx, call{args: []string{"stack", "rm", "--yes", "--stack", n.String()}, folder: folder})
	return err
}

// write makes a state the newest of a stack, with its secrets encrypted by the
// provider there. It is done as a whole or not at all.
func (s *side) write(ctx context.Context, n Name, from *state, there *provider, phrases *Passphrases) error {
	if s.service != nil {
		return s.writeService(ctx, n, from)
	}
	doc := withProvider(from, there)
	// The CLI reads plaintexts and encrypts them; it drops pending operations
	// and says so, which Run has asked about.
	text, err := encode(doc)
	if err != nil {
		return err
	}
	in := call{args: []string{"stack", "import", "--stack", n.String()}, stdin: bytes.NewReader(text)}
	if in.passphrase, err = s.passphrase(there, n, phrases); err != nil {
		return err
	}
	_, err = s.cli.run(ctx, in)
	return err
}

// providerOf is what encrypts a stack's secrets in the target. exported is the
// target's state; a service needs none.
func (s *side) providerOf(n Name, exported *state) (*provider, error) {
	if s.service == nil {
		if exported == nil || exported.provider == nil {
			return nil, fmt.Errorf("stack %s has no secrets provider yet: remove it with `pulumi stack rm`, or run `pulumi stack change-secrets-provider` for it", n)
		}
		return exported.provider, nil
	}
	// pkg/secrets/service/manager.go
	state, err := json.Marshal(map[string]any{"url": s.URL, "owner": n.Org, "project": n.Project, "stack": n.Stack})
	return &provider{Type: "service", State: state}, err
}

// withProvider is a state's document under another secrets provider. It shares
// the rest.
func withProvider(s *state, p *provider) object {
	doc, deployment := maps.Clone(s.doc), maps.Clone(s.deployment())
	deployment["secrets_providers"] = p
	doc["deployment"] = deployment
	return doc
}

func (s *side) writeService(ctx context.Context, n Name, from *state) error {
	there, err := s.providerOf(n, nil)
	if err != nil {
		return err
	}
	var texts [][]byte
	eachSecret(from.doc, func(o object) {
		text, _ := o["plaintext"].(string)
		texts = append(texts, []byte(text))
	})
	encrypted, err := s.service.encrypt(ctx, n, texts)
	if err != nil {
		return err
	}
	doc, _ := sealed(withProvider(from, there), &encrypted).(object)
	return s.service.importState(ctx, n, doc)
}

// sealed is a copy of a document with the next ciphertexts in its secrets, in
// the order of eachSecret.
func sealed(v any, ciphertexts *[][]byte) any {
	switch v := v.(type) {
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = sealed(e, ciphertexts)
		}
		return out
	case object:
		out := maps.Clone(v)
		if isSecret(v) {
			delete(out, "plaintext")
			out["ciphertext"] = base64.StdEncoding.EncodeToString((*ciphertexts)[0])
			*ciphertexts = (*ciphertexts)[1:]
			return out
		}
		for _, k := range keys(v) {
			out[k] = sealed(v[k], ciphertexts)
		}
		return out
	}
	return v
}
