// Command testprogress reads what `go test -json` writes and says what a person
// wants to know: which packages are done, what the failing ones said, and how long
// it all took.
//
//	go test -json ./... | go run ./internal/testprogress -of 60
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
)

func main() {
	of := flag.Int("of", 0, "how many packages there are")
	flag.Parse()
	p := &progress{out: os.Stdout, of: *of, now: time.Now, packages: map[string]*pack{}}
	if err := p.read(os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, "testprogress:", err)
		os.Exit(2)
	}
	if p.summary() > 0 {
		os.Exit(1)
	}
}

// event is a line of `go test -json` (go doc test2json).
type event struct {
	Action, Package, Test, Output string
	Elapsed                       float64
}

// pack is a package whose tests run.
type pack struct {
	name string
	// said is what each test wrote; "" is the package itself.
	said    map[string][]string
	failed  []string
	cached  bool
	elapsed time.Duration
}

type progress struct {
	out      io.Writer
	of       int
	now      func() time.Time
	began    time.Time
	packages map[string]*pack
	done     []*pack
	failures []string
}

func (p *progress) read(in io.Reader) error {
	p.began = p.now()
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			var e event
			if json.Unmarshal(line, &e) != nil {
				e = event{Action: "build-output", Output: string(line)} // what go itself has to say
			}
			p.take(e)
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (p *progress) take(e event) {
	if e.Package == "" {
		fmt.Fprint(p.out, e.Output) // of the compiler
		return
	}
	k := p.packages[e.Package]
	if k == nil {
		k = &pack{name: e.Package, said: map[string][]string{}}
		p.packages[e.Package] = k
	}
	switch e.Action {
	case "output":
		k.said[e.Test] = append(k.said[e.Test], e.Output)
		k.cached = k.cached || e.Test == "" && strings.HasSuffix(e.Output, "(cached)\n")
	case "fail", "pass", "skip":
		if e.Action == "fail" {
			k.failed = append(k.failed, e.Test)
		}
		if e.Test == "" {
			k.elapsed = time.Duration(e.Elapsed * float64(time.Second))
			p.end(k, e.Action)
		} else if e.Action != "fail" {
			delete(k.said, e.Test)
		}
	}
}

// end says that a package is done, and what its failing tests said.
func (p *progress) end(k *pack, how string) {
	delete(p.packages, k.name)
	p.done = append(p.done, k)
	word := map[string]string{"pass": "ok", "fail": "FAIL", "skip": "no tests"}[how]
	if k.cached {
		word = "ok (cached)"
	}
	fmt.Fprintf(p.out, "%6s  %3d of %d  %-11s  %6.1fs  %s\n", clock(p.now().Sub(p.began)), len(p.done), max(p.of, len(p.done)), word, k.elapsed.Seconds(), k.name)
	if how != "fail" {
		return
	}
	for _, test := range k.failed {
		p.failures = append(p.failures, strings.TrimSpace(k.name+" "+test))
		fmt.Fprint(p.out, strings.Join(k.said[test], ""))
	}
}

// slowest is how many packages the summary names.
const slowest = 8

// summary says how it all went, and returns how many packages and tests failed.
func (p *progress) summary() int {
	slices.SortStableFunc(p.done, func(a, b *pack) int { return int(b.elapsed - a.elapsed) })
	var names []string
	for _, k := range p.done[:min(slowest, len(p.done))] {
		names = append(names, fmt.Sprintf("%s %.0fs", k.name, k.elapsed.Seconds()))
	}
	fmt.Fprintf(p.out, "%d packages in %s. The slowest: %s.\n", len(p.done), clock(p.now().Sub(p.began)), strings.Join(names, ", "))
	for _, f := range p.failures {
		fmt.Fprintln(p.out, "FAIL", f)
	}
	return len(p.failures)
}

func clock(d time.Duration) string {
	return fmt.Sprintf("%d:%02d", int(d.Minutes()), int(d.Seconds())%60)
}
