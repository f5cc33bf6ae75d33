package provision

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"redoubt/automation/backend"
)

// The keys of a sealed value.
const (
	sealedKey      = "$sealed"
	fingerprintKey = "$fingerprint"
)

// sealed is a secret input as it is kept: sealed with the stack's key for its place
// in the inputs, with a fingerprint by which it is seen to have changed, although
// each sealing is another text. The fingerprint is keyed: who reads the database
// cannot try passwords against it.
type sealed struct {
	Sealed      string `json:"$sealed"`
	Fingerprint string `json:"$fingerprint"`
}

// sealedOf reads a sealed value.
func sealedOf(v any) (s sealed, ok bool) {
	m, ok := v.(map[string]any)
	if !ok || len(m) != 2 {
		return s, false
	}
	text, isText := m[sealedKey].(string)
	print, isPrint := m[fingerprintKey].(string)
	return sealed{text, print}, isText && isPrint
}

// sealing seals the secrets of one stack.
type sealing struct {
	seal  func(label string, plain []byte) []byte
	print []byte
}

func mac(key []byte, parts ...string) []byte {
	h := hmac.New(sha256.New, key)
	for _, p := range parts {
		fmt.Fprintf(h, "%d:%s", len(p), p)
	}
	return h.Sum(nil)
}

// sealed are inputs that were checked, with the secrets in them sealed for a stack.
func (s *Service) sealed(stackID string, b Blueprint, seal func(label string, plain []byte) []byte, inputs json.RawMessage) (json.RawMessage, error) {
	if len(b.SecretInputs) == 0 {
		return inputs, nil
	}
	return sealing{seal: seal, print: mac(s.derived("fingerprints of inputs"), stackID)}.sealInputs(b.SecretInputs, inputs)
}

// sealInputs seals what is secret in inputs that were checked.
func (k sealing) sealInputs(secrets []string, inputs json.RawMessage) (json.RawMessage, error) {
	value, err := decoded(inputs)
	if err != nil {
		return nil, err
	}
	for _, secret := range secrets {
		value, err = at(value, "", tokens(secret), func(place string, v any) (any, error) {
			if v == nil {
				return nil, nil //nolint:nilnil // null is no secret
			}
			plain, err := json.Marshal(v)
			if err != nil {
				return nil, err
			}
			return map[string]any{
				sealedKey:      base64.StdEncoding.EncodeToString(k.seal(place, plain)),
				fingerprintKey: hex.EncodeToString(mac(k.print, place, string(plain))),
			}, nil
		})
		if err != nil {
			return nil, err
		}
	}
	return json.Marshal(value)
}

// unmasked puts the sealed secrets of current inputs where new ones have "[secret]":
// that is how they are shown, and who sends them back means that they stay. Members
// of lists are not told from each other: those are findings.
func unmasked(secrets []string, inputs, current json.RawMessage) (json.RawMessage, findings) {
	var f findings
	value, err := decoded(inputs)
	if err != nil {
		return inputs, nil // checkInputs says so at its field
	}
	old, err := decoded(current)
	if err != nil {
		old = nil
	}
	some := false
	for _, secret := range secrets {
		value, _ = at(value, "", tokens(secret), func(place string, v any) (any, error) { // the function returns no error
			if v != masked {
				return v, nil
			}
			some = true
			kept, found := any(nil), false
			if !strings.Contains(secret, "*") {
				_, _ = at(old, "", tokens(secret), func(_ string, v any) (any, error) {
					kept = v
					_, found = sealedOf(v)
					return v, nil
				})
			}
			if !found {
				f.add("/inputs"+place, "is masked: give the secret itself")
				return v, nil
			}
			return kept, nil
		})
	}
	if !some || len(f) > 0 {
		return inputs, f
	}
	text, err := json.Marshal(value)
	if err != nil {
		return inputs, nil
	}
	return text, nil
}

// at replaces what is at a pointer in a value; "*" stands for all of an object's or
// an array's. Nothing happens where there is nothing.
func at(v any, place string, path []string, do func(place string, v any) (any, error)) (any, error) {
	if len(path) == 0 {
		return do(place, v)
	}
	var err error
	switch v := v.(type) {
	case map[string]any:
		for k, of := range v {
			if path[0] != "*" && path[0] != k {
				continue
			}
			if v[k], err = at(of, place+pointer([]string{k}), path[1:], do); err != nil {
				return nil, err
			}
		}
	case []any:
		for i, of := range v {
			if index := strconv.Itoa(i); path[0] == "*" || path[0] == index {
				if v[i], err = at(of, place+"/"+index, path[1:], do); err != nil {
					return nil, err
				}
			}
		}
	}
	return v, nil
}

// eachSealed calls do for all sealed values in a value, and replaces them.
func eachSealed(v any, place string, do func(place string, s sealed) (any, error)) (any, error) {
	if s, ok := sealedOf(v); ok {
		return do(place, s)
	}
	var err error
	switch v := v.(type) {
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			if v[k], err = eachSealed(v[k], place+pointer([]string{k}), do); err != nil {
				return nil, err
			}
		}
	case []any:
		for i := range v {
			if v[i], err = eachSealed(v[i], place+"/"+strconv.Itoa(i), do); err != nil {
				return nil, err
			}
		}
	}
	return v, nil
}

// openInputs opens the secrets in inputs of a stack, and returns them besides, as
// texts that nobody may see. It is recorded, with what for.
func (s *Service) openInputs(ctx context.Context, by Principal, name backend.StackName, inputs json.RawMessage, why string) (open json.RawMessage, secrets []string, err error) {
	if len(inputs) == 0 {
		return json.RawMessage("{}"), nil, nil
	}
	value, err := decoded(inputs)
	if err != nil {
		return nil, nil, err
	}
	texts := map[string][]byte{}
	_, err = eachSealed(value, "", func(place string, one sealed) (any, error) {
		if one.Sealed == "" {
			return nil, erased(place)
		}
		text, err := base64.StdEncoding.DecodeString(one.Sealed)
		if err != nil {
			return nil, Fail(CodeInvalid, "the secret input %s was not sealed by this service: give it anew", place)
		}
		texts[place] = text
		return map[string]any{sealedKey: one.Sealed, fingerprintKey: one.Fingerprint}, nil
	})
	if err != nil || len(texts) == 0 {
		return inputs, nil, err
	}
	plain, err := s.backend.OpenInputs(ctx, asService(by), name, texts, why)
	if err != nil {
		return nil, nil, public(err)
	}
	value, err = eachSealed(value, "", func(place string, _ sealed) (any, error) {
		secret, err := decoded(plain[place])
		secrets = append(secrets, textsIn(secret)...)
		return secret, err
	})
	if err != nil {
		return nil, nil, err
	}
	open, err = json.Marshal(value)
	return open, secrets, err
}

// textsIn are the texts in a secret.
func textsIn(v any) (texts []string) {
	switch v := v.(type) {
	case string:
		texts = append(texts, v)
	case json.Number:
		texts = append(texts, v.String())
	case []any:
		for _, of := range v {
			texts = append(texts, textsIn(of)...)
		}
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			texts = append(texts, textsIn(v[k])...)
		}
	}
	return texts
}

// Unsealed returns an operation's inputs with its secrets open, and the secrets
// besides: for its worker.
func (s *Service) Unsealed(ctx context.Context, o Operation) (inputs json.RawMessage, secrets []string, err error) {
	return s.openInputs(ctx, Principal{Kind: System, Name: systemActor.Name}, o.Stack, o.Inputs, "operation "+o.ID)
}

// asService is who this service is to the backend when it acts for somebody, having
// decided itself that they may.
func asService(p Principal) backend.Caller {
	return backend.Caller{Decided: true, Address: p.Caller.Address, Token: backend.Token{
		ID: p.Caller.Token.ID, Principal: p.Name, Grants: []backend.Grant{{Stacks: "*/*/*", Verbs: []backend.Verb{backend.Admin}}},
	}}
}

// decoded reads JSON and keeps numbers as they were written.
func decoded(text json.RawMessage) (v any, err error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	err = d.Decode(&v)
	return v, err
}
