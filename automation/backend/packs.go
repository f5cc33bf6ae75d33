package backend

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
)

// maxPack is how large a pack's archive may be, in bytes.
const maxPack = 256 << 20

// requiredPacks are what an organization's updates must run, in the order of
// their names.
func requiredPacks(tx Tx, org string) ([]PolicyPack, error) {
	requirements, err := tx.Requirements(org)
	if err != nil {
		return nil, err
	}
	var packs []PolicyPack
	for _, r := range requirements {
		pack, err := findPack(tx, r.Org, r.Pack, r.Tag)
		if err != nil {
			// Without the pack nothing would be checked: no update then.
			return nil, missing(err, "organization %s requires policy pack %s %s, which was deleted or never completed: publish it, or disable it", org, r.Pack, r.Tag)
		}
		pack.Archive, pack.Policies = nil, r.Config
		packs = append(packs, pack)
	}
	return packs, nil
}

func findPack(tx Tx, org, name, tag string) (PolicyPack, error) {
	if tag == "" {
		return tx.LatestPack(org, name)
	}
	pack, err := tx.Pack(org, name, tag)
	if err == nil && !pack.Complete {
		return PolicyPack{}, ErrNotFound
	}
	return pack, err
}

// RequiredPacks are what a stack's updates must run; Policies is the
// configuration that they must run with.
func (s *Service) RequiredPacks(ctx context.Context, by Caller, name StackName) (packs []PolicyPack, err error) {
	if _, err := s.stackFor(ctx, by, Read, name); err != nil {
		return nil, err
	}
	err = s.store.View(ctx, func(tx Tx) (err error) { packs, err = requiredPacks(tx, name.Org); return err })
	return packs, err
}

func (s *Service) mayPolicy(ctx context.Context, by Caller, action, org string) error {
	// Not who may do so somewhere in it: a requirement holds for all of its stacks.
	if by.mayAllOver(Policy, org) {
		return nil
	}
	return s.refuse(ctx, by, action, org, "the token may not change the policies of organization "+org)
}

// PublishPack begins the publication of a pack: its archive comes next.
func (s *Service) PublishPack(ctx context.Context, by Caller, pack PolicyPack) (made PolicyPack, err error) {
	if err := errors.Join(CheckOrg(pack.Org), CheckPackName(pack.Name)); err != nil {
		return PolicyPack{}, joined(err)
	}
	if !packForm.MatchString(pack.Tag) {
		return PolicyPack{}, Fail(CodeInvalid, "version %s cannot be a pack's: 1 to 100 letters, digits, - _ and dots, for example 1.0.0", quoted(pack.Tag))
	}
	if err := s.mayPolicy(ctx, by, "policy.publish", pack.Org); err != nil {
		return PolicyPack{}, err
	}
	err = s.store.Update(ctx, func(tx Tx) error {
		if _, err := tx.Organization(pack.Org); err != nil {
			return missing(err, "there is no organization %s", quoted(pack.Org))
		}
		pack.CreatedAt = tx.Now()
		if made, err = tx.CreatePack(pack); err != nil {
			if errors.Is(err, ErrExists) {
				return Fail(CodeConflict, "policy pack %s has a version %s already: versions do not change, publish another one", pack.Name, pack.Tag)
			}
			return err
		}
		return record(tx, by, "policy.publish", pack.Org+"/"+pack.Name, map[string]string{"tag": made.Tag, "version": fmt.Sprint(made.Version)})
	})
	return made, err
}

// PutPackArchive stores a publication's archive; the publication is told apart
// by organization, name and number.
func (s *Service) PutPackArchive(ctx context.Context, org, name string, version int64, archive []byte) error {
	if len(archive) > maxPack {
		return Fail(CodeTooLarge, "the pack has %d bytes: at most %d", len(archive), maxPack)
	}
	return s.store.Update(ctx, func(tx Tx) error {
		pack, err := tx.PackByVersion(org, name, version)
		if err != nil {
			return missing(err, "there is no policy pack %s %d to upload", quoted(name), version)
		}
		if pack.Complete {
			return Fail(CodeConflict, "policy pack %s %s is complete: versions do not change", name, pack.Tag)
		}
		pack.Archive = archive
		return tx.SavePack(pack)
	})
}

// CompletePack ends a publication: from then on it can be required.
func (s *Service) CompletePack(ctx context.Context, by Caller, org, name, tag string) error {
	if err := s.mayPolicy(ctx, by, "policy.publish", org); err != nil {
		return err
	}
	return s.store.Update(ctx, func(tx Tx) error {
		pack, err := tx.Pack(org, name, tag)
		if err != nil {
			return missing(err, "there is no policy pack %s %s", quoted(name), quoted(tag))
		}
		if err := checkArchive(pack.Archive); err != nil {
			return err
		}
		pack.Complete = true
		if err := tx.SavePack(pack); err != nil {
			return err
		}
		return record(tx, by, "policy.complete", org+"/"+name, map[string]string{"tag": tag})
	})
}

// checkArchive reads a pack's archive to its end: the CLI ignores whether its
// upload succeeded.
func checkArchive(archive []byte) error {
	broken := func(err error) error {
		return &Error{Code: CodeInvalid, Message: "the pack's archive is missing or damaged: publish it again", Cause: err}
	}
	zipped, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		return broken(err)
	}
	found := false
	for tape := tar.NewReader(io.LimitReader(zipped, 8*maxPack)); ; {
		header, err := tape.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return broken(err)
		}
		found = found || header.Name == "package/PulumiPolicy.yaml"
	}
	if !found {
		return Fail(CodeInvalid, "the pack's archive has no package/PulumiPolicy.yaml")
	}
	return nil
}

// PackArchive returns the archive of a complete publication. It asks for no
// caller: the address that leads here is the secret.
func (s *Service) PackArchive(ctx context.Context, org, name string, version int64) (archive []byte, err error) {
	err = s.store.View(ctx, func(tx Tx) error {
		pack, err := tx.PackByVersion(org, name, version)
		if err != nil {
			return missing(err, "there is no such policy pack")
		}
		if !pack.Complete {
			return Fail(CodeNotFound, "there is no such policy pack")
		}
		archive = pack.Archive
		return nil
	})
	return archive, err
}

// Packs are the publications of an organization's packs.
func (s *Service) Packs(ctx context.Context, by Caller, org string) (packs []PolicyPack, err error) {
	if !by.mayInOrg(Read, org) {
		return nil, Fail(CodeNotFound, "there is no organization %s", quoted(org))
	}
	err = s.store.View(ctx, func(tx Tx) (err error) { packs, err = tx.Packs(org); return err })
	return packs, err
}

// Pack is one publication; tag is the pack's own version, or its number.
func (s *Service) Pack(ctx context.Context, by Caller, org, name, tag string) (pack PolicyPack, err error) {
	if !by.mayInOrg(Read, org) {
		return PolicyPack{}, Fail(CodeNotFound, "there is no organization %s", quoted(org))
	}
	err = s.store.View(ctx, func(tx Tx) error {
		pack, err = findPack(tx, org, name, tag)
		return missing(err, "there is no policy pack %s %s", quoted(name), quoted(tag))
	})
	return pack, err
}

// DeletePack deletes a publication, or all of a pack's where tag is empty. One
// that is required is not deleted.
func (s *Service) DeletePack(ctx context.Context, by Caller, org, name, tag string) error {
	if err := s.mayPolicy(ctx, by, "policy.delete", org); err != nil {
		return err
	}
	return s.store.Update(ctx, func(tx Tx) error {
		requirements, err := tx.Requirements(org)
		if err != nil {
			return err
		}
		for _, r := range requirements {
			if r.Pack == name && (tag == "" || r.Tag == "" || r.Tag == tag) {
				return Fail(CodeConflict, "policy pack %s is required in organization %s: disable it first", name, org)
			}
		}
		if err := tx.DeletePack(org, name, tag); err != nil {
			return missing(err, "there is no policy pack %s %s", quoted(name), tag)
		}
		return record(tx, by, "policy.delete", org+"/"+name, map[string]string{"tag": tag})
	})
}

// Requirements are the packs that an organization's updates must run.
func (s *Service) Requirements(ctx context.Context, by Caller, org string) (list []PackRequirement, err error) {
	if !by.mayInOrg(Read, org) {
		return nil, Fail(CodeNotFound, "there is no organization %s", quoted(org))
	}
	err = s.store.View(ctx, func(tx Tx) (err error) { list, err = tx.Requirements(org); return err })
	return list, err
}

// RequirePack makes an organization's updates run a pack from now on.
func (s *Service) RequirePack(ctx context.Context, by Caller, r PackRequirement) error {
	if err := s.mayPolicy(ctx, by, "policy.enable", r.Org); err != nil {
		return err
	}
	if len(r.Config) > 0 && !json.Valid(r.Config) {
		return Fail(CodeInvalid, "the configuration of policy pack %s is not JSON", quoted(r.Pack))
	}
	return s.store.Update(ctx, func(tx Tx) error {
		if _, err := findPack(tx, r.Org, r.Pack, r.Tag); err != nil {
			return missing(err, "there is no complete policy pack %s %s in organization %s", quoted(r.Pack), r.Tag, r.Org)
		}
		if err := tx.PutRequirement(r); err != nil {
			return err
		}
		return record(tx, by, "policy.enable", r.Org+"/"+r.Pack, map[string]string{"tag": r.Tag})
	})
}

// ReleasePack takes a requirement back; where a tag is given, only the one of
// that version.
func (s *Service) ReleasePack(ctx context.Context, by Caller, org, name, tag string) error {
	if err := s.mayPolicy(ctx, by, "policy.disable", org); err != nil {
		return err
	}
	return s.store.Update(ctx, func(tx Tx) error {
		requirements, err := tx.Requirements(org)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(requirements, func(r PackRequirement) bool { return r.Pack == name && (tag == "" || r.Tag == tag) }) {
			return Fail(CodeNotFound, "policy pack %s %s is not required in organization %s", quoted(name), tag, org)
		}
		if err := tx.DeleteRequirement(org, name); err != nil {
			return err
		}
		return record(tx, by, "policy.disable", org+"/"+name, nil)
	})
}
