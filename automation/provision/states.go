package provision

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"redoubt/automation/backend"
)

// StateVersion is a state of a stack that is kept, without what is in it.
type StateVersion struct {
	// Version counts from 1.
	Version   int64
	Resources int64
	// Digest is "sha256:" over the state as it was written.
	Digest    string
	CreatedAt time.Time
}

func stateVersionOf(v backend.StateVersion) StateVersion {
	return StateVersion{Version: v.Version, Resources: v.Resources, Digest: "sha256:" + hex.EncodeToString(v.Digest), CreatedAt: v.CreatedAt}
}

// StateVersions returns a page of the states of a stack that are kept, newest first,
// and what before is for the next one; 0 for the last.
func (s *Service) StateVersions(ctx context.Context, p Principal, id string, before int64, limit int) (versions []StateVersion, next int64, err error) {
	env, err := s.environmentFor(ctx, p, id, ActionRead)
	if err != nil {
		return nil, 0, err
	}
	limit = page(limit)
	var kept []backend.StateVersion
	err = s.read(ctx, func(tx Tx) (err error) { kept, err = tx.StateVersions(env.ID, before, limit+1); return err })
	for i, v := range kept {
		if i == limit {
			return versions, versions[limit-1].Version, err
		}
		versions = append(versions, stateVersionOf(v))
	}
	return versions, 0, err
}

// StateVersion returns one of them.
func (s *Service) StateVersion(ctx context.Context, p Principal, id string, version int64) (found StateVersion, err error) {
	env, err := s.environmentFor(ctx, p, id, ActionRead)
	if err != nil {
		return found, err
	}
	err = s.read(ctx, func(tx Tx) error {
		kept, err := tx.State(env.ID, version)
		found = stateVersionOf(kept)
		return absent(err, fmt.Sprintf("state %d of stack %s: it never had it, or it is older than what is kept", version, env.Name))
	})
	return found, err
}

// ExportState returns a state, in the form of `pulumi stack export`. Secrets in it are
// "[secret]", or sealed as they are kept: with the stack's key, so that it can be
// imported again and not be read. It takes ActionExportState and a reason, and is
// recorded.
func (s *Service) ExportState(ctx context.Context, p Principal, id string, version int64, sealed bool, reason string) (json.RawMessage, error) {
	env, err := s.environmentFor(ctx, p, id, ActionExportState)
	if err != nil {
		return nil, err
	}
	var f findings
	f.text("/reason", reason, 1, 500)
	if err := f.err(); err != nil {
		return nil, err
	}
	if _, err := s.StateVersion(ctx, p, env.ID, version); err != nil {
		return nil, err
	}
	// Recorded before anything is shown.
	if err := s.write(ctx, func(tx Tx) error {
		return recordBy(tx, p, "state.export", env.Name.String(), map[string]string{"version": fmt.Sprint(version), "reason": reason, "sealed": fmt.Sprint(sealed)})
	}); err != nil {
		return nil, err
	}
	text, err := s.backend.Export(ctx, asService(p), env.Name, version)
	if err != nil {
		return nil, public(err)
	}
	if sealed {
		return text, nil
	}
	value, err := decoded(text)
	if err == nil {
		value, err = eachSecret(value, func(string) (any, error) { return masked, nil })
	}
	if err != nil {
		return nil, fmt.Errorf("the state of stack %s cannot be read: %w", env.Name, err)
	}
	return json.Marshal(value)
}
