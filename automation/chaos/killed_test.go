package chaos

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/internal/postgrestest"
)

// What `make chaos` sets: how many rounds there are, which is the first one's
// seed, and that all of them are run on PostgreSQL too.
const (
	roundsVariable   = "REDOUBT_CHAOS_ROUNDS"
	seedVariable     = "REDOUBT_CHAOS_SEED"
	postgresVariable = "REDOUBT_CHAOS_POSTGRES"
)

const (
	defaultRounds = 52
	// postgresShare is the part of the rounds that is run on PostgreSQL too where
	// nobody wants all of them.
	postgresShare = 6
	lanes         = 3
)

func number(t testing.TB, variable string, otherwise int64) int64 {
	t.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseInt(text, 10, 64)
	require.NoError(t, err, variable)
	return n
}

// phase is an operation that is disturbed: with which state it begins, what is
// run, and what must have come of it in the end.
type phase struct {
	name string
	// from and to are versions of the program, 0 for nothing.
	from, to int
	// args run the operation, and finish what it is part of.
	args, finish string
}

var phases = []phase{
	{"preview", 1, 2, "preview", "up"},
	{"create", 0, 1, "up", "up"},
	{"update", 1, 2, "up", "up"},
	{"destroy", 1, 0, "destroy", "destroy"},
}

// victims are who is killed.
var victims = []string{"the CLI", "the server", "both"}

// reference is what undisturbed runs come to.
type reference struct {
	// states are exports by version of the program, and lives the cloud's.
	states map[int]json.RawMessage
	lives  map[int]map[string]live
	made   map[int]map[string]int
	// moments are how many an operation has, by phase.
	moments map[string]int
}

const undisturbed = "undisturbed"

func newReference(t testing.TB, l *lane) *reference {
	t.Helper()
	r := &reference{
		states: map[int]json.RawMessage{}, lives: map[int]map[string]live{}, made: map[int]map[string]int{}, moments: map[string]int{},
	}
	l.node.create(t, undisturbed)
	step := func(name string, version int, args string) {
		l.trap.set(undisturbed, 0, nil)
		l.laptop.do(t, undisturbed, max(version, 1), args)
		r.moments[name], _ = l.trap.seen()
	}
	keep := func(version int) {
		r.states[version] = l.node.export(t, undisturbed)
		r.lives[version], r.made[version] = l.cloud.of(undisturbed)
	}
	step("create", 1, "up")
	keep(1)
	step("preview", 2, "preview")
	require.JSONEq(t, string(r.states[1]), string(l.node.export(t, undisturbed)))
	step("update", 2, "up")
	keep(2)
	// As many as there are to be destroyed in the rounds.
	step("destroy", 2, "destroy")
	keep(0)
	require.Empty(t, r.lives[0])
	require.Len(t, r.lives[1], things)
	return r
}

// tally is what became of the rounds.
type tally struct{ sprung, survived, recovered atomic.Int64 }

// Whoever is killed, and whenever: what was acknowledged is kept, nothing is done
// twice, the stack frees itself, and the next operation ends where an undisturbed
// one ends, or says what must be done before.
func TestKilledAtAnyMoment(t *testing.T) {
	t.Parallel()
	rounds := int(number(t, roundsVariable, defaultRounds))
	seed := number(t, seedVariable, time.Now().UnixMilli())
	t.Logf("%d rounds from seed %d", rounds, seed)
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		runRounds(t, rounds, seed, func(testing.TB) string { return "" })
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		if os.Getenv(postgresVariable) == "" {
			rounds = max(1, rounds/postgresShare)
		}
		runRounds(t, rounds, seed, postgrestest.Database)
	})
}

func runRounds(t *testing.T, rounds int, seed int64, database func(testing.TB) string) {
	first := newLane(t, settings{Database: database(t)})
	ref := newReference(t, first)
	var all tally
	began := time.Now()
	t.Run("rounds", func(t *testing.T) {
		for i := range min(lanes, rounds) {
			l := first
			if i > 0 {
				l = newLane(t, settings{Database: database(t)})
			}
			t.Run(fmt.Sprint("lane", i), func(t *testing.T) {
				t.Parallel()
				for n := i; n < rounds; n += lanes {
					seed := seed + int64(n)
					t.Run(fmt.Sprint(seed), func(t *testing.T) { round(t, l, ref, seed, &all) })
				}
			})
		}
	})
	t.Logf("%d rounds in %s: %d killed somebody, %d operations went on all the same, %d stacks needed recovery",
		rounds, time.Since(began).Round(time.Second), all.sprung.Load(), all.survived.Load(), all.recovered.Load())
	require.GreaterOrEqual(t, all.sprung.Load(), int64(rounds*8/10), "most rounds kill somebody")
}

// round is one disturbed operation, and what comes after it.
func round(t *testing.T, l *lane, ref *reference, seed int64, all *tally) {
	random := rand.New(rand.NewPCG(uint64(seed), 0))
	p, victim := phases[seed%int64(len(phases))], victims[seed/int64(len(phases))%int64(len(victims))]
	at := 1 + random.IntN(ref.moments[p.name])
	stack := fmt.Sprint("s", seed)
	t.Logf("seed %d: %s, %s dies at moment %d of about %d", seed, p.name, victim, at, ref.moments[p.name])
	if p.from == 0 {
		l.node.create(t, stack)
	} else {
		l.adopt(t, stack, undisturbed, ref.states[p.from], ref.lives[p.from])
	}
	before := l.node.export(t, stack)
	l.wire.forget()
	version := max(p.to, 1)
	disturbed := l.disturb(t, stack, version, p.args, victim, at)
	_, sprung := l.trap.seen()
	l.trap.set("", 0, nil)
	if sprung {
		all.sprung.Add(1)
	}
	if disturbed == nil {
		all.survived.Add(1)
	}
	if active := l.node.active(t, stack); active != "" && random.IntN(3) == 0 {
		// Somebody does not want to wait.
		l.node.do(t, http.MethodPost, stackPath(stack)+"/update/"+active+"/cancel", nil)
	}
	l.node.free(t, stack)
	l.sound(t, stack)
	if p.name == "preview" {
		require.JSONEq(t, string(before), string(l.node.export(t, stack)), "a preview changes nothing")
	}
	l.wire.forget()
	if l.recover(t, stack, version) {
		all.recovered.Add(1)
		l.sound(t, stack)
	}
	l.laptop.do(t, stack, version, p.finish)
	l.sound(t, stack)
	s := l.state(t, stack)
	require.Equal(t, parse(t, ref.states[p.to]).comparable(t, undisturbed), s.comparable(t, stack))
	lives, made := l.cloud.of(stack)
	require.Len(t, lives, len(s.things()), "nothing lives that the state does not have")
	for urn, n := range made {
		require.LessOrEqual(t, n, max(1, ref.made[p.to][originally(urn, stack)]), "%s was made more than once", urn)
	}
}

// originally is the URN that the undisturbed stack has.
func originally(urn, stack string) string {
	return strings.Replace(urn, ":"+stack+"::", ":"+undisturbed+"::", 1)
}

// disturb runs an operation during which somebody is killed, and starts again
// what has to run. It returns how the operation ended.
func (l *lane) disturb(t *testing.T, stack string, version int, args, victim string, at int) error {
	t.Helper()
	// The trap may spring before start has returned.
	started, dead := make(chan *run, 1), make(chan struct{}, 1)
	l.trap.set(stack, at, func() bool {
		r := <-started
		if victim != "the CLI" {
			l.node.kill()
			dead <- struct{}{}
		}
		if victim != "the server" {
			r.kill()
			return true
		}
		return false
	})
	r := l.laptop.start(t, stack, version, args)
	started <- r
	select {
	case <-dead:
	case <-r.Done:
	}
	if victim == "both" {
		<-r.Done
	}
	l.node.ensure(t)
	return r.ends()
}
