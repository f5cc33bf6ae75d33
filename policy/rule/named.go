package rule

import "github.com/pulumi/pulumi/sdk/v3/go/common/resource"

// Named returns the resources of the types that a text names, by id, ARN or
// name, sorted by URN: for names that AWS makes of others, which no property
// holds.
func (s *Stack) Named(text string, types ...string) []*Resource {
	found := map[resource.URN]*Resource{}
	s.matchHandle(text, types, nil, found)
	return sortedResources(found)
}
