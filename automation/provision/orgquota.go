package provision

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"redoubt/automation/backend"
)

// OrganizationQuota is what holds for an organization's projects that say nothing,
// and what who manages a project alone does not go beyond.
type OrganizationQuota struct {
	Quota Quota
	// Version counts changes: the ETag. It is 1 where nobody has said anything.
	Version int64
}

// organizationQuotas starts the names of settings.
const organizationQuotas = "quota/"

// organizationQuota reads an organization's; that of one that says nothing is empty.
func organizationQuota(tx Tx, org string) (q OrganizationQuota, err error) {
	text, err := tx.Setting(organizationQuotas + strings.ToLower(org))
	if errors.Is(err, backend.ErrNotFound) {
		return OrganizationQuota{Version: 1}, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &q)
	}
	return q, err
}

// OrganizationQuota returns what an organization says of its projects' quotas.
func (s *Service) OrganizationQuota(ctx context.Context, p Principal, org string) (q OrganizationQuota, err error) {
	if err := s.allow(ctx, p, ActionRead, Resource{Org: org}, named("organization", org)); err != nil {
		return q, err
	}
	err = s.read(ctx, func(tx Tx) error {
		if _, err := tx.Organization(org); err != nil {
			return absent(err, named("organization", org))
		}
		q, err = organizationQuota(tx, org)
		return err
	})
	return q, err
}

// SetOrganizationQuota says what holds for an organization's projects, of the version
// that the caller has seen. What projects say themselves stays.
func (s *Service) SetOrganizationQuota(ctx context.Context, p Principal, org string, version int64, quota Quota) (q OrganizationQuota, err error) {
	if err := s.allow(ctx, p, ActionManageSettings, Resource{Org: org}, named("organization", org)); err != nil {
		return q, err
	}
	var f findings
	quota.check(&f, "")
	if err := f.err(); err != nil {
		return q, err
	}
	err = s.write(ctx, func(tx Tx) error {
		found, err := tx.Organization(org)
		if err != nil {
			return absent(err, named("organization", org))
		}
		if err := countAlone(tx); err != nil {
			return err
		}
		if q, err = organizationQuota(tx, org); err != nil {
			return err
		}
		if err := sameVersion(version, q.Version); err != nil {
			return err
		}
		q = OrganizationQuota{quota, q.Version + 1}
		text, err := json.Marshal(q)
		if err != nil {
			return err
		}
		if err := tx.PutSetting(organizationQuotas+strings.ToLower(org), text); err != nil {
			return err
		}
		return recordBy(tx, p, "quota.update", found.Name, map[string]string{"version": fmt.Sprint(q.Version), "quota": quota.String()})
	})
	return q, err
}

// withinOrganization says whether somebody may give a project a quota: what goes
// beyond the organization's, and is not there yet, takes who manages that.
func (s *Service) withinOrganization(ctx context.Context, p Principal, project Project, now, wanted Quota) error {
	var of OrganizationQuota
	if err := s.read(ctx, func(tx Tx) (err error) { of, err = organizationQuota(tx, project.Org); return err }); err != nil {
		return err
	}
	var beyond []string
	for i, bound := range of.Quota.bounds() {
		had, want := now.bounds()[i].value, wanted.bounds()[i].value
		if bound.value > 0 && want > bound.value && want != had {
			beyond = append(beyond, bound.name)
		}
	}
	if len(beyond) == 0 {
		return nil
	}
	judge, err := s.judge(ctx, p)
	if err != nil {
		return err
	}
	d, err := judge(ActionManageSettings, Resource{Org: project.Org})
	if err != nil || d.Allowed {
		return err
	}
	return s.refuse(ctx, p, ActionManageSettings, project.resource().String(), fmt.Sprintf(
		"%s may not raise %s beyond what organization %s allows its projects: who manages the organization may",
		p.Name, strings.Join(beyond, ", "), project.Org), d.Policies)
}
