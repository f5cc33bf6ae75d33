package chaos

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// lane is a laptop, a wire, a server and a cloud of their own.
type lane struct {
	node   *node
	laptop *laptop
	trap   *trap
	cloud  *cloud
	wire   *wire
}

// The lease is short, and longer than a CLI that lives is silent on a machine
// that is busy with other tests.
const lease = 4 * time.Second

func newLane(t testing.TB, s settings) *lane {
	t.Helper()
	if s.Lease == 0 {
		s.Lease, s.First = lease, lease
	}
	l := &lane{trap: &trap{}}
	l.cloud = newCloud(t, l.trap)
	l.node = newNode(t, s)
	l.wire = newWire(t, l.node, l.trap)
	l.laptop = newLaptop(t, l.cloud, l.wire.url(t), l.node.token)
	return l
}

// state is a stack's newest.
func (l *lane) state(t testing.TB, stack string) state {
	t.Helper()
	return parse(t, l.node.export(t, stack))
}

// sound looks at what a stack has, once nobody holds it.
func (l *lane) sound(t testing.TB, stack string) {
	t.Helper()
	lives, _ := l.cloud.of(stack)
	sound(t, l.state(t, stack), lives, l.wire.journals())
}

// recover does what a person does whose update died: see whether what was being
// made exists, forget that it was being made, and adopt it if it does. It says
// whether that was necessary.
func (l *lane) recover(t testing.TB, stack string, version int) (needed bool) {
	t.Helper()
	s := l.state(t, stack)
	lives, _ := l.cloud.of(stack)
	adopt := map[string]string{}
	for _, op := range s.Deployment.PendingOperations {
		if op.Type != "creating" {
			continue
		}
		needed = true
		for id, alive := range lives {
			switch {
			case alive.urn != op.Resource.URN || s.has(alive.urn, id):
			case s.replaces(alive.urn):
				// A state takes no second thing of a URN.
				l.cloud.undo(id)
			default:
				adopt[nameOf(alive.urn)] = id
			}
		}
	}
	if !needed {
		return false
	}
	l.node.refused(t, stack)
	// Not --import-pending-creates: the engine (3.259) forgets the operations that
	// the CLI makes of them, and with them the things.
	l.laptop.do(t, stack, version, "refresh", "--clear-pending-creates")
	for name, id := range adopt {
		l.laptop.do(t, stack, version, "import", thingType, name, id, "--generate-code=false", "--protect=false")
	}
	return true
}

// replaces says whether the state has a thing of the URN already.
func (s state) replaces(urn string) bool {
	for _, r := range s.Deployment.Resources {
		if r.URN == urn {
			return true
		}
	}
	return false
}

// adopt makes a stack of what another one has come to: its state, with another
// name and sealed anew, and its things.
func (l *lane) adopt(t testing.TB, stack, other string, text json.RawMessage, lives map[string]live) {
	t.Helper()
	l.node.create(t, stack)
	var sealed struct{ Ciphertext string }
	require.NoError(t, json.Unmarshal(l.node.do(t, http.MethodPost, stackPath(stack)+"/encrypt", map[string]any{"plaintext": []byte(`"canary"`)}), &sealed))
	text = []byte(strings.NewReplacer(":"+other+"::", ":"+stack+"::", `"`+other+"/", `"`+stack+"/", "-"+other+`"`, "-"+stack+`"`).Replace(string(text)))
	var whole any
	require.NoError(t, json.Unmarshal(text, &whole))
	visit(whole, func(m map[string]any) {
		if m["ciphertext"] != nil {
			m["ciphertext"] = sealed.Ciphertext
		}
		if m["owner"] == org && m["stack"] == other {
			m["url"], m["stack"] = l.wire.url(t), stack
		}
	})
	l.node.do(t, http.MethodPost, stackPath(stack)+"/import", whole)
	l.cloud.adopt(stack, other, lives)
}

// visit sees every object of a JSON value.
func visit(value any, see func(map[string]any)) {
	switch value := value.(type) {
	case map[string]any:
		see(value)
		for _, v := range value {
			visit(v, see)
		}
	case []any:
		for _, v := range value {
			visit(v, see)
		}
	}
}
