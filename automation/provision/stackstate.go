package provision

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/sig"

	"redoubt/automation/backend"
)

// masked stands for what is secret, here and in what the Pulumi CLI prints.
const masked = "[secret]"

// StackResource is a resource of a stack, without what it is made of.
type StackResource struct {
	URN    string `json:"urn"`
	Type   string `json:"type"`
	ID     string `json:"id,omitempty"`
	Parent string `json:"parent,omitempty"`
	// Provider is the URN of the provider that has made it, "::" and its id.
	Provider string `json:"provider,omitempty"`
	// Custom is true for what a provider has made, false for components.
	Custom bool `json:"custom"`
	// Protect is the engine's, External a resource that is only read.
	Protect   bool     `json:"protect,omitempty"`
	External  bool     `json:"external,omitempty"`
	DependsOn []string `json:"depends_on,omitempty"`
}

// stored is as much of a state as is looked at here.
type stored struct {
	Deployment struct {
		Resources []storedResource `json:"resources"`
	} `json:"deployment"`
}

type storedResource struct {
	URN          string          `json:"urn"`
	Type         string          `json:"type"`
	ID           string          `json:"id"`
	Parent       string          `json:"parent"`
	Provider     string          `json:"provider"`
	Custom       bool            `json:"custom"`
	Protect      bool            `json:"protect"`
	External     bool            `json:"external"`
	Delete       bool            `json:"delete"`
	Dependencies []string        `json:"dependencies"`
	Outputs      json.RawMessage `json:"outputs"`
}

// state reads a stack's newest state.
func (s *Service) state(ctx context.Context, p Principal, env Environment) (stored, error) {
	var d stored
	text, err := s.backend.Export(ctx, asService(p), env.Name, 0)
	if err != nil {
		return d, public(err)
	}
	if err := json.Unmarshal(text, &d); err != nil {
		return d, fmt.Errorf("the state of stack %s cannot be read: %w", env.Name, err)
	}
	return d, nil
}

// outputs are the stack's, as they are kept.
func (d stored) outputs() (map[string]any, error) {
	for _, r := range d.Deployment.Resources {
		if r.Type != "pulumi:pulumi:Stack" || r.Delete || len(r.Outputs) == 0 {
			continue
		}
		value, err := decoded(r.Outputs)
		if found, ok := value.(map[string]any); ok {
			return found, err
		}
		return map[string]any{}, err
	}
	return map[string]any{}, nil
}

// secretOf returns a secret's ciphertext: the engine marks objects that are one.
func secretOf(v any) (ciphertext string, ok bool) {
	m, ok := v.(map[string]any)
	if !ok || m[sig.Key] != sig.Secret {
		return "", false
	}
	ciphertext, _ = m["ciphertext"].(string)
	return ciphertext, true
}

// eachSecret replaces secrets in outputs.
func eachSecret(v any, replace func(ciphertext string) (any, error)) (any, error) {
	if ciphertext, ok := secretOf(v); ok {
		return replace(ciphertext)
	}
	var err error
	switch v := v.(type) {
	case map[string]any:
		for k, of := range v {
			if v[k], err = eachSecret(of, replace); err != nil {
				return nil, err
			}
		}
	case []any:
		for i, of := range v {
			if v[i], err = eachSecret(of, replace); err != nil {
				return nil, err
			}
		}
	}
	return v, nil
}

// Outputs returns the outputs of a stack's newest state; secrets are "[secret]".
func (s *Service) Outputs(ctx context.Context, p Principal, id string) (map[string]any, error) {
	env, err := s.environmentFor(ctx, p, id, ActionRead)
	if err != nil {
		return nil, err
	}
	d, err := s.state(ctx, p, env)
	if err != nil {
		return nil, err
	}
	found, err := d.outputs()
	if err != nil {
		return nil, err
	}
	_, err = eachSecret(found, func(string) (any, error) { return masked, nil })
	return found, err
}

// RevealOutputs returns them with secrets open. It takes ActionReveal and a reason,
// and is recorded.
func (s *Service) RevealOutputs(ctx context.Context, p Principal, id, reason string) (map[string]any, error) {
	env, err := s.environmentFor(ctx, p, id, ActionReveal)
	if err != nil {
		return nil, err
	}
	var f findings
	f.text("/reason", reason, 1, 500)
	if err := f.err(); err != nil {
		return nil, err
	}
	d, err := s.state(ctx, p, env)
	if err != nil {
		return nil, err
	}
	found, err := d.outputs()
	if err != nil {
		return nil, err
	}
	var texts [][]byte
	if _, err = eachSecret(found, func(ciphertext string) (any, error) {
		text, err := base64.StdEncoding.DecodeString(ciphertext)
		if err != nil {
			return nil, Fail(CodeConflict, "the secrets of stack %s are not encrypted by this service: its state uses another secrets provider", env.Name)
		}
		texts = append(texts, text)
		return map[string]any{sig.Key: sig.Secret, "ciphertext": fmt.Sprint(len(texts) - 1)}, nil
	}); err != nil {
		return nil, err
	}
	// Recorded before anything is shown.
	if err := s.write(ctx, func(tx Tx) error {
		return recordBy(tx, p, "outputs.reveal", env.Name.String(), map[string]string{"reason": reason, "secrets": fmt.Sprint(len(texts))})
	}); err != nil {
		return nil, err
	}
	if len(texts) == 0 {
		return found, nil
	}
	open, err := s.backend.Decrypt(ctx, asService(p), env.Name, texts, "outputs: "+reason)
	if err != nil {
		return nil, public(err)
	}
	_, err = eachSecret(found, func(index string) (any, error) {
		var i int
		if _, err := fmt.Sscan(index, &i); err != nil {
			return nil, err
		}
		return decoded(open[i])
	})
	return found, err
}

// Resources returns what a stack's newest state has.
func (s *Service) Resources(ctx context.Context, p Principal, id string) ([]StackResource, error) {
	env, err := s.environmentFor(ctx, p, id, ActionRead)
	if err != nil {
		return nil, err
	}
	d, err := s.state(ctx, p, env)
	if err != nil {
		return nil, err
	}
	found := []StackResource{}
	for _, r := range d.Deployment.Resources {
		found = append(found, StackResource{
			URN: r.URN, Type: r.Type, ID: r.ID, Parent: r.Parent, Provider: r.Provider, Custom: r.Custom, Protect: r.Protect,
			External: r.External, DependsOn: r.Dependencies,
		})
	}
	return found, nil
}

// History returns a page of a stack's updates, newest first, whoever ran them: those
// after one, by its id.
func (s *Service) History(ctx context.Context, p Principal, id, after string, limit int) ([]backend.Update, error) {
	env, err := s.environmentFor(ctx, p, id, ActionRead)
	if err != nil {
		return nil, err
	}
	var found []backend.Update
	err = s.read(ctx, func(tx Tx) (err error) {
		found, err = tx.HistoryAfter(env.ID, after, page(limit))
		return absent(err, named("update", after))
	})
	for i := range found {
		// What would let somebody write the state, and what it ran with, is not shown.
		found[i].TokenHashes, found[i].SealedConfig = nil, nil
	}
	return found, err
}

// Audit returns entries of the audit log after a sequence number, in order. The
// log is the installation's: it takes somebody who may read all of it.
func (s *Service) Audit(ctx context.Context, p Principal, after int64, limit int) (entries []backend.AuditEntry, err error) {
	if err := s.allow(ctx, p, ActionReadAudit, Resource{}, "the audit log"); err != nil {
		return nil, err
	}
	err = s.read(ctx, func(tx Tx) (err error) { entries, err = tx.Audit(after, eventPage(limit)); return err })
	return entries, err
}
