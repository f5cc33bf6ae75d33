package provision

import (
	"cmp"
	"errors"
	"strconv"
	"time"

	"redoubt/automation/backend"
)

// quota is what holds for a project: what it says, its organization's default, or the
// service's.
func (s *Service) quota(tx Tx, project Project) (Quota, error) {
	of, err := organizationQuota(tx, project.Org)
	return project.Settings.Quota.or(of.Quota).or(s.opts.Quota), err
}

// or is the quota, with what another one says where it says nothing.
func (q Quota) or(other Quota) Quota {
	return Quota{
		Stacks: cmp.Or(q.Stacks, other.Stacks), ResourcesPerStack: cmp.Or(q.ResourcesPerStack, other.ResourcesPerStack),
		Concurrent: cmp.Or(q.Concurrent, other.Concurrent), Queued: cmp.Or(q.Queued, other.Queued),
		PerHour: cmp.Or(q.PerHour, other.PerHour), MaxTTL: cmp.Or(q.MaxTTL, other.MaxTTL),
	}
}

// countAlone lets one transaction at a time count and add: two that count 29 of 30
// at once would make 31. The audit log's lock does it, which every change takes
// sooner or later.
func countAlone(tx Tx) error {
	if _, err := tx.LastAudit(); err != nil && !errors.Is(err, backend.ErrNotFound) {
		return err
	}
	return nil
}

// stackLeft says whether the project may have one more stack, and tells when nine of
// ten are used. The caller has called countAlone.
func (s *Service) stackLeft(tx Tx, project Project) error {
	q, err := s.quota(tx, project)
	if err != nil {
		return err
	}
	most := q.Stacks
	n, err := tx.CountEnvironments(project.ID)
	if err != nil || most == 0 {
		return err
	}
	if n >= most {
		return Fail(CodeQuotaExceeded, "project %s/%s has %d of %d stacks: destroy one with remove_stack, or have the quota raised",
			project.Org, project.Name, n, most)
	}
	if n+1 != (9*most+9)/10 {
		return nil
	}
	return notify(tx, project.Org, project.ID, "quota.near", map[string]string{
		"project_id": project.ID, "quota": "stacks", "used": strconv.Itoa(n + 1), "of": strconv.Itoa(most), "url": "/v1/projects/" + project.ID,
	})
}

// operationLeft says whether the project may order one more operation. The caller
// has called countAlone.
func (s *Service) operationLeft(tx Tx, project Project) error {
	q, err := s.quota(tx, project)
	if err != nil {
		return err
	}
	waiting, err := tx.CountOperations(project.ID, Queued, Approved)
	if err != nil {
		return err
	}
	if q.Queued > 0 && waiting >= q.Queued {
		return &Error{Code: CodeQuotaExceeded, RetryAfter: time.Minute, Message: "the queue of project " + project.Org + "/" + project.Name +
			" is full: wait for operations to be done, cancel some, or have the quota raised"}
	}
	if q.PerHour == 0 {
		return nil
	}
	since := tx.Now().Add(-time.Hour)
	n, err := tx.CountOperationsSince(project.ID, since)
	if err != nil || n < q.PerHour {
		return err
	}
	newest, err := tx.Operations(OperationQuery{ProjectIDs: []string{project.ID}, Since: since, Limit: q.PerHour})
	if err != nil {
		return err
	}
	// One may be ordered when the oldest of the last so many is an hour old.
	wait := time.Minute
	if len(newest) == q.PerHour {
		wait = max(time.Second, newest[len(newest)-1].CreatedAt.Sub(since))
	}
	return &Error{Code: CodeQuotaExceeded, RetryAfter: wait, Message: "project " + project.Org + "/" + project.Name +
		" has ordered as many operations in the last hour as its quota allows: wait, or have the quota raised"}
}
