package chaos

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Every request of an update comes twice, as it does where answers are lost, and
// nobody notices.
func TestRequestsThatComeTwice(t *testing.T) {
	t.Parallel()
	const once, twice = "once", "twice"
	l := newLane(t, settings{})
	l.node.create(t, once)
	l.node.create(t, twice)
	for _, step := range []struct {
		version int
		args    string
	}{{1, "up"}, {2, "preview"}, {2, "up"}, {2, "destroy"}} {
		l.wire.repeat(false)
		l.laptop.do(t, once, step.version, step.args)
		l.wire.repeat(true)
		l.wire.forget()
		l.laptop.do(t, twice, step.version, step.args)
		l.sound(t, twice)
		require.Equal(t, l.state(t, once).comparable(t, once), l.state(t, twice).comparable(t, twice))
		for _, a := range l.wire.log() {
			require.Equal(t, 200, a.status, "%s %s", a.method, a.path)
		}
	}
	_, made := l.cloud.of(twice)
	_, want := l.cloud.of(once)
	require.Len(t, made, len(want))
}
