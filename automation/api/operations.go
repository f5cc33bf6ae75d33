package api

import (
	"context"
	"encoding/json"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"redoubt/automation/provision"
)

// Operation is one order.
type Operation struct {
	ID        string       `json:"id"`
	StackID   string       `json:"stack_id"`
	Stack     string       `json:"stack" doc:"org/project/stack."`
	ProjectID string       `json:"project_id"`
	Kind      string       `json:"kind"`
	State     string       `json:"state" doc:"docs/api.md draws what follows what."`
	Final     bool         `json:"final" doc:"Nothing follows."`
	Version   int64        `json:"version"`
	Blueprint BlueprintRef `json:"blueprint"`
	// Inputs are in answers on one operation alone.
	Inputs          json.RawMessage    `json:"inputs,omitempty" doc:"Secrets masked; not in lists."`
	Priority        int                `json:"priority"`
	Options         OrderOptions       `json:"options,omitzero"`
	RequestedBy     Actor              `json:"requested_by"`
	RetryOf         string             `json:"retry_of,omitempty"`
	CancelRequested string             `json:"cancel_requested,omitempty" doc:"Who wants it to end."`
	Forced          bool               `json:"forced,omitempty" doc:"It is not waited for what has begun."`
	PlanDigest      string             `json:"plan_digest,omitempty" doc:"What an approval is bound to."`
	ChangeSummary   map[string]int     `json:"change_summary,omitempty" doc:"Resources by what happens to them: what was done, else what is planned."`
	Policy          PolicyCount        `json:"policy"`
	Result          *Result            `json:"result,omitempty" doc:"What was done; not in lists."`
	Rehearsal       *Result            `json:"rehearsal,omitempty" doc:"What the rehearsal account said; not in lists."`
	Unrehearsed     string             `json:"unrehearsed,omitempty" doc:"Why it was not rehearsed although its project says so."`
	Failure         *Failure           `json:"failure,omitempty"`
	Required        []RequiredApproval `json:"required_approvals,omitempty"`
	Node            string             `json:"node,omitempty" doc:"The worker that has it."`
	CreatedAt       time.Time          `json:"created_at"`
	UpdatedAt       time.Time          `json:"updated_at"`
	StartedAt       time.Time          `json:"started_at,omitzero"`
	DeadlineAt      time.Time          `json:"deadline_at,omitzero" doc:"When its waiting ends."`
	EndedAt         time.Time          `json:"ended_at,omitzero"`
	Trace           string             `json:"trace,omitempty" doc:"The W3C traceparent of the order."`
	Links           Links              `json:"links"`
}

// Links are where more of an operation is.
type Links struct {
	Self      string `json:"self"`
	Events    string `json:"events"`
	Plan      string `json:"plan"`
	Approvals string `json:"approvals"`
}

// OrderOptions are what an order may say.
type OrderOptions struct {
	Refresh     bool   `json:"refresh,omitempty" doc:"Read the real resources first."`
	Strict      bool   `json:"strict,omitempty" doc:"For an update: hold it to the plan of the preview right before it, values too. It ends where the program would do anything else. The engine's plans do not understand everything: an update of archives that are built anew, for example, may be refused without need."`
	Supersede   bool   `json:"supersede,omitempty" doc:"Skip older operations of the stack that have not begun."`
	RemoveStack bool   `json:"remove_stack,omitempty" doc:"Remove the stack's record after a destroy."`
	Propose     bool   `json:"propose,omitempty" doc:"Wait for approval whatever the project's rules say."`
	Message     string `json:"message,omitempty" maxLength:"1000" doc:"Why, for who approves; it is kept with the update in the stack's history."`
}

func (o OrderOptions) domain() provision.OperationOptions { return provision.OperationOptions(o) }

// Actor is who did something.
type Actor struct {
	Type  string `json:"type" doc:"user, service_account or system."`
	ID    string `json:"id"`
	Human string `json:"human,omitempty" doc:"The person behind it."`
}

// PolicyCount is how many findings there are.
type PolicyCount struct {
	Mandatory int `json:"mandatory"`
	Advisory  int `json:"advisory"`
	Waived    int `json:"waived"`
}

// Plan is what a preview found, and what an approval is bound to.
type Plan struct {
	Digest       string `json:"digest"`
	ChangeDigest string `json:"change_digest" doc:"Of the changes alone."`
	BaseVersion  int64  `json:"base_version" doc:"Of the state that it was made on."`
	Packs        []Pack `json:"packs,omitempty"`
	Result
}

// Pack is a policy pack that ran.
type Pack struct {
	Name   string `json:"name"`
	Digest string `json:"digest"`
}

// Result is what the engine did, or would do.
type Result struct {
	ChangeSummary map[string]int `json:"change_summary"`
	Changes       []Change       `json:"changes,omitempty"`
	Findings      []Finding      `json:"findings,omitempty"`
	Outputs       map[string]any `json:"outputs,omitempty" doc:"Secrets are masked."`
	StateVersion  int64          `json:"state_version,omitempty" doc:"Of the state that it left."`
	Seconds       float64        `json:"seconds"`
}

// Change is what happens to one resource.
type Change struct {
	URN        string   `json:"urn"`
	Type       string   `json:"type"`
	Op         string   `json:"op"`
	Properties []string `json:"properties,omitempty" doc:"Which change."`
	Inputs     string   `json:"inputs,omitempty" doc:"Digest of what the resource is given, without secrets; none in events."`
}

// Finding is one thing that a policy pack reported.
type Finding struct {
	Pack     string `json:"pack,omitempty" doc:"The policy's pack."`
	Policy   string `json:"policy"`
	Level    string `json:"level" doc:"mandatory or advisory."`
	Severity string `json:"severity,omitempty"`
	URN      string `json:"urn,omitempty"`
	Message  string `json:"message"`
	Waiver   string `json:"waiver,omitempty" doc:"The waiver that lets it pass."`
	// Exemption is there where the finding does not count.
	Exemption *Exemption `json:"exemption,omitempty" doc:"Until when it is let pass, by whom and why: by the waiver, or by the configuration of the policy pack."`
}

// Exemption is why a finding does not count.
type Exemption struct {
	Until  time.Time `json:"until"`
	Owner  string    `json:"owner"`
	Reason string    `json:"reason"`
}

// Failure is why an operation did not succeed.
type Failure struct {
	Code    string   `json:"code"`
	Message string   `json:"message"`
	Pending []string `json:"pending,omitempty" doc:"URNs of resources that may exist although the state does not have them."`
}

// RequiredApproval is what one rule wants of an operation.
type RequiredApproval struct {
	Rule     string   `json:"rule"`
	Required int      `json:"required"`
	Granted  int      `json:"granted"`
	Groups   []string `json:"groups,omitempty"`
}

// PolicyResults are what the packs found.
type PolicyResults struct {
	Packs    []Pack      `json:"packs"`
	Count    PolicyCount `json:"count"`
	Findings []Finding   `json:"findings"`
}

// Event is one thing that happened in an operation.
type Event struct {
	Seq  int64           `json:"seq" doc:"Counts from 1."`
	TS   time.Time       `json:"ts"`
	Type string          `json:"type" doc:"state, log, resource, diagnostic, policy, progress, approval, summary or end."`
	Data json.RawMessage `json:"data"`
}

// NewOperation orders an operation on a stack.
type NewOperation struct {
	Kind    string          `json:"kind" enum:"preview,up,refresh,drift,destroy,recover"`
	Inputs  json.RawMessage `json:"inputs,omitempty" doc:"For preview and up; the last ones where nothing is said."`
	Options OrderOptions    `json:"options,omitzero"`
	Confirm string          `json:"confirm,omitempty" maxLength:"100" doc:"For destroy: the stack's own name, typed by who destroys it."`
}

func operationPath(o provision.Operation) string { return Prefix + "operations/" + o.ID }

// operationOf is an operation as it is in lists.
func operationOf(o provision.Operation) Operation {
	out := Operation{
		ID: o.ID, StackID: o.StackID, Stack: o.Stack.String(), ProjectID: o.ProjectID, Kind: string(o.Kind), State: string(o.State),
		Final: o.State.Final(), Version: o.Version, Blueprint: BlueprintRef(o.Blueprint), Priority: o.Priority,
		Options: OrderOptions(o.Options), RequestedBy: actorOf(o.RequestedBy), RetryOf: o.RetryOf,
		CancelRequested: o.CancelRequested, Forced: o.Forced, Unrehearsed: o.Unrehearsed, Node: o.Node,
		Required:  convertAll(o.Required, func(r provision.RequiredApproval) RequiredApproval { return RequiredApproval(r) }),
		CreatedAt: o.CreatedAt, UpdatedAt: o.UpdatedAt, StartedAt: o.StartedAt, DeadlineAt: o.DeadlineAt, EndedAt: o.EndedAt, Trace: o.Trace,
	}
	self := operationPath(o)
	out.Links = Links{self, self + "/events", self + "/plan", self + "/approvals"}
	if o.Failure != nil {
		out.Failure = &Failure{string(o.Failure.Code), o.Failure.Message, o.Failure.Pending}
	}
	if o.Plan != nil {
		out.PlanDigest, out.ChangeSummary, out.Policy = o.Plan.Digest, o.Plan.Counts, countOf(o.Plan.Findings)
	}
	if o.Result != nil {
		out.ChangeSummary = o.Result.Counts
	}
	return out
}

// operation is an operation as it is alone.
func (h *handlers) operation(c *call, o provision.Operation) Operation {
	out := operationOf(o)
	out.Inputs = h.inputsOf(c, out.Blueprint, o.Inputs)
	out.Result, out.Rehearsal = resultOf(o.Result), resultOf(o.Rehearsal)
	return out
}

func actorOf(a provision.Actor) Actor { return Actor{string(a.Kind), a.Name, a.Human} }

func resultOf(r *provision.Result) *Result {
	if r == nil {
		return nil
	}
	out := &Result{
		ChangeSummary: r.Counts, Outputs: r.Outputs, StateVersion: r.StateVersion, Seconds: r.Seconds,
		Changes: convertAll(r.Changes, func(c provision.Change) Change { return Change(c) }), Findings: convertAll(r.Findings, findingOf),
	}
	if out.ChangeSummary == nil {
		out.ChangeSummary = map[string]int{}
	}
	return out
}

func findingOf(f provision.Finding) Finding {
	out := Finding{Pack: f.Pack, Policy: f.Policy, Level: f.Level, Severity: f.Severity, URN: f.URN, Message: f.Message, Waiver: f.Waiver}
	if f.Exemption != nil {
		exemption := Exemption(*f.Exemption)
		out.Exemption = &exemption
	}
	return out
}

func packOf(p provision.Pack) Pack { return Pack(p) }

func countOf(findings []provision.Finding) (n PolicyCount) {
	for _, f := range findings {
		switch {
		case f.Exemption != nil:
			n.Waived++
		case f.Level == "mandatory":
			n.Mandatory++
		default:
			n.Advisory++
		}
	}
	return n
}

func eventOf(e provision.Event) Event { return Event{e.Seq, e.At, string(e.Type), orNull(e.Data)} }

// lasting is a context for starting work, which does not end with the client's
// connection: who sends the request again finds it done or not done, never half.
func (c *call) lasting() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(c), 30*time.Second)
}

// waited is the operation after waiting for it as long as the client wants; as it
// was where that fails, because it was started nevertheless.
func (h *handlers) waited(c *call, o provision.Operation, w Waiting) provision.Operation {
	if w.most() == 0 {
		return o
	}
	ctx, cancel := h.waiting(c, w.most())
	defer cancel()
	if later, err := h.service.WaitOperation(ctx, c.principal, o.ID, w.most()); err == nil {
		return later
	}
	if ctx.Err() == nil || c.Err() != nil {
		return o
	}
	// The time is over, here before there, or the process stops.
	if later, err := h.service.Operation(c, c.principal, o.ID); err == nil {
		return later
	}
	return o
}

func stateOf(s string) provision.State { return provision.State(s) }

type operationQuery struct {
	Paging
	Project string    `query:"project" maxLength:"100" doc:"Those of a project, by its id."`
	Stack   string    `query:"stack" maxLength:"100" doc:"Those of a stack, by its id."`
	States  []string  `query:"state" maxItems:"20" doc:"In one of these states, separated by commas."`
	Kinds   []string  `query:"kind" maxItems:"10" enum:"preview,up,refresh,drift,destroy,recover" doc:"Of one of these kinds."`
	Since   time.Time `query:"since" doc:"Ordered since then."`

	RequestedBy string `query:"requested_by" maxLength:"300" doc:"Ordered by somebody, as role bindings name them." example:"user:alice"`
}

func (h *handlers) listOperations(c *call, in *operationQuery) (*answer[page[Operation]], error) {
	operations, next, err := h.service.Operations(c, c.principal, provision.OperationQuery{
		ProjectIDs: listOf(in.Project), StackID: in.Stack, Since: in.Since, Before: in.Cursor.after, Limit: in.Limit,
		RequestedBy: in.RequestedBy, States: convertAll(in.States, stateOf),
		Kinds: convertAll(in.Kinds, func(k string) provision.OperationKind { return provision.OperationKind(k) }),
	})
	return pageOf(operations, next, operationOf), err
}

func (h *handlers) listStackOperations(c *call, in *pageOfOne) (*answer[page[Operation]], error) {
	if _, err := h.service.Environment(c, c.principal, in.ID); err != nil {
		return nil, err
	}
	operations, next, err := h.service.Operations(c, c.principal, provision.OperationQuery{StackID: in.ID, Before: in.Cursor.after, Limit: in.Limit})
	return pageOf(operations, next, operationOf), err
}

type newOperationInput struct {
	WithID
	Keyed
	Waiting
	Body NewOperation
}

func (h *handlers) createOperation(c *call, in *newOperationInput) (*accepted[Operation], error) {
	return h.order(c, in.ID, in.Waiting, provision.NewOperation{
		Kind: provision.OperationKind(in.Body.Kind), Inputs: in.Body.Inputs, Options: in.Body.Options.domain(), Confirm: in.Body.Confirm,
	})
}

func (h *handlers) order(c *call, stack string, w Waiting, n provision.NewOperation) (*accepted[Operation], error) {
	ctx, cancel := c.lasting()
	defer cancel()
	n.Trace = traceparent(c.span)
	o, err := h.service.Order(ctx, c.principal, stack, n)
	return h.started(c, o, err, w)
}

// started is the answer to what starts an operation.
func (h *handlers) started(c *call, o provision.Operation, err error, w Waiting) (*accepted[Operation], error) {
	if err != nil {
		return nil, err
	}
	return &accepted[Operation]{operationPath(o), h.operation(c, h.waited(c, o, w))}, nil
}

type operationInput struct {
	WithID
	Waiting
}

func (h *handlers) getOperation(c *call, in *operationInput) (*versioned[Operation], error) {
	o, err := h.service.Operation(c, c.principal, in.ID)
	if err != nil {
		return nil, err
	}
	o = h.waited(c, o, in.Waiting)
	return &versioned[Operation]{etag(o.Version), h.operation(c, o)}, nil
}

func (h *handlers) cancelOperation(c *call, in *operationInput) (*accepted[Operation], error) {
	return h.cancel(c, in, false)
}

func (h *handlers) forceCancelOperation(c *call, in *operationInput) (*accepted[Operation], error) {
	return h.cancel(c, in, true)
}

func (h *handlers) cancel(c *call, in *operationInput, force bool) (*accepted[Operation], error) {
	o, err := h.service.Cancel(c, c.principal, in.ID, force)
	return h.started(c, o, err, in.Waiting)
}

type retryInput struct {
	WithID
	Keyed
	Waiting
}

func (h *handlers) retryOperation(c *call, in *retryInput) (*accepted[Operation], error) {
	ctx, cancel := c.lasting()
	defer cancel()
	o, err := h.service.Retry(ctx, c.principal, in.ID)
	return h.started(c, o, err, in.Waiting)
}

type eventsInput struct {
	WithID
	Paging
	After       int64  `query:"after" minimum:"0" doc:"Those after this sequence."`
	Accept      string `header:"Accept" doc:"text/event-stream for events as they happen."`
	LastEventID string `header:"Last-Event-ID" doc:"For a stream: the id of the last event that you have."`
}

// eventsOutput writes a page or a stream.
type eventsOutput struct{ Body func(huma.Context) }

func (h *handlers) listEvents(c *call, in *eventsInput) (*eventsOutput, error) {
	after, err := in.Cursor.number()
	if err != nil {
		return nil, err
	}
	after = max(after, in.After)
	if !wantsStream(c.r) {
		events, err := h.service.Events(c, c.principal, in.ID, after, in.Limit)
		next := ""
		if len(events) == in.Limit {
			next = textOf(events[len(events)-1].Seq)
		}
		return &eventsOutput{writeJSON(pageOf(events, next, eventOf).Body)}, err
	}
	if after, err = lastEventID(in.LastEventID, after); err != nil {
		return nil, err
	}
	first, err := h.service.Events(c, c.principal, in.ID, after, eventBatch)
	if err != nil {
		return nil, err
	}
	write, err := h.stream(c, in.ID, after, first)
	return &eventsOutput{write}, err
}

// writeJSON writes a body where huma does not, because there are others.
func writeJSON(body any) func(huma.Context) {
	return func(ctx huma.Context) {
		ctx.SetHeader("Content-Type", "application/json")
		ctx.SetStatus(200)
		_ = json.NewEncoder(ctx.BodyWriter()).Encode(body) // the client is gone
	}
}

func textOf(n int64) string { return strconv.FormatInt(n, 10) }

func (h *handlers) getPlan(c *call, in *WithID) (*answer[Plan], error) {
	o, err := h.service.Operation(c, c.principal, in.ID)
	if err != nil {
		return nil, err
	}
	if o.Plan == nil {
		return nil, noPlan(o)
	}
	p := o.Plan
	return &answer[Plan]{Plan{p.Digest, p.ChangeDigest, p.StateVersion, convertAll(p.PackDigests, packOf), *resultOf(&p.Result)}}, nil
}

func noPlan(o provision.Operation) error {
	p := newProblem(provision.CodeNotFound, "Operation "+o.ID+" is "+string(o.State)+" and has no plan: it has one after its preview.")
	p.Operation = o.ID
	return p
}

func (h *handlers) getPolicyResults(c *call, in *WithID) (*answer[PolicyResults], error) {
	o, err := h.service.Operation(c, c.principal, in.ID)
	if err != nil {
		return nil, err
	}
	if o.Plan == nil {
		return nil, noPlan(o)
	}
	return &answer[PolicyResults]{PolicyResults{
		convertAll(o.Plan.PackDigests, packOf), countOf(o.Plan.Findings), convertAll(o.Plan.Findings, findingOf),
	}}, nil
}
