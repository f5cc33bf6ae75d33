package operate

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"redoubt/automation/provision"
)

// packs remembers the digests of files, which are dozens of megabytes.
type packs struct {
	mu    sync.Mutex
	known map[string]measured
}

// measured is a file as it was when its digest was made.
type measured struct {
	size   int64
	at     time.Time
	digest string
}

// of are the packs of a configuration; the error is a CodeEngineUnavailable where one
// is not there: what cannot be checked is not done.
func (p *packs) of(policy, configuration string) ([]provision.Pack, error) {
	if policy == NoPolicy {
		return nil, nil
	}
	if policy == "" {
		return nil, missingPack(errors.New("no path is configured"))
	}
	digest, err := p.digest(policy)
	if err != nil {
		return nil, missingPack(err)
	}
	found := []provision.Pack{{Name: filepath.Base(policy), Digest: digest}}
	if configuration != "" {
		if digest, err = p.digest(configuration); err != nil {
			return nil, missingPack(err)
		}
		found = append(found, provision.Pack{Name: filepath.Base(policy) + " configuration", Digest: digest})
	}
	return found, nil
}

func missingPack(err error) error {
	return &provision.Error{
		Code:    provision.CodeEngineUnavailable,
		Message: "the policy pack or its configuration is not there, and nothing is done without: " + err.Error(),
		Cause:   err,
	}
}

func (p *packs) digest(path string) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close() //nolint:errcheck // it is read
	about, err := file.Stat()
	if err != nil {
		return "", err
	}
	if about.IsDir() {
		return "", fmt.Errorf("%s is a folder", path)
	}
	if m, ok := p.known[path]; ok && m.size == about.Size() && m.at.Equal(about.ModTime()) {
		return m.digest, nil
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		return "", err
	}
	if p.known == nil {
		p.known = map[string]measured{}
	}
	m := measured{about.Size(), about.ModTime(), "sha256:" + hex.EncodeToString(sum.Sum(nil))}
	p.known[path] = m
	return m.digest, nil
}

// everyURN is what the pack takes for every resource: a bare star it refuses, since
// in a configuration, for all stacks and years, the rule's level says that.
const everyURN = "urn:pulumi:*"

// withExemptions is the pack's configuration with waivers as its exemptions, as a
// file in the folder; the configuration itself where there are none. The pack knows
// days: a waiver that ends in the middle of one is not handed on after that by the
// service.
func withExemptions(configuration string, waivers []provision.Waiver, folder *scratch) (string, error) {
	if len(waivers) == 0 {
		return configuration, nil
	}
	config := map[string]json.RawMessage{}
	if configuration != "" {
		text, err := os.ReadFile(configuration)
		if err == nil {
			err = json.Unmarshal(text, &config)
		}
		if err != nil {
			return "", fmt.Errorf("the policy pack's configuration %s cannot be read: %w", configuration, err)
		}
	}
	exemptions := struct {
		Level   json.RawMessage  `json:"enforcementLevel,omitempty"`
		Entries []map[string]any `json:"entries"`
	}{}
	if own, ok := config["exemptions"]; ok {
		if err := json.Unmarshal(own, &exemptions); err != nil {
			return "", fmt.Errorf("the exemptions in the policy pack's configuration %s cannot be read: %w", configuration, err)
		}
	}
	seen := map[string]bool{}
	for _, e := range exemptions.Entries {
		seen[fmt.Sprint(e["rule"], " ", e["resource"])] = true
	}
	for _, w := range waivers {
		resource := w.Resource
		if strings.Trim(resource, "*?:") == "" {
			resource = everyURN
		}
		if key := w.Policy + " " + resource; !seen[key] { // the pack wants each once
			seen[key] = true
			exemptions.Entries = append(exemptions.Entries, map[string]any{
				"rule": w.Policy, "resource": resource, "reason": w.Reason, "owner": w.Owner, "expires": w.ExpiresAt.UTC().Format(time.DateOnly),
			})
		}
	}
	text, err := json.Marshal(exemptions)
	if err != nil {
		return "", err
	}
	config["exemptions"] = text
	if text, err = json.Marshal(config); err != nil {
		return "", err
	}
	work, err := folder.make()
	if err != nil {
		return "", err
	}
	path := filepath.Join(work, "policy.json")
	return path, os.WriteFile(path, text, 0o600)
}
