package backend

import (
	"context"
	"strings"
)

// Authorize is asked whether somebody may do something to a stack that their
// token's grants allow: it may take away, and gives nothing. It says which
// policies decided, for the audit log. It is called outside of transactions; its
// error is an Error, or a fault.
type Authorize func(ctx context.Context, by Caller, v Verb, name StackName) (allowed bool, policies []string, err error)

// Administers says whether the caller may do everything to every stack, as the
// token may that an installation starts with.
func (c Caller) Administers() bool { return c.mayEverywhere(Admin) }

// verdict is what became of a question.
type verdict struct {
	allowed  bool
	policies []string
}

// authorize asks the grants, and then Options.Authorize.
func (s *Service) authorize(ctx context.Context, by Caller, v Verb, name StackName) (verdict, error) {
	if !by.May(v, name) {
		return verdict{}, nil
	}
	if s.opts.Authorize == nil || by.Decided {
		return verdict{allowed: true}, nil
	}
	allowed, policies, err := s.opts.Authorize(ctx, by, v, name)
	return verdict{allowed && err == nil, policies}, err
}

// authorized refuses, with an entry in the audit log that names the policies, what
// somebody may not do to a stack. Who may not even read it is told that it does not
// exist.
func (s *Service) authorized(ctx context.Context, by Caller, v Verb, name StackName) error {
	answer, err := s.authorize(ctx, by, v, name)
	if err != nil || answer.allowed {
		return err
	}
	if v == Read {
		return Fail(CodeNotFound, "there is no stack %s", name)
	}
	read, err := s.authorize(ctx, by, Read, name)
	if err != nil {
		return err
	}
	if !read.allowed {
		return Fail(CodeNotFound, "there is no stack %s", name)
	}
	if !by.May(v, name) {
		return s.refuse(ctx, by, "stack."+string(v), name.String(), "the token may not "+string(v)+" stack "+name.String())
	}
	return s.denied(ctx, by, "stack."+string(v), v, name, answer.policies)
}

// authorizedAs is authorized for a verb that the grants allow, on a stack that
// need not be there, with the action's own word for the audit log.
func (s *Service) authorizedAs(ctx context.Context, by Caller, action string, v Verb, name StackName) error {
	answer, err := s.authorize(ctx, by, v, name)
	if err != nil || answer.allowed {
		return err
	}
	return s.denied(ctx, by, action, v, name, answer.policies)
}

// denied refuses what a policy does not allow; policies are empty where none does.
func (s *Service) denied(ctx context.Context, by Caller, action string, v Verb, name StackName, policies []string) error {
	why := "no policy lets " + by.Principal() + " " + string(v) + " stack " + name.String()
	if len(policies) > 0 {
		why = "policy " + strings.Join(policies, ", ") + " does not let " + by.Principal() + " " + string(v) + " stack " + name.String()
	}
	return s.refuse(ctx, by, action, name.String(), why)
}

// stillAuthorized asks again when an update starts that is no dry run: it may have
// been made a day before. The grants are looked at where the lease is taken; a
// question to others is too long for that transaction.
func (s *Service) stillAuthorized(ctx context.Context, by Caller, stack Stack, update string) error {
	if s.opts.Authorize == nil || by.Decided || !by.May(Apply, stack.Name) {
		return nil
	}
	u, err := s.updateIn(ctx, stack, update)
	if err != nil || u.DryRun {
		return err
	}
	return s.authorizedAs(ctx, by, "update.start", Apply, stack.Name)
}
