package cedar

import (
	"fmt"
	"strings"
	"time"

	"github.com/cedar-policy/cedar-go"

	"redoubt/automation/provision"
)

// kinds are the entity types of principals.
var kinds = map[provision.PrincipalKind]cedar.EntityType{
	provision.Human: "User", provision.ServiceAccount: "ServiceAccount", provision.System: "System",
}

// levels are the entity types of resources, by how many names they have.
var levels = []cedar.EntityType{"Installation", "Organization", "Project", "Stack"}

// installation is the widest resource.
var installation = cedar.NewEntityUID("Installation", "redoubt")

// request puts a question into Cedar's words.
func request(p provision.Principal, roles []provision.Role, action provision.Action, on provision.Resource, names []string, now time.Time) (cedar.EntityMap, cedar.Request, error) {
	kind, ok := kinds[p.Kind]
	if !ok || p.Name == "" {
		return nil, cedar.Request{}, fmt.Errorf("a principal of kind %q with the name %q cannot be authorized", p.Kind, p.Name)
	}
	entities := make(cedar.EntityMap, 2+len(names))
	who := cedar.NewEntityUID(kind, cedar.String(p.Name))
	entities[who] = cedar.Entity{
		UID: who, Parents: parentsOf(p, roles),
		Attributes: cedar.NewRecord(cedar.RecordMap{"name": cedar.String(p.Name), "human": cedar.String(p.Human)}),
	}
	what := addResource(entities, on, names)
	return entities, cedar.Request{
		Principal: who, Action: cedar.NewEntityUID("Action", cedar.String(action)), Resource: what,
		Context: cedar.NewRecord(cedar.RecordMap{
			"mfa": cedar.Boolean(p.MFA), "auth_method": cedar.String(p.AuthMethod), "now": cedar.NewDatetime(now),
		}),
	}, nil
}

func parentsOf(p provision.Principal, roles []provision.Role) cedar.EntityUIDSet {
	if p.Kind == provision.System {
		return cedar.NewEntityUIDSet()
	}
	parents := make([]cedar.EntityUID, 0, len(p.Groups)+len(roles))
	for _, g := range p.Groups {
		parents = append(parents, cedar.NewEntityUID("Group", cedar.String(g)))
	}
	for _, r := range roles {
		parents = append(parents, cedar.NewEntityUID("Role", cedar.String(r)))
	}
	return cedar.NewEntityUIDSet(parents...)
}

// addResource adds a resource and all that it is in.
func addResource(entities cedar.EntityMap, on provision.Resource, names []string) cedar.EntityUID {
	uid := installation
	parents := cedar.NewEntityUIDSet()
	for i := 0; ; i++ {
		at := provision.Resource{}
		if i == len(names) {
			at = on // what it says is of the resource itself, not of what that is in
		}
		entities[uid] = cedar.Entity{UID: uid, Parents: parents, Attributes: attributes(at, names[:i]), Tags: tags(at.Tags)}
		if i == len(names) {
			return uid
		}
		parents = cedar.NewEntityUIDSet(uid)
		uid = cedar.NewEntityUID(levels[i+1], cedar.String(strings.Join(names[:i+1], "/")))
	}
}

func attributes(on provision.Resource, names []string) cedar.Record {
	name := func(i int) cedar.String {
		if i < len(names) {
			return cedar.String(names[i])
		}
		return ""
	}
	return cedar.NewRecord(cedar.RecordMap{
		"org": name(0), "project": name(1), "stack": name(2), "protected": cedar.Boolean(on.Protected),
		"owner": cedar.String(on.Owner), "ttl": cedar.Boolean(on.TTL),
		"requested_by": cedar.String(on.RequestedBy), "state": cedar.String(on.State),
	})
}

func tags(of map[string]string) cedar.Record {
	record := make(cedar.RecordMap, len(of))
	for name, value := range of {
		record[cedar.String(name)] = cedar.String(value)
	}
	return cedar.NewRecord(record)
}
