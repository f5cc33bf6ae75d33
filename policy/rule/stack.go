package rule

import (
	"slices"
	"sort"
	"strings"
	"unicode"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// Stack is the graph of a stack's resources, for rules that join several.
//
// A join follows property dependencies, which the engine knows exactly also at
// preview, when ids and ARNs are unknown; only a literal value is matched
// against ids, names and ARNs. A Stack is used by one goroutine at a time.
type Stack struct {
	all      []*Resource
	byURN    map[resource.URN]*Resource
	byType   map[string][]*Resource
	byHandle map[string][]*Resource
	reverse  map[reverseKey]pointers
	groups   map[Role]*GroupUse
	declared map[resource.URN]Refs
	accounts []string // nil until somebody asks
	users    map[resource.URN][]*Resource
	rulesOf  map[resource.URN][]GroupRule
	ranges   map[resource.URN]map[opening]Ranges
	once     map[string]any
}

// reverseKey names a way to point: resources of one type, by a property, at
// resources of another.
type reverseKey struct{ from, property, to string }

// pointers are the resources that point some way, by their target.
type pointers struct {
	at map[resource.URN][]*Resource
	// loose says that one of them points at something unknown.
	loose bool
}

// handles are the properties whose value names a resource in another's inputs.
var handles = []string{
	"id", "arn", "name", "bucket", "keyId", "invokeArn", "qualifiedArn", "identifier",
	"clusterIdentifier", "defaultRouteTableId", "defaultSecurityGroupId", "domainName",
}

// NewStack builds the graph. The order of the resources does not matter.
func NewStack(resources []*Resource) *Stack {
	s := &Stack{
		all:      append([]*Resource(nil), resources...),
		byURN:    make(map[resource.URN]*Resource, len(resources)),
		byType:   map[string][]*Resource{},
		byHandle: map[string][]*Resource{},
		reverse:  map[reverseKey]pointers{},
		declared: map[resource.URN]Refs{},
		rulesOf:  map[resource.URN][]GroupRule{},
		once:     map[string]any{},
		ranges:   map[resource.URN]map[opening]Ranges{},
	}
	sort.Slice(s.all, func(i, j int) bool { return s.all[i].URN < s.all[j].URN })
	for _, r := range s.all {
		s.byURN[r.URN] = r
		s.byType[r.Type] = append(s.byType[r.Type], r)
		for _, h := range r.handles() {
			s.byHandle[h] = append(s.byHandle[h], r)
		}
	}
	return s
}

// handles returns the distinct known strings that may stand for the resource.
func (r *Resource) handles() []string {
	var out []string
	for _, key := range handles {
		for _, v := range []Value{r.Output(key), r.Get(key)} {
			if str, ok := v.Str(); ok && str != "" {
				out = appendNew(out, []string{str})
			}
		}
	}
	return out
}

// Once returns what build returns, built once for the stack: an index that the
// checks of many resources share. Name is its own among the callers'.
func Once[T any](s *Stack, name string, build func() T) T {
	if v, ok := s.once[name].(T); ok {
		return v
	}
	v := build()
	s.once[name] = v
	return v
}

// All returns every resource, sorted by URN.
func (s *Stack) All() []*Resource { return s.all }

// Of returns the resources of the types, by any of their spellings, sorted by
// URN within each type.
func (s *Stack) Of(types ...string) []*Resource {
	var out []*Resource
	seen := map[string]bool{}
	for _, t := range types {
		c := Canonical(t)
		if !seen[c] {
			seen[c] = true
			out = append(out, s.byType[c]...)
		}
	}
	return out
}

// Refs is what a property refers to.
type Refs struct {
	// Targets are the resources of this stack, sorted by URN.
	Targets []*Resource
	// External are known values that name nothing in this stack.
	External []Value
	// Unknown says that the property also holds unknown values that no resource
	// of the wanted types explains.
	Unknown bool
}

// Has says that r is among the targets.
func (f Refs) Has(r *Resource) bool {
	for _, t := range f.Targets {
		if t.URN == r.URN {
			return true
		}
	}
	return false
}

// Empty says that the property refers to nothing at all.
func (f Refs) Empty() bool { return len(f.Targets) == 0 && len(f.External) == 0 && !f.Unknown }

// Complete says that every value was traced to a resource of the stack.
func (f Refs) Complete() bool { return len(f.External) == 0 && !f.Unknown }

// Refs traces a property (path as in Value.Each) to resources of the types.
func (s *Stack) Refs(r *Resource, path string, types ...string) Refs {
	return s.refsOf(r, path, r.Each(path), types)
}

func (s *Stack) refsOf(r *Resource, path string, values []Value, types []string) Refs {
	var known []Value
	unknown := 0
	found := map[resource.URN]*Resource{}
	sources := s.dependencies(r, topKey(path), types)
	for _, v := range values {
		str, isStr := v.Str()
		switch {
		case v.Unknown():
			unknown++
		case !isStr || str == "":
		case !s.matchHandle(str, types, sources, found):
			known = append(known, v)
		}
	}
	if unknown+len(known)+len(found) == 0 {
		return Refs{}
	}
	traced := 0
	for _, t := range sources {
		if found[t.URN] == nil {
			found[t.URN] = t
			traced++
		}
	}
	// Dependencies explain the unknown values first, then known ones that are
	// computed before the target exists, such as an ARN made from a name.
	explained := max(0, traced-unknown)
	out := Refs{Targets: sortedResources(found), Unknown: unknown > traced}
	if explained < len(known) {
		out.External = known[explained:]
	}
	return out
}

// matchHandle adds the resources that the text stands for. Several may have one
// name, in two regions for example: then those count that the text was computed
// from.
func (s *Stack) matchHandle(str string, types []string, sources []*Resource, into map[resource.URN]*Resource) bool {
	var matches []*Resource
	for _, t := range s.byHandle[str] {
		if t.Is(types...) {
			matches = append(matches, t)
		}
	}
	if len(matches) > 1 {
		own := slices.DeleteFunc(slices.Clone(sources), func(t *Resource) bool { return !slices.Contains(matches, t) })
		if len(own) > 0 {
			matches = own
		}
	}
	for _, t := range matches {
		into[t.URN] = t
	}
	return len(matches) > 0
}

// dependencies returns the resources of the types that the property was
// computed from. A dependency of another type is followed through its own
// property of the same name: bucketPolicy{bucket: versioning.bucket} means the
// bucket that the versioning belongs to.
func (s *Stack) dependencies(r *Resource, key string, types []string) []*Resource {
	var out []*Resource
	for _, urn := range r.deps[resource.PropertyKey(key)] {
		t := s.byURN[urn]
		switch {
		case t == nil || t.URN == r.URN:
		case t.Is(types...):
			out = append(out, t)
		default:
			for _, via := range t.deps[resource.PropertyKey(key)] {
				if v := s.byURN[via]; v != nil && v.Is(types...) {
					out = append(out, v)
				}
			}
		}
	}
	return out
}

// Pointing returns the resources of one type whose property refers to r.
func (s *Stack) Pointing(r *Resource, property, fromType string) []*Resource {
	return s.pointers(reverseKey{Canonical(fromType), property, r.Type}).at[r.URN]
}

// Loose says that some resource of the type has a property whose target could
// not be traced: absence of a partner is then not certain.
func (s *Stack) Loose(property, fromType, toType string) bool {
	return s.pointers(reverseKey{Canonical(fromType), property, Canonical(toType)}).loose
}

func (s *Stack) pointers(key reverseKey) pointers {
	p, ok := s.reverse[key]
	if ok {
		return p
	}
	p.at = map[resource.URN][]*Resource{}
	unnamed := s.unnamed(key.to)
	for _, from := range s.byType[key.from] {
		refs := s.Refs(from, key.property, key.to)
		p.loose = p.loose || refs.Unknown || unnamed && len(refs.External) > 0
		for _, t := range refs.Targets {
			p.at[t.URN] = append(p.at[t.URN], from)
		}
	}
	s.reverse[key] = p
	return p
}

// unnamed says that a resource of the type has a name that is not known yet,
// so that a text may be it.
func (s *Stack) unnamed(typ string) bool {
	return slices.ContainsFunc(s.byType[typ], func(r *Resource) bool {
		return slices.ContainsFunc(handles, func(h string) bool { return r.Get(h).Unknown() })
	})
}

// Users returns the resources that use r in some property: by a dependency, or
// by a text that holds its id.
func (s *Stack) Users(r *Resource) []*Resource {
	if s.users == nil {
		s.users = map[resource.URN][]*Resource{}
		ids := s.ids()
		for _, from := range s.all {
			for urn := range from.uses(ids) {
				s.users[urn] = append(s.users[urn], from)
			}
		}
	}
	return s.users[r.URN]
}

// ids are the resources by their known ids.
func (s *Stack) ids() map[string][]resource.URN {
	out := map[string][]resource.URN{}
	for _, r := range s.all {
		if id, known := r.Output("id").Str(); known && id != "" {
			out[id] = append(out[id], r.URN)
		}
	}
	return out
}

// uses are the URNs that any property was computed from, and those of the ids
// that the texts hold.
func (r *Resource) uses(ids map[string][]resource.URN) map[resource.URN]bool {
	out := map[resource.URN]bool{}
	for _, urns := range r.deps {
		for _, urn := range urns {
			out[urn] = true
		}
	}
	eachText(resource.NewObjectProperty(r.Inputs), func(text string) {
		for _, word := range append(strings.FieldsFunc(text, betweenWords), text) {
			for _, urn := range ids[word] {
				out[urn] = true
			}
		}
	})
	delete(out, r.URN)
	return out
}

// betweenWords are the characters that stand around an id in a longer text.
func betweenWords(c rune) bool {
	return c != '-' && c != '_' && c != '.' && !unicode.IsLetter(c) && !unicode.IsDigit(c)
}

// eachText calls visit with every known text in v.
func eachText(v resource.PropertyValue, visit func(string)) {
	switch v = newValue(v, "", false).v; {
	case v.IsString():
		visit(v.StringValue())
	case v.IsArray():
		for _, e := range v.ArrayValue() {
			eachText(e, visit)
		}
	case v.IsObject():
		for _, e := range v.ObjectValue() {
			eachText(e, visit)
		}
	}
}

func topKey(path string) string {
	key, _, _ := strings.Cut(path, ".")
	key, _, _ = strings.Cut(key, "[")
	return key
}

func sortedResources(m map[resource.URN]*Resource) []*Resource {
	out := make([]*Resource, 0, len(m))
	for _, r := range m {
		out = append(out, r)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].URN < out[j].URN })
	return out
}
