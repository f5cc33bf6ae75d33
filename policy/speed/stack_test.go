package speed

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/internal/graphtest"
	"redoubt/policy/fixture"
)

type m = map[string]any

// prod is the graph of the prod stack, and what each of its ids and ARNs names.
type prod struct {
	resources []*graphtest.Resource
	// names are the resources' names in a case, which must differ.
	names   []string
	handles map[string]handle
}

// handle is the output of a resource that a text stands for.
type handle struct {
	of     int
	output string
}

var readProd = sync.OnceValues(func() (prod, error) {
	g, err := graphtest.Read(filepath.Join("..", "..", "infra", "stack", "testdata", "prod.json"))
	if err != nil {
		return prod{}, err
	}
	p, seen := prod{handles: map[string]handle{}}, map[string]bool{}
	for _, r := range g.Resources {
		// The providers stand with the resources that they make, see provider.
		if strings.HasPrefix(r.Type, "pulumi:providers:") {
			continue
		}
		name := strings.ReplaceAll(r.Name, ".", "_") // a dot ends a name in a reference
		if seen[name] {
			name = fmt.Sprintf("%s-%d", name, len(p.resources))
		}
		seen[name] = true
		p.name(len(p.resources), r)
		p.resources, p.names = append(p.resources, r), append(p.names, name)
	}
	return p, nil
})

// name keeps what stands for the resource, where nothing else does.
func (p *prod) name(i int, r *graphtest.Resource) {
	if !r.Custom {
		return
	}
	for text, output := range map[string]string{r.ID: "id", fmt.Sprint(r.Output("arn")): "arn"} {
		if _, taken := p.handles[text]; !taken && text != "" {
			p.handles[text] = handle{i, output}
		}
	}
}

// some are so many resources from all over the stack, with what they point at; or
// all that there are.
func (p prod) some(n int) map[int]bool {
	here := map[int]bool{}
	var take func(i int)
	take = func(i int) {
		if len(here) == n || here[i] {
			return
		}
		here[i] = true
		p.pointed(i, take)
	}
	const stride = 101 // it shares no divisor with the number of resources: every one has its turn
	for i := range p.resources {
		take(i * stride % len(p.resources))
	}
	return here
}

// pointed calls with each resource that the inputs of one point at.
func (p prod) pointed(i int, call func(int)) {
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case string:
			if h, ok := p.handles[v]; ok && h.of != i {
				call(h.of)
			}
		case []any:
			for _, e := range v {
				walk(e)
			}
		case m:
			for _, key := range slices.Sorted(maps.Keys(v)) {
				walk(v[key])
			}
		}
	}
	walk(p.resources[i].Inputs.Mappable())
}

// stackOf is a stack of so many resources: the prod stack as often as it takes, and
// of the last one resources from all over it. Documents are known, as they are in
// most programs; what points at another resource is that resource's output.
func stackOf(t testing.TB, size int) fixture.Case {
	t.Helper()
	p, err := readProd()
	require.NoError(t, err)
	c := fixture.Case{Name: fmt.Sprintf("prod, %d resources", size)}
	for copied := 0; len(c.Resources) < size; copied++ {
		here := p.some(size - len(c.Resources))
		for i, r := range p.resources {
			if here[i] {
				c.Resources = append(c.Resources, p.copy(i, r, fmt.Sprintf("redoubt-%03d", copied), here))
			}
		}
	}
	return c
}

// copy is the resource under the names of one copy of the stack.
func (p prod) copy(i int, r *graphtest.Resource, stack string, here map[int]bool) fixture.Resource {
	rename := func(s string) string { return strings.ReplaceAll(s, "redoubt-prod", stack) }
	var value func(v any) any
	value = func(v any) any {
		switch v := v.(type) {
		case string:
			if h, ok := p.handles[v]; ok && h.of != i && here[h.of] {
				return m{"$ref": rename(p.names[h.of]) + "." + h.output}
			}
			return rename(v)
		case []any:
			out := make([]any, len(v))
			for i, e := range v {
				out[i] = value(e)
			}
			return out
		case m:
			out := m{}
			for k, e := range v {
				out[rename(k)] = value(e)
			}
			return out
		default:
			return v
		}
	}
	out := fixture.Resource{Type: r.Type, Name: rename(p.names[i]), Properties: m{}}
	out.Options.Protect, out.Options.IgnoreChanges = r.Protect, r.IgnoreChanges
	for key, v := range r.Inputs.Mappable() {
		if out.Properties[key] = value(v); key == "name" || key == "tags" {
			out.Properties[key] = renamed(v, rename)
		}
	}
	if r.Custom {
		out.Provider = m{"region": "eu-central-1", "allowedAccountIds": []any{graphtest.AccountID}}
	}
	return out
}

// renamed is a value that points at nothing, whatever it reads like.
func renamed(v any, rename func(string) string) any {
	switch v := v.(type) {
	case string:
		return rename(v)
	case m:
		out := m{}
		for k, e := range v {
			out[k] = renamed(e, rename)
		}
		return out
	default:
		return v
	}
}

// The benchmarks' stack is what it is called: as large, of many types, and joined.
func TestTheStackIsTheProdStack(t *testing.T) {
	t.Parallel()
	for _, size := range []int{100, 1000, 5000} {
		c := stackOf(t, size)
		require.Len(t, c.Resources, size)
		stack, inputs, err := c.Stack(fixture.Updated)
		require.NoError(t, err)
		require.Len(t, inputs, size)
		types, names, joined := map[string]bool{}, map[string]bool{}, 0
		for _, r := range stack {
			types[string(r.Type)], names[r.Name] = true, true
			joined += len(r.PropertyDependencies)
		}
		require.Len(t, names, size)
		require.Greater(t, len(types), 40)
		require.Greater(t, joined, size/5)
	}
}
