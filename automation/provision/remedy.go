package provision

import (
	"strings"
	"unicode"
)

// lesser are the roles with the least that allow an action, by the policies that
// come with the service; docs/identity.md has the whole table.
var lesser = map[Action]Role{
	ActionRead: Viewer, ActionPreview: Requester, ActionApply: Requester, ActionDestroy: Operator, ActionApprove: Approver,
	ActionWaive: PolicyOwner, ActionReveal: Operator, ActionCancel: Operator, ActionForceCancel: OrgAdmin,
	ActionManageStack: Operator, ActionManageProject: ProjectAdmin, ActionCreateProject: OrgAdmin, ActionManageSettings: OrgAdmin,
	ActionReadAudit: Auditor, ActionExportState: ProjectAdmin, ActionCreateToken: Requester,
}

// remedy is what helps somebody to whom something was refused: the command that
// gives the role, or, where a policy forbids it whatever the roles, that policy.
func remedy(p Principal, action Action, on Resource, d Decision) string {
	role, ok := lesser[action]
	switch {
	case len(d.Policies) > 0 && ok:
		return "policy " + strings.Join(d.Policies, ", ") + " forbids it (the role for it is " + string(role) + ")"
	case !ok:
		return "ask who administers it for a role that may"
	}
	scope := "'*'"
	switch {
	case on.Project != "" && action != ActionCreateProject:
		scope = on.Org + "/" + on.Project
	case on.Org != "":
		scope = on.Org
	}
	return "an administrator gives a role with `redoubt bindings create " + word(string(p.Kind)+":"+p.Name) + " " + string(role) + " " + scope + "`"
}

// word quotes a text for a shell where that is needed: an identity provider's names
// may hold anything.
func word(text string) string {
	plain := func(r rune) bool {
		return unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune(":/@._-+", r)
	}
	if strings.ContainsFunc(text, func(r rune) bool { return !plain(r) }) {
		return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
	}
	return text
}
