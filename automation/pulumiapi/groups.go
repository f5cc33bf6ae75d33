package pulumiapi

import (
	"encoding/json"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"

	"redoubt/automation/backend"
)

// An organization has one policy group, the default one of all its stacks: what
// is enabled in it is required of every update.

// errOneGroup is for whoever wants another.
var errOneGroup = backend.Fail(backend.CodeInvalid, "an organization has one policy group, %s, of all its stacks: enable and disable policy packs in it, nothing else changes", apitype.DefaultPolicyGroup)

func (c *call) theGroup() error {
	if name := c.r.PathValue("group"); name != apitype.DefaultPolicyGroup {
		return backend.Fail(backend.CodeNotFound, "there is no policy group %.60q: an organization has one, %s", name, apitype.DefaultPolicyGroup)
	}
	return nil
}

// orgStacks are the stacks of the organization that the caller may see.
func (c *call) orgStacks() (stacks []backend.Stack, err error) {
	for q := (backend.StackQuery{Orgs: []string{c.org()}}); ; {
		page, next, err := c.service.ListStacks(c.ctx(), c.caller, q)
		if err != nil {
			return nil, err
		}
		stacks = append(stacks, page...)
		if next == "" {
			return stacks, nil
		}
		q.After = next
	}
}

func listGroups(c *call) (any, error) {
	requirements, err := c.service.Requirements(c.ctx(), c.caller, c.org())
	if err != nil {
		return nil, err
	}
	stacks, err := c.orgStacks()
	return apitype.ListPolicyGroupsResponse{PolicyGroups: []apitype.PolicyGroupSummary{{
		Name: apitype.DefaultPolicyGroup, IsOrgDefault: true, NumStacks: len(stacks), NumEnabledPolicyPacks: len(requirements),
		EntityType: apitype.Stacks, Mode: apitype.PolicyGroupModePreventative,
	}}}, err
}

func getGroup(c *call) (any, error) {
	if err := c.theGroup(); err != nil {
		return nil, err
	}
	requirements, err := c.service.Requirements(c.ctx(), c.caller, c.org())
	if err != nil {
		return nil, err
	}
	stacks, err := c.orgStacks()
	if err != nil {
		return nil, err
	}
	group := apitype.GetPolicyGroupResponse{
		Name: apitype.DefaultPolicyGroup, IsOrgDefault: true, EntityType: apitype.Stacks, Mode: apitype.PolicyGroupModePreventative,
		Stacks: []apitype.PulumiStackReference{}, AppliedPolicyPacks: []apitype.PolicyPackMetadata{}, Accounts: []string{},
	}
	for _, s := range stacks {
		group.Stacks = append(group.Stacks, apitype.PulumiStackReference{Name: s.Name.Stack, RoutingProject: s.Name.Project})
	}
	for _, r := range requirements {
		applied := apitype.PolicyPackMetadata{Name: r.Pack, DisplayName: r.Pack, VersionTag: r.Tag}
		if applied.Config, err = configOf(r.Config); err != nil {
			return nil, err
		}
		group.AppliedPolicyPacks = append(group.AppliedPolicyPacks, applied)
	}
	return group, nil
}

// groupChange is what is read of apitype.UpdatePolicyGroupRequest.
type groupChange struct {
	Add    *packChange `json:"addPolicyPack"`
	Remove *packChange `json:"removePolicyPack"`
}

type packChange struct {
	Name       string          `json:"name"`
	VersionTag string          `json:"versionTag"`
	Config     json.RawMessage `json:"config"`
}

// changeGroup is `pulumi policy enable` and `disable`.
func changeGroup(c *call) (any, error) {
	if err := c.theGroup(); err != nil {
		return nil, err
	}
	var q groupChange
	if err := c.decode(&q); err != nil {
		return nil, err
	}
	switch {
	case q.Add != nil && q.Remove == nil:
		return nil, c.service.RequirePack(c.ctx(), c.caller, backend.PackRequirement{
			Org: c.org(), Pack: q.Add.Name, Tag: latest(q.Add.VersionTag), Config: present(q.Add.Config),
		})
	case q.Remove != nil && q.Add == nil:
		return nil, c.service.ReleasePack(c.ctx(), c.caller, c.org(), q.Remove.Name, latest(q.Remove.VersionTag))
	default:
		return nil, errOneGroup
	}
}

// The others are answered to whoever may see the organization.
func createGroup(c *call) (any, error) { return c.noGroupBut() }

func deleteGroup(c *call) (any, error) {
	if err := c.theGroup(); err != nil {
		return nil, err
	}
	return c.noGroupBut()
}

func (c *call) noGroupBut() (any, error) {
	if _, err := c.service.Requirements(c.ctx(), c.caller, c.org()); err != nil {
		return nil, err
	}
	return nil, errOneGroup
}
