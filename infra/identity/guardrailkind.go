package identity

import "maps"

// The kinds of documents that give no rights and only cap what others give.
const (
	// BoundaryPolicy is a managed policy that is only ever a permissions
	// boundary. Its Allow statements are a ceiling, so the least-privilege rules
	// for grants do not apply to them.
	BoundaryPolicy Kind = "permissions boundary"
	// ResourceControlPolicy is an organization's cap on its resources.
	ResourceControlPolicy Kind = "resource control policy"
)

// capping are their rules. The boundary is stored as a managed policy; RCP
// size: https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html
var capping = map[Kind]kindRules{
	BoundaryPolicy:        {limit: 6144, resource: true, plainSid: true},
	ResourceControlPolicy: {limit: 5120, principal: true, resource: true, plainSid: true},
}

func init() { maps.Copy(kinds, capping) }
