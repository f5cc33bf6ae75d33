package provision

import (
	"context"
	"fmt"
	"maps"
	"strings"

	"redoubt/automation/backend"
)

// Check says whether somebody may do something: nil where they may. A refusal is
// an entry in the audit log and a CodeForbidden, or, for who may not even read it,
// the CodeNotFound that they would get for what is not there.
func (s *Service) Check(ctx context.Context, p Principal, action Action, on Resource) error {
	return s.allow(ctx, p, action, on, on.noun())
}

// allow is Check with words for the thing: those of the caller's own request,
// since an answer in other words would tell that there is something.
func (s *Service) allow(ctx context.Context, p Principal, action Action, on Resource, noun string) error {
	return s.allowAny(ctx, p, []Action{action}, on, noun)
}

// allowAny wants one of the actions allowed; the first is the one that a refusal
// speaks of.
func (s *Service) allowAny(ctx context.Context, p Principal, actions []Action, on Resource, noun string) error {
	judge, err := s.judge(ctx, p)
	if err != nil {
		return err
	}
	var first Decision
	for i, action := range actions {
		d, err := judge(action, on)
		if err != nil || d.Allowed {
			return err
		}
		if i == 0 || d.NeedsMFA && !first.NeedsMFA {
			first = d
		}
	}
	read, err := judge(ActionRead, on)
	if err != nil {
		return err
	}
	said := noun
	if kind, _, _ := strings.Cut(noun, " "); read.Allowed && (kind == "stack" || kind == "project") {
		said = on.noun() // by its name: who may read it may know that
	}
	why := fmt.Sprintf("%s may not %s %s: %s", p.Name, actions[0].words(), said, remedy(p, actions[0], on, first))
	if first.NeedsMFA {
		why = fmt.Sprintf("to %s %s takes a second factor: sign in again with one", actions[0].words(), said)
	}
	refusal := s.refuse(ctx, p, actions[0], on.String(), why, first.Policies)
	if CodeOf(refusal) != CodeForbidden {
		return refusal // it could not be recorded
	}
	if !read.Allowed && on.Org != "" { // everybody knows that there is an installation
		return Fail(CodeNotFound, "there is no %s", noun)
	}
	return refusal
}

// judge returns what decides for somebody, with the bindings that they have now.
func (s *Service) judge(ctx context.Context, p Principal) (func(Action, Resource) (Decision, error), error) {
	var bindings []Binding
	err := s.read(ctx, func(tx Tx) error {
		all, err := tx.Bindings(p.subjects()...)
		bindings = nil
		for _, b := range all {
			if b.Expires.IsZero() || tx.Now().Before(b.Expires) {
				bindings = append(bindings, b)
			}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return func(action Action, on Resource) (Decision, error) {
		return s.authorizer.Decide(p, bindings, action, on)
	}, nil
}

// subjects are what bindings may name somebody by. There is always one: without
// any, a Store would return everybody's.
func (p Principal) subjects() []string {
	subjects := []string{string(p.Kind) + ":" + p.Name}
	for _, g := range p.Groups {
		subjects = append(subjects, "group:"+g)
	}
	return subjects
}

// refuse records that somebody tried what they may not, and returns the error that
// says so.
func (s *Service) refuse(ctx context.Context, p Principal, action Action, target, why string, policies []string) error {
	detail := map[string]string{"why": why}
	if len(policies) > 0 {
		detail["policies"] = strings.Join(policies, " ")
	}
	err := s.write(ctx, func(tx Tx) error {
		return backend.Record(tx, backend.AuditEntry{
			Principal: p.Name, Token: p.Caller.Token.ID, Action: "access." + string(action), Target: target, Denied: true, Detail: p.detail(detail),
		})
	})
	if err != nil {
		return err
	}
	return Fail(CodeForbidden, "%s", why)
}

// recordBy is record for a principal: with the token and the address that the
// request came with.
func recordBy(tx Tx, p Principal, action, target string, detail map[string]string) error {
	return backend.Record(tx, backend.AuditEntry{
		Principal: p.Name, Token: p.Caller.Token.ID, Action: action, Target: target, Detail: p.detail(detail),
	})
}

// detail adds what is known of the request.
func (p Principal) detail(facts map[string]string) map[string]string {
	out := map[string]string{}
	maps.Copy(out, facts)
	for name, value := range map[string]string{"address": p.Caller.Address, "method": p.AuthMethod} {
		if value != "" {
			out[name] = value
		}
	}
	if p.Human != "" && p.Human != p.Name {
		out["human"] = p.Human
	}
	return out
}

// String is org/project/stack, as far as it goes; "*" for everything.
func (r Resource) String() string {
	switch {
	case r.Org == "":
		return "*"
	case r.Project == "":
		return r.Org
	case r.Stack == "":
		return r.Org + "/" + r.Project
	}
	return r.Org + "/" + r.Project + "/" + r.Stack
}

// noun is the resource in a sentence.
func (r Resource) noun() string {
	switch {
	case r.Org == "":
		return "all organizations"
	case r.Project == "":
		return "organization " + r.String()
	case r.Stack == "":
		return "project " + r.String()
	}
	return "stack " + r.String()
}

// phrases are actions in a sentence, before what they are on, where that is not
// their name.
var phrases = map[Action]string{
	ActionManageStack: "manage", ActionManageProject: "manage", ActionCreateProject: "make projects in", ActionForceCancel: "end by force",
	ActionManageSettings: "change the settings of", ActionReadAudit: "read the audit log of",
	ActionExportState: "export the state of", ActionCreateToken: "make tokens for",
}

// words is the action in a sentence.
func (a Action) words() string {
	if phrase, ok := phrases[a]; ok {
		return phrase
	}
	return string(a)
}
