package provision

import (
	"errors"
	"strconv"
	"time"

	"redoubt/automation/backend"
)

// quota is what holds for a project: what it says, or the service's default.
func (s *Service) quota(project Project) Quota {
	q, or := project.Settings.Quota, s.opts.Quota
	pick := func(n *int, otherwise int) {
		if *n == 0 {
			*n = otherwise
		}
	}
	pick(&q.Stacks, or.Stacks)
	pick(&q.ResourcesPerStack, or.ResourcesPerStack)
	pick(&q.Concurrent, or.Concurrent)
	pick(&q.Queued, or.Queued)
	pick(&q.PerHour, or.PerHour)
	if q.MaxTTL == 0 {
		q.MaxTTL = or.MaxTTL
	}
	return q
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
	most := s.quota(project).Stacks
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
	q := s.quota(project)
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
