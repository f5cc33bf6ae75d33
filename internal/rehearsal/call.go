package rehearsal

import (
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// operation is a kind of provider call, as errors and statistics name it.
type operation struct{ name, doing, verb string }

var (
	opCheck  = operation{"check", "checking", "Validate"}
	opDiff   = operation{"diff", "comparing", "Describe"}
	opCreate = operation{"create", "creating", "Create"}
	opRead   = operation{"read", "reading", "Describe"}
	opUpdate = operation{"update", "updating", "Update"}
	opDelete = operation{"delete", "deleting", "Delete"}
	opInvoke = operation{"invoke", "reading", "Get"}
)

// call is one provider call on one resource, with everything that the tables'
// functions may ask. It is used under the account's lock.
type call struct {
	acct *Account
	kind *kind
	op   operation
	conf config
	urn  string
	// id is empty until it is made.
	id string
	// birth is how often this URN was created before.
	birth int
	// in is what is asked for, out the state as far as it is known.
	in, out resource.PropertyMap
	// old is the live resource that is updated, read or deleted.
	old *record
}

// view is a call that only reads a live resource.
func (a *Account) view(k *kind, r *record) *call {
	return &call{
		acct: a, kind: k, op: opRead, urn: r.urn, birth: r.birth, id: r.id, in: r.inputs, out: r.outputs, old: r,
		conf: config{account: a.id, region: r.region},
	}
}

// region is where the resource in hand lives; empty for global services.
func (c *call) region() string {
	if c.kind.global {
		return ""
	}
	return c.conf.region
}

func (c *call) key() key { return key{c.kind.token, c.region(), c.id} }

// state is what rules read: the state as it would be, or the inputs as long as
// there is none.
func (c *call) state() resource.PropertyMap {
	if c.out != nil {
		return c.out
	}
	return c.in
}

// texts is the known strings at a path.
func (c *call) texts(path string) []string { return stringsAt(c.state(), path) }

// text is the first known string at a path, or "".
func (c *call) text(path string) string {
	s, _ := text(c.state(), path)
	return s
}

// number is the known number at a path.
func (c *call) number(path string) (float64, bool) { return numberAt(c.state(), path) }

// truth is true if the known boolean at a path is.
func (c *call) truth(path string) bool {
	for _, v := range valuesAt(c.state(), path) {
		if v.IsBool() {
			return v.BoolValue()
		}
	}
	return false
}

// unknown is true if something at a path will only be known after an update.
func (c *call) unknown(path string) bool {
	for _, v := range valuesAt(c.state(), path) {
		if v.ContainsUnknowns() {
			return true
		}
	}
	return false
}

// all is every other live resource of a type in this region.
func (c *call) all(token string) []*record {
	k, _ := kindOf(token)
	region := c.conf.region
	if k.global {
		region = ""
	}
	var out []*record
	for at := range c.acct.index.types[token] {
		if at.region == region && at != c.key() {
			out = append(out, c.acct.live[at])
		}
	}
	sortRecords(out)
	return out
}

// users is every live resource of these types (any, if there are none) that
// refers to r.
func (c *call) users(r *record, types ...string) []*record {
	if r == nil {
		return nil
	}
	var out []*record
	for at := range c.acct.index.users[r.key] {
		for _, t := range types {
			if at.typ == t {
				out = append(out, c.acct.live[at])
			}
		}
		if len(types) == 0 {
			out = append(out, c.acct.live[at])
		}
	}
	sortRecords(out)
	return out
}

// label is what errors call the resource in hand.
func (c *call) label() string {
	if c.id != "" && c.op != opCreate {
		return c.id
	}
	for _, p := range []string{"name", "bucket", "domainName", "clusterIdentifier", "identifier", "roleName"} {
		if s, ok := text(c.in, p); ok {
			return s
		}
	}
	return resource.URN(c.urn).Name()
}

func (c *call) requestID(label string) string {
	id, _ := c.invent("uuid:request " + c.op.name + label)
	return strings.ToLower(id)
}
