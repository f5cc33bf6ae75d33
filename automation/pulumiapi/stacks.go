package pulumiapi

import (
	"encoding/json"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"

	"redoubt/automation/backend"
)

// projectExists answers HEAD; `pulumi new` asks.
func projectExists(c *call) (any, error) {
	exists, err := c.service.ProjectExists(c.ctx(), c.caller, c.org(), c.r.PathValue("project"))
	if err == nil && !exists {
		err = backend.Fail(backend.CodeNotFound, "there is no such project")
	}
	return nil, err
}

// newStack is apitype.CreateStackRequest with the state as it came.
type newStack struct {
	StackName string               `json:"stackName"`
	Tags      map[string]string    `json:"tags"`
	State     json.RawMessage      `json:"state"`
	Config    *apitype.StackConfig `json:"config"`
}

// errRemoteConfig is for `pulumi stack init --remote-config` and what follows
// it.
var errRemoteConfig = backend.Fail(backend.CodeInvalid, "configuration is not kept here, but in Pulumi.<stack>.yaml beside the program: leave --remote-config away")

func createStack(c *call) (any, error) {
	var n newStack
	if err := c.decode(&n); err != nil {
		return nil, err
	}
	if n.Config != nil && *n.Config != (apitype.StackConfig{}) {
		return nil, errRemoteConfig
	}
	name := c.stack()
	name.Stack = n.StackName
	_, err := c.service.CreateStack(c.ctx(), c.caller, backend.NewStack{Name: name, Tags: n.Tags, State: present(n.State)})
	return apitype.CreateStackResponse{}, err
}

// present is nil for a document that is missing or null.
func present(doc json.RawMessage) json.RawMessage {
	if string(doc) == "null" {
		return nil
	}
	return doc
}

// getStack leaves config away: with it the CLI would look for the stack's
// configuration in Pulumi ESC (pkg/backend/httpstate/stack.go).
func getStack(c *call) (any, error) {
	stack, active, err := c.service.Stack(c.ctx(), c.caller, c.stack())
	if err != nil {
		return nil, err
	}
	answer := apitype.Stack{
		ID: stack.ID, OrgName: stack.Name.Org, ProjectName: stack.Name.Project, StackName: tokens.QName(stack.Name.Stack),
		Tags: stack.Tags, Version: int(stack.Version), ActiveUpdate: stack.ActiveUpdate,
	}
	if active != nil {
		answer.CurrentOperation = &apitype.OperationStatus{
			Kind: apitype.UpdateKind(active.Kind), Author: active.Principal, Started: active.StartedAt.Unix(),
		}
	}
	return answer, nil
}

func deleteStack(c *call) (any, error) {
	return nil, c.service.DeleteStack(c.ctx(), c.caller, c.stack(), c.r.URL.Query().Get("force") == "true")
}

func renameStack(c *call) (any, error) {
	var to apitype.StackRenameRequest
	if err := c.decode(&to); err != nil {
		return nil, err
	}
	return nil, c.service.RenameStack(c.ctx(), c.caller, c.stack(), to.NewProject, to.NewName)
}

// setTags replaces the whole set.
func setTags(c *call) (any, error) {
	var tags map[string]string
	if err := c.decode(&tags); err != nil {
		return nil, err
	}
	return nil, c.service.SetTags(c.ctx(), c.caller, c.stack(), tags)
}

// setRemoteConfig refuses, but tells nobody whether the stack exists.
func setRemoteConfig(c *call) (any, error) {
	if _, _, err := c.service.Stack(c.ctx(), c.caller, c.stack()); err != nil {
		return nil, err
	}
	return nil, errRemoteConfig
}

func listStacks(c *call) (any, error) {
	query := c.r.URL.Query()
	q := backend.StackQuery{
		Project: query.Get("project"), TagName: query.Get("tagName"), TagValue: query.Get("tagValue"), After: query.Get("continuationToken"),
	}
	if org := query.Get("organization"); org != "" {
		q.Orgs = []string{org}
	}
	stacks, next, err := c.service.ListStacks(c.ctx(), c.caller, q)
	if err != nil {
		return nil, err
	}
	answer := apitype.ListStacksResponse{Stacks: []apitype.StackSummary{}}
	for _, s := range stacks {
		answer.Stacks = append(answer.Stacks, summary(s))
	}
	if next != "" {
		// An empty token that is there would be asked for without end.
		answer.ContinuationToken = &next
	}
	return answer, nil
}

func summary(s backend.Stack) apitype.StackSummary {
	resources := int(s.Resources)
	out := apitype.StackSummary{
		ID: s.ID, OrgName: s.Name.Org, ProjectName: s.Name.Project, StackName: s.Name.Stack, ResourceCount: &resources,
	}
	if !s.UpdatedAt.IsZero() {
		at := s.UpdatedAt.Unix()
		out.LastUpdate = &at
	}
	return out
}
