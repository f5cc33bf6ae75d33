package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"redoubt/automation/backend"
	"redoubt/automation/provision"
)

// double is the use cases in memory, until the tests run on the real ones: rights
// are "read" and "write" on a project, or on "*" for all.
type double struct {
	mu       sync.Mutex
	rights   map[string]map[string]string
	projects []provision.Project
	stacks   []provision.Environment
	ops      []provision.Operation
	events   map[string][]provision.Event
	changed  chan struct{}
	waivers  []provision.Waiver
	bindings []provision.Binding
	hooks    []provision.Webhook
	sent     []provision.Delivery
	replies  map[string]provision.Reply
	traces   []string
	n        int
	// fault is returned by orders where it is set.
	fault error
}

func (d *double) id(prefix string) string { d.n++; return fmt.Sprintf("%s_%026d", prefix, d.n) }

func (d *double) may(p provision.Principal, project string, write bool) error {
	right := d.rights[p.Name][project]
	if all := d.rights[p.Name]["*"]; all != "" {
		right = all
	}
	switch {
	case right == "" && project != "*":
		return provision.Fail(provision.CodeNotFound, "there is no such thing")
	case right == "" || write && right != "write":
		return provision.Fail(provision.CodeForbidden, "you may not do that")
	}
	return nil
}

func find[T any](d *double, items []T, p provision.Principal, write bool, project func(T) string, is func(T) bool) (*T, error) {
	i := slices.IndexFunc(items, is)
	if i < 0 {
		return nil, provision.Fail(provision.CodeNotFound, "there is no such thing")
	}
	return &items[i], d.may(p, project(items[i]), write)
}

func at[T any](items []T, p *T, err error) (T, error) {
	if err != nil {
		var none T
		return none, err
	}
	return *p, nil
}

func (d *double) project(p provision.Principal, id string, write bool) (*provision.Project, error) {
	return find(d, d.projects, p, write, func(p provision.Project) string { return p.ID }, func(p provision.Project) bool { return p.ID == id || p.Org+"/"+p.Name == id })
}

func (d *double) stack(p provision.Principal, id string, write bool) (*provision.Environment, error) {
	return find(d, d.stacks, p, write, func(e provision.Environment) string { return e.ProjectID }, func(e provision.Environment) bool { return e.ID == id || e.Name.String() == id })
}

func (d *double) op(p provision.Principal, id string, write bool) (*provision.Operation, error) {
	return find(d, d.ops, p, write, func(o provision.Operation) string { return o.ProjectID }, func(o provision.Operation) bool { return o.ID == id })
}

func (d *double) lock() func() { d.mu.Lock(); return d.mu.Unlock }

func (d *double) CreateProject(_ context.Context, p provision.Principal, n provision.NewProject) (provision.Project, error) {
	defer d.lock()()
	if err := d.may(p, "*", true); err != nil {
		return provision.Project{}, err
	}
	made := provision.Project{ID: d.id("prj"), Org: n.Org, Name: n.Name, Description: n.Description, Version: 1}
	if n.Settings != nil {
		made.Settings = *n.Settings
	}
	d.projects = append(d.projects, made)
	return made, nil
}

func (d *double) Project(_ context.Context, p provision.Principal, id string) (provision.Project, error) {
	defer d.lock()()
	found, err := d.project(p, id, false)
	return at(d.projects, found, err)
}

func (d *double) Projects(_ context.Context, p provision.Principal, org, after string, limit int) ([]provision.Project, string, error) {
	defer d.lock()()
	var out []provision.Project
	for _, x := range d.projects {
		if d.may(p, x.ID, false) == nil && x.ID > after && (org == "" || org == x.Org) {
			if len(out) == limit {
				return out, out[limit-1].ID, nil
			}
			out = append(out, x)
		}
	}
	return out, "", nil
}

func (d *double) UpdateProject(_ context.Context, p provision.Principal, id string, version int64, patch provision.ProjectPatch) (provision.Project, error) {
	defer d.lock()()
	found, err := d.project(p, id, true)
	if err != nil {
		return provision.Project{}, err
	}
	if found.Version != version {
		return *found, provision.Fail(provision.CodePreconditionFailed, "it was changed")
	}
	if patch.Description != nil {
		found.Description = *patch.Description
	}
	if patch.Settings != nil {
		found.Settings = *patch.Settings
	}
	found.Version++
	return *found, nil
}

var bucket = provision.Blueprint{
	BlueprintRef: provision.BlueprintRef{Name: "secure-bucket", Version: "1.0.0", Digest: "sha256:1"}, Summary: "A bucket.",
	Schema:  json.RawMessage(`{"type":"object","required":["name"],"properties":{"name":{"type":"string","description":"What it is called."},"password":{"type":"string","writeOnly":true},"days":{"type":"integer","default":30,"minimum":1}}}`),
	Example: json.RawMessage(`{"name":"logs"}`), SecretInputs: []string{"/password", "/users/*/key"},
}

func (d *double) Blueprints(_ context.Context, p provision.Principal) ([]provision.Blueprint, error) {
	defer d.lock()()
	if len(d.rights[p.Name]) == 0 {
		return nil, provision.Fail(provision.CodeForbidden, "you may not do that")
	}
	return []provision.Blueprint{bucket}, nil
}

func (d *double) Blueprint(ctx context.Context, p provision.Principal, name, version string) (provision.Blueprint, error) {
	if _, err := d.Blueprints(ctx, p); err != nil || name != bucket.Name || version != "" && version != bucket.Version {
		return provision.Blueprint{}, provision.Fail(provision.CodeNotFound, "there is no blueprint %s", name)
	}
	return bucket, nil
}

func (d *double) CreateEnvironment(_ context.Context, p provision.Principal, n provision.NewEnvironment) (provision.Environment, provision.Operation, error) {
	defer d.lock()()
	project, err := d.project(p, n.ProjectID, true)
	if err != nil {
		return provision.Environment{}, provision.Operation{}, err
	}
	if d.fault != nil {
		return provision.Environment{}, provision.Operation{}, d.fault
	}
	var in struct{ Name string }
	if json.Unmarshal(n.Inputs, &in) != nil || in.Name == "" {
		return provision.Environment{}, provision.Operation{}, &provision.Error{
			Code: provision.CodeInvalid, Message: "the inputs are not valid", Fields: []provision.FieldError{{Pointer: "/inputs/name", Message: "is missing"}, {Pointer: "/inputs/x", Message: "is unknown"}},
		}
	}
	e := provision.Environment{
		ID: d.id("stk"), ProjectID: project.ID, Name: backend.StackName{Org: project.Org, Project: project.Name, Stack: n.Name}, Blueprint: bucket.BlueprintRef,
		Inputs: n.Inputs, Labels: n.Labels, Owner: p.Human, Version: 1, CreatedAt: time.Now().UTC(),
	}
	if n.TTL > 0 {
		e.ExpiresAt = e.CreatedAt.Add(n.TTL)
	}
	d.stacks = append(d.stacks, e)
	d.traces = append(d.traces, n.Trace)
	return e, d.order(p, e, provision.KindUp, n.Inputs, n.Trace), nil
}

func (d *double) order(p provision.Principal, e provision.Environment, kind provision.OperationKind, inputs json.RawMessage, trace string) provision.Operation {
	o := provision.Operation{
		ID: d.id("op"), StackID: e.ID, Stack: e.Name, ProjectID: e.ProjectID, Kind: kind, State: provision.Queued, Version: 1, Blueprint: e.Blueprint, Inputs: inputs,
		RequestedBy: p.Actor(), Trace: trace, CreatedAt: time.Now().UTC(),
	}
	d.ops = append(d.ops, o)
	d.tell(o.ID, provision.EventState, map[string]string{"to": "queued"})
	return o
}

func (d *double) tell(op string, kind provision.EventType, data any) {
	text, _ := json.Marshal(data)
	if d.events == nil {
		d.events = map[string][]provision.Event{}
	}
	d.events[op] = append(d.events[op], provision.Event{Seq: int64(len(d.events[op]) + 1), At: time.Now().UTC(), Type: kind, Data: text})
	if d.changed != nil {
		close(d.changed)
	}
	d.changed = make(chan struct{})
}

// move is what a worker does.
func (d *double) move(op string, to provision.State) {
	defer d.lock()()
	for i := range d.ops {
		if d.ops[i].ID == op {
			d.ops[i].State = to
			d.ops[i].Version++
		}
	}
	d.tell(op, provision.EventState, map[string]string{"to": string(to)})
	if to.Final() {
		d.tell(op, provision.EventEnd, map[string]string{"to": string(to)})
	}
}

func (d *double) Environment(_ context.Context, p provision.Principal, id string) (provision.Environment, error) {
	defer d.lock()()
	found, err := d.stack(p, id, false)
	return at(d.stacks, found, err)
}

func (d *double) Environments(_ context.Context, p provision.Principal, q provision.EnvironmentQuery) ([]provision.Environment, string, error) {
	defer d.lock()()
	var out []provision.Environment
	for _, x := range d.stacks {
		if d.may(p, x.ProjectID, false) == nil && x.ID > q.After && (q.ProjectIDs == nil || slices.Contains(q.ProjectIDs, x.ProjectID)) {
			if len(out) == q.Limit {
				return out, out[q.Limit-1].ID, nil
			}
			out = append(out, x)
		}
	}
	return out, "", nil
}

func (d *double) change(p provision.Principal, id string, version int64, do func(*provision.Environment)) (provision.Environment, error) {
	defer d.lock()()
	e, err := d.stack(p, id, true)
	if err != nil {
		return provision.Environment{}, err
	}
	if version >= 0 && e.Version != version {
		return *e, provision.Fail(provision.CodePreconditionFailed, "it was changed")
	}
	do(e)
	e.Version++
	return *e, nil
}

func (d *double) UpdateEnvironment(_ context.Context, p provision.Principal, id string, version int64, patch provision.EnvironmentPatch) (provision.Environment, error) {
	return d.change(p, id, version, func(e *provision.Environment) {
		if patch.Labels != nil {
			e.Labels = patch.Labels
		}
		if patch.Protected != nil {
			e.Protected = *patch.Protected
		}
	})
}

func (d *double) SetLock(_ context.Context, p provision.Principal, id, reason string) (provision.Environment, error) {
	return d.change(p, id, -1, func(e *provision.Environment) { e.Lock = &provision.MaintenanceLock{By: p.Name, Reason: reason} })
}

func (d *double) ClearLock(_ context.Context, p provision.Principal, id string) (provision.Environment, error) {
	return d.change(p, id, -1, func(e *provision.Environment) { e.Lock = nil })
}

func (d *double) SetTTL(_ context.Context, p provision.Principal, id string, version int64, ttl time.Duration) (provision.Environment, error) {
	return d.change(p, id, version, func(e *provision.Environment) {
		if e.ExpiresAt = time.Now().UTC().Add(ttl); ttl == 0 {
			e.ExpiresAt = time.Time{}
		}
	})
}

func (d *double) SetSchedules(_ context.Context, p provision.Principal, id string, version int64, s []provision.Schedule) (provision.Environment, error) {
	return d.change(p, id, version, func(e *provision.Environment) { e.Schedules = s })
}

func (d *double) Outputs(ctx context.Context, p provision.Principal, id string) (map[string]any, error) {
	_, err := d.Environment(ctx, p, id)
	return map[string]any{"bucket": "logs", "key": "[secret]"}, err
}

func (d *double) RevealOutputs(_ context.Context, p provision.Principal, id, _ string) (map[string]any, error) {
	_, err := d.change(p, id, -1, func(*provision.Environment) {})
	return map[string]any{"bucket": "logs", "key": "hunter2"}, err
}

func (d *double) Resources(ctx context.Context, p provision.Principal, id string) ([]provision.StackResource, error) {
	_, err := d.Environment(ctx, p, id)
	return []provision.StackResource{{URN: "urn:pulumi:x::y::t::n", Type: "t"}}, err
}

func (d *double) History(ctx context.Context, p provision.Principal, id string, page, size int) ([]backend.Update, error) {
	if _, err := d.Environment(ctx, p, id); err != nil {
		return nil, err
	}
	var out []backend.Update
	for i := 5; i > 0; i-- {
		out = append(out, backend.Update{ID: fmt.Sprint("upd_", i), Version: int64(i)})
	}
	from := min((page-1)*size, len(out))
	return out[from:min(from+size, len(out))], nil
}

func (d *double) Order(_ context.Context, p provision.Principal, id string, n provision.NewOperation) (provision.Operation, error) {
	defer d.lock()()
	e, err := d.stack(p, id, true)
	if err != nil {
		return provision.Operation{}, err
	}
	if d.fault != nil {
		return provision.Operation{}, d.fault
	}
	if n.Kind == provision.KindDestroy && n.Confirm != e.Name.Stack {
		return provision.Operation{}, &provision.Error{Code: provision.CodeInvalid, Message: "confirm must be the stack's name", Fields: []provision.FieldError{{Pointer: "/confirm", Message: "must be " + e.Name.Stack}}}
	}
	return d.order(p, *e, n.Kind, n.Inputs, n.Trace), nil
}

func (d *double) Operation(_ context.Context, p provision.Principal, id string) (provision.Operation, error) {
	defer d.lock()()
	found, err := d.op(p, id, false)
	return at(d.ops, found, err)
}

func (d *double) Operations(_ context.Context, p provision.Principal, q provision.OperationQuery) ([]provision.Operation, string, error) {
	defer d.lock()()
	var out []provision.Operation
	for _, x := range slices.Backward(d.ops) {
		if d.may(p, x.ProjectID, false) != nil || q.Before != "" && x.ID >= q.Before || q.StackID != "" && q.StackID != x.StackID ||
			len(q.States) > 0 && !slices.Contains(q.States, x.State) {
			continue
		}
		if len(out) == q.Limit {
			return out, out[q.Limit-1].ID, nil
		}
		out = append(out, x)
	}
	return out, "", nil
}

func (d *double) Cancel(ctx context.Context, p provision.Principal, id string, _ bool) (provision.Operation, error) {
	d.mu.Lock()
	found, err := d.op(p, id, true)
	d.mu.Unlock()
	if err != nil {
		return provision.Operation{}, err
	}
	if found.State.Final() {
		return *found, &provision.Error{Code: provision.CodeConflict, Operation: id, Message: "it has ended"}
	}
	d.move(id, provision.Canceled)
	return d.Operation(ctx, p, id)
}

func (d *double) Retry(_ context.Context, p provision.Principal, id string) (provision.Operation, error) {
	defer d.lock()()
	o, err := d.op(p, id, true)
	if err != nil {
		return provision.Operation{}, err
	}
	e, err := d.stack(p, o.StackID, true)
	if err != nil {
		return provision.Operation{}, err
	}
	return d.order(p, *e, o.Kind, o.Inputs, ""), nil
}

func (d *double) Events(_ context.Context, p provision.Principal, id string, after int64, limit int) ([]provision.Event, error) {
	defer d.lock()()
	if _, err := d.op(p, id, false); err != nil {
		return nil, err
	}
	all := d.events[id]
	from := min(int(after), len(all))
	return slices.Clone(all[from:min(from+limit, len(all))]), nil
}

func (d *double) WaitEvents(ctx context.Context, p provision.Principal, id string, after int64, limit int) ([]provision.Event, error) {
	for {
		d.mu.Lock()
		changed := d.changed
		d.mu.Unlock()
		events, err := d.Events(ctx, p, id, after, limit)
		o, _ := d.Operation(ctx, p, id)
		if err != nil || len(events) > 0 || o.State.Final() {
			return events, err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (d *double) WaitOperation(ctx context.Context, p provision.Principal, id string, most time.Duration) (provision.Operation, error) {
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	for {
		d.mu.Lock()
		changed := d.changed
		d.mu.Unlock()
		o, err := d.Operation(ctx, p, id)
		if err != nil || o.State.Final() || o.State == provision.AwaitingApproval {
			return o, err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return o, nil
		}
	}
}

func (d *double) Approvals(ctx context.Context, p provision.Principal, id string) ([]provision.Approval, error) {
	_, err := d.Operation(ctx, p, id)
	return nil, err
}

func (d *double) Decide(ctx context.Context, p provision.Principal, id string, n provision.NewDecision) (provision.Operation, error) {
	d.mu.Lock()
	o, err := d.op(p, id, true)
	d.mu.Unlock()
	if err != nil {
		return provision.Operation{}, err
	}
	if o.State != provision.AwaitingApproval {
		return *o, provision.Fail(provision.CodeConflict, "operation %s is %s and waits for nobody", id, o.State)
	}
	if o.Plan == nil || o.Plan.Digest != n.PlanDigest {
		return *o, &provision.Error{Code: provision.CodePlanStale, Operation: id, Message: "the plan is another one by now"}
	}
	d.move(id, map[string]provision.State{"approve": provision.Approved, "reject": provision.Rejected}[n.Decision])
	return d.Operation(ctx, p, id)
}

func (d *double) CreateWaiver(_ context.Context, p provision.Principal, n provision.NewWaiver) (provision.Waiver, error) {
	defer d.lock()()
	if _, err := d.project(p, n.ProjectID, true); err != nil {
		return provision.Waiver{}, err
	}
	w := provision.Waiver{ID: d.id("wvr"), ProjectID: n.ProjectID, Policy: n.Policy, Stack: n.Stack, Resource: n.Resource, Reason: n.Reason, Version: 1, ExpiresAt: time.Now().Add(n.Lifetime)}
	d.waivers = append(d.waivers, w)
	return w, nil
}

func (d *double) Waivers(_ context.Context, p provision.Principal, project string) ([]provision.Waiver, error) {
	defer d.lock()()
	_, err := d.project(p, project, false)
	return d.waivers, err
}

func (d *double) RevokeWaiver(_ context.Context, p provision.Principal, id string) (provision.Waiver, error) {
	defer d.lock()()
	w, err := find(d, d.waivers, p, true, func(w provision.Waiver) string { return w.ProjectID }, func(w provision.Waiver) bool { return w.ID == id })
	return at(d.waivers, w, err)
}

func (d *double) CreateBinding(_ context.Context, p provision.Principal, n provision.NewBinding) (provision.Binding, error) {
	defer d.lock()()
	b := provision.Binding{ID: d.id("bnd"), Subject: n.Subject, Role: n.Role, Scope: n.Scope, Version: 1}
	err := d.may(p, "*", true)
	if err == nil {
		d.bindings = append(d.bindings, b)
	}
	return b, err
}

func (d *double) Bindings(_ context.Context, p provision.Principal) ([]provision.Binding, error) {
	defer d.lock()()
	return d.bindings, d.may(p, "*", false)
}

func (d *double) DeleteBinding(_ context.Context, p provision.Principal, _ string) error {
	defer d.lock()()
	return d.may(p, "*", true)
}

func (d *double) CreateWebhook(_ context.Context, p provision.Principal, n provision.NewWebhook) (provision.Webhook, string, error) {
	defer d.lock()()
	w := provision.Webhook{ID: d.id("whk"), Org: n.Org, URL: n.URL, Types: n.Types, Version: 1, SealedSecrets: [][]byte{[]byte("SEALED")}}
	err := d.may(p, "*", true)
	if err == nil {
		d.hooks = append(d.hooks, w)
	}
	return w, "whsec_x", err
}

func (d *double) Webhooks(_ context.Context, p provision.Principal, _ string) ([]provision.Webhook, error) {
	defer d.lock()()
	return d.hooks, d.may(p, "*", false)
}

func (d *double) UpdateWebhook(_ context.Context, p provision.Principal, id string, version int64, _ provision.WebhookPatch) (provision.Webhook, error) {
	defer d.lock()()
	if err := d.may(p, "*", true); err != nil {
		return provision.Webhook{}, err
	}
	for i := range d.hooks {
		if d.hooks[i].ID == id && d.hooks[i].Version == version {
			d.hooks[i].Version++
			return d.hooks[i], nil
		}
	}
	return provision.Webhook{}, provision.Fail(provision.CodePreconditionFailed, "it was changed")
}

func (d *double) DeleteWebhook(_ context.Context, p provision.Principal, _ string) error {
	defer d.lock()()
	return d.may(p, "*", true)
}

func (d *double) RotateWebhookSecret(_ context.Context, p provision.Principal, _ string) (string, error) {
	defer d.lock()()
	return "whsec_y", d.may(p, "*", true)
}

func (d *double) TestWebhook(_ context.Context, p provision.Principal, id string) (provision.Delivery, error) {
	defer d.lock()()
	return provision.Delivery{ID: d.id("dlv"), WebhookID: id}, d.may(p, "*", true)
}

func (d *double) Deliveries(_ context.Context, p provision.Principal, _, _ string, _ int) ([]provision.Delivery, error) {
	defer d.lock()()
	return d.sent, d.may(p, "*", false)
}

func (d *double) Redeliver(_ context.Context, p provision.Principal, id string) (provision.Delivery, error) {
	defer d.lock()()
	return provision.Delivery{ID: id}, d.may(p, "*", true)
}

func (d *double) Audit(_ context.Context, p provision.Principal, after int64, limit int) ([]backend.AuditEntry, error) {
	defer d.lock()()
	var out []backend.AuditEntry
	for i := after + 1; i <= 5 && len(out) < limit; i++ {
		out = append(out, backend.AuditEntry{Sequence: i, Principal: p.Name, Action: "x"})
	}
	return out, d.may(p, "*", false)
}

func (d *double) AuditCheckpoints(_ context.Context, p provision.Principal, _ int64, _ int) ([]provision.AuditCheckpoint, error) {
	defer d.lock()()
	return nil, d.may(p, "*", false)
}

func (d *double) Claims(_ context.Context, p provision.Principal) ([]provision.Claim, error) {
	defer d.lock()()
	return []provision.Claim{{Node: "n1"}}, d.may(p, "*", false)
}

func (d *double) BeginRequest(_ context.Context, _ provision.Principal, r provision.Reply) (*provision.Reply, error) {
	defer d.lock()()
	key := strings.Join([]string{r.Principal, r.Key, r.Route}, "\x00")
	if stored, ok := d.replies[key]; ok {
		if stored.Status == 0 && bytes.Equal(stored.RequestHash, r.RequestHash) {
			return nil, provision.Fail(provision.CodeConflict, "it is being answered")
		}
		return &stored, nil
	}
	if d.replies == nil {
		d.replies = map[string]provision.Reply{}
	}
	d.replies[key] = r
	return nil, nil
}

func (d *double) EndRequest(_ context.Context, _ provision.Principal, r provision.Reply) error {
	defer d.lock()()
	d.replies[strings.Join([]string{r.Principal, r.Key, r.Route}, "\x00")] = r
	return nil
}

func (d *double) DropRequest(_ context.Context, _ provision.Principal, r provision.Reply) error {
	defer d.lock()()
	delete(d.replies, strings.Join([]string{r.Principal, r.Key, r.Route}, "\x00"))
	return nil
}
