package provision

import (
	"fmt"
	"path"
	"slices"
	"time"
)

const (
	// mostRules bounds approval rules, and freeze windows.
	mostRules = 50
	// mostApprovers bounds how many people one rule may want.
	mostApprovers = 20
	// longestApproval bounds how long an approval may take.
	longestApproval = 30 * 24 * time.Hour
	// highestQuota bounds each number of a quota.
	highestQuota = 1_000_000
)

// kinds are all kinds of operations.
var kinds = []OperationKind{KindPreview, KindUp, KindRefresh, KindDrift, KindDestroy, KindRecover}

// check finds everything that is wrong with a project's settings.
func (s ProjectSettings) check(f *findings, at string, known []Blueprint) {
	for i, name := range s.Blueprints {
		if !slices.ContainsFunc(known, func(b Blueprint) bool { return b.Name == name }) {
			f.add(fmt.Sprintf("%s/blueprints/%d", at, i), "%.100q is no blueprint of the catalogue", name)
		}
	}
	s.Quota.check(f, at+"/quota")
	if len(s.ApprovalRules) > mostRules {
		f.add(at+"/approval_rules", "has %d rules: at most %d", len(s.ApprovalRules), mostRules)
	}
	names := map[string]bool{}
	for i, r := range s.ApprovalRules {
		place := fmt.Sprintf("%s/approval_rules/%d", at, i)
		r.check(f, place)
		if names[r.Name] {
			f.add(place+"/name", "another rule has it")
		}
		names[r.Name] = true
	}
	if len(s.FreezeWindows) > mostRules {
		f.add(at+"/freeze_windows", "has %d windows: at most %d", len(s.FreezeWindows), mostRules)
	}
	for i, w := range s.FreezeWindows {
		w.check(f, fmt.Sprintf("%s/freeze_windows/%d", at, i))
	}
}

func (q Quota) check(f *findings, at string) {
	for _, n := range q.bounds() {
		if n.name != "max_ttl" && (n.value < 0 || n.value > highestQuota) {
			f.add(at+"/"+n.name, "is %d: 0 for the service's default, at most %d", n.value, highestQuota)
		}
	}
	if q.MaxTTL < 0 {
		f.add(at+"/max_ttl", "is %s: 0 for no bound", q.MaxTTL)
	}
}

func (r ApprovalRule) check(f *findings, at string) {
	f.text(at+"/name", r.Name, 1, 100)
	if _, err := path.Match(r.Stacks, ""); err != nil {
		f.add(at+"/stacks", "is no pattern of a stack's name: for example \"prod-*\"")
	}
	for i, k := range r.Kinds {
		if !slices.Contains(kinds, k) || !k.Changes() {
			f.add(fmt.Sprintf("%s/kinds/%d", at, i), "%.40q is no kind that changes a stack: up, refresh, destroy or recover", k)
		}
	}
	if r.Required < 0 || r.Required > mostApprovers {
		f.add(at+"/required", "is %d: 0 for nobody, at most %d", r.Required, mostApprovers)
	}
	for i, g := range r.Groups {
		f.text(fmt.Sprintf("%s/groups/%d", at, i), g, 1, 200)
	}
	if r.Expiry < 0 || r.Expiry > longestApproval {
		f.add(at+"/expiry", "is %s: 0 for the service's default, at most %s", r.Expiry, longestApproval)
	}
}
