package rehearsal

import (
	"strings"
)

// index finds live resources by what others call them, by what must be unique,
// and by who uses them, each in constant time.
type index struct {
	handles map[handle]key
	unique  map[string]key
	users   map[key]map[key]bool
	uses    map[key][]key
	types   map[string]map[key]bool
}

// handle is a value by which a resource of a type can be referred to. The region
// is empty for global services and for ARNs.
type handle struct{ typ, region, value string }

func newIndex() index {
	return index{
		handles: map[handle]key{}, unique: map[string]key{}, types: map[string]map[key]bool{},
		users: map[key]map[key]bool{}, uses: map[key][]key{},
	}
}

// add makes r known by its handles and takes its unique keys.
func (x index) add(a *Account, r *record) {
	if x.types[r.typ] == nil {
		x.types[r.typ] = map[key]bool{}
	}
	x.types[r.typ][r.key] = true
	for _, h := range a.handlesOf(r) {
		x.handles[h] = r.key
	}
	for _, u := range a.uniqueKeysOf(r) {
		x.unique[u] = r.key
	}
}

// link records what r refers to.
func (x index) link(a *Account, r *record) {
	for _, to := range a.referencesOf(r) {
		if to == r.key {
			continue
		}
		if x.users[to] == nil {
			x.users[to] = map[key]bool{}
		}
		x.users[to][r.key] = true
		x.uses[r.key] = append(x.uses[r.key], to)
	}
}

// drop forgets everything that r said; those who use r stay linked to it.
func (x index) drop(a *Account, r *record) {
	delete(x.types[r.typ], r.key)
	for _, h := range a.handlesOf(r) {
		if x.handles[h] == r.key {
			delete(x.handles, h)
		}
	}
	for _, u := range a.uniqueKeysOf(r) {
		if x.unique[u] == r.key {
			delete(x.unique, u)
		}
	}
	for _, to := range x.uses[r.key] {
		delete(x.users[to], r.key)
	}
	delete(x.uses, r.key)
}

func (a *Account) handlesOf(r *record) []handle {
	k, _ := kindOf(r.typ)
	out := []handle{{r.typ, r.region, r.id}}
	c := a.view(k, r)
	for _, template := range append([]string{"{arn}"}, k.handles...) {
		if v, ok := c.expand(template); ok {
			out = append(out, handleFor(r.typ, r.region, v))
		}
	}
	if k.everywhere {
		out = append(out, handle{r.typ, "", r.id})
	}
	for typ, output := range k.implies {
		if v, ok := text(r.outputs, output); ok {
			out = append(out, handleFor(typ, r.region, v))
		}
	}
	return out
}

func handleFor(typ, region, value string) handle {
	if strings.HasPrefix(value, "arn:") {
		region = ""
	}
	return handle{typ, region, value}
}

func (a *Account) uniqueKeysOf(r *record) []string {
	k, _ := kindOf(r.typ)
	if len(k.unique) == 0 {
		return nil
	}
	c := a.view(k, r)
	var out []string
	for i := range k.unique {
		if u, ok := c.uniqueKey(i); ok {
			out = append(out, u)
		}
	}
	return out
}

// uniqueKey is the i-th unique key of the resource in hand. It is false if the
// resource has none of the properties that the key is made of.
func (c *call) uniqueKey(i int) (string, bool) {
	u := c.kind.unique[i]
	taken, _ := c.expand(u.key)
	if strings.Trim(taken, "/ ") == "" {
		return "", false
	}
	region := c.region()
	if u.everywhere {
		region = "*"
	}
	return strings.Join([]string{c.kind.token, region, u.key, taken}, "\x00"), true
}

// referencesOf is everything in the account that r refers to.
func (a *Account) referencesOf(r *record) []key {
	k, _ := kindOf(r.typ)
	var out []key
	for _, ref := range k.refs {
		for _, v := range stringsAt(r.outputs, ref.path) {
			if to, ok := a.find(ref.to, r.region, v); ok {
				out = append(out, to)
			}
		}
	}
	return out
}

// find looks up what a value refers to, from a region.
func (a *Account) find(to *target, region, value string) (key, bool) {
	for _, typ := range to.types {
		k, _ := kindOf(typ)
		at := region
		if k.global || strings.HasPrefix(value, "arn:") {
			at = ""
		}
		if found, ok := a.index.handles[handle{typ, at, value}]; ok {
			return found, true
		}
		if k.everywhere {
			if found, ok := a.index.handles[handle{typ, "", value}]; ok {
				return found, true
			}
		}
	}
	return key{}, false
}
