package replay_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/backend/replay"
)

// TestReplayEqualsReference folds random journals with Pulumi's own replayer and
// with this one. REPLAY_JOURNALS and REPLAY_SEED ask for others.
func TestReplayEqualsReference(t *testing.T) {
	t.Parallel()
	ref := startReference(t)
	seed, count := number(t, "REPLAY_SEED", 1), number(t, "REPLAY_JOURNALS", 4000)
	entries, findings := 0, 0
	for i := range count {
		j := generate(seed, i)
		difference, found := ref.compare(t, j)
		if difference != "" {
			j = shrink(t, ref, j)
			difference, _ = ref.compare(t, j)
			require.Failf(t, "the replays differ", "REPLAY_SEED=%d, journal %d\n%s\n%s", seed, i, difference, show(j))
		}
		entries += len(j.Entries)
		findings += found
	}
	t.Logf("seed %d: %d journals of %d entries came to the same states; %d of them had findings", seed, count, entries, findings)
}

func number(t *testing.T, variable string, otherwise uint64) uint64 {
	t.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(text, 10, 64)
	require.NoError(t, err, variable)
	return n
}

// buildReference builds tools/reference-replay. The first time compiles the
// Pulumi CLI's packages, unless `make tools` did; then it is up to date.
var buildReference = sync.OnceValues(func() (string, error) {
	_, here, _, _ := runtime.Caller(0)
	root := filepath.Join(filepath.Dir(here), "..", "..", "..")
	binary := filepath.Join(root, "bin", "reference-replay")
	build := exec.Command("go", "build", "-o", binary, "./reference-replay")
	build.Dir = filepath.Join(root, "tools")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build tools/reference-replay: %w\n%s", err, out)
	}
	return binary, nil
})

// reference is a running tools/reference-replay.
type reference struct {
	in  *json.Encoder
	out *bufio.Reader
}

type answer struct {
	Deployment json.RawMessage `json:"deployment"`
	Integrity  string          `json:"integrity"`
	Error      string          `json:"error"`
}

func startReference(t *testing.T) *reference {
	t.Helper()
	binary, err := buildReference()
	require.NoError(t, err)
	cmd := exec.Command(binary)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	return &reference{in: json.NewEncoder(in), out: bufio.NewReaderSize(out, 1<<20)}
}

func (r *reference) ask(t *testing.T, question any) answer {
	t.Helper()
	require.NoError(t, r.in.Encode(question))
	line, err := r.out.ReadBytes('\n')
	require.NoError(t, err)
	var a answer
	require.NoError(t, json.Unmarshal(line, &a))
	return a
}

// compare is what differs between the two replays of a journal, and whether they
// found the state wanting.
func (r *reference) compare(t *testing.T, j journal) (difference string, findings int) {
	t.Helper()
	theirs := r.ask(t, j)
	ours, err := replayJournal(t, j)
	switch {
	case err != nil && theirs.Error != "":
		return "", 0
	case err != nil || theirs.Error != "":
		return fmt.Sprintf("errors differ\nours: %v\ntheirs: %s", err, theirs.Error), 0
	}
	our, their := comparable(t, ours.Deployment), comparable(t, theirs.Deployment)
	if our != their {
		return firstDifference(our, their), 0
	}
	if (theirs.Integrity != "") != (len(ours.Findings) > 0) {
		return fmt.Sprintf("findings differ\nours: %v\ntheirs: %s", ours.Findings, theirs.Integrity), 0
	}
	return "", min(1, len(ours.Findings))
}

// replayJournal replays it, in JSON with and without spaces.
func replayJournal(t *testing.T, j journal) (replay.Result, error) {
	t.Helper()
	base := json.RawMessage(`{"version":3,"deployment":` + string(j.Base) + `}`)
	entries := make([]json.RawMessage, len(j.Entries))
	for i, e := range j.Entries {
		var err error
		if i%3 == 0 {
			entries[i], err = json.MarshalIndent(e, " ", "\t")
		} else {
			entries[i], err = json.Marshal(e)
		}
		require.NoError(t, err)
	}
	return replay.Replay(base, replay.Entries(entries...), replay.Options{})
}

// comparable is a deployment without what may differ: the manifest, the order of
// pending operations, and whether what is empty is there.
func comparable(t *testing.T, untyped json.RawMessage) string {
	t.Helper()
	var d map[string]any
	require.NoError(t, json.Unmarshal(untyped, &d))
	inner := d["deployment"].(map[string]any)
	delete(inner, "manifest")
	dropEmpty(inner)
	resources, _ := inner["resources"].([]any)
	for _, r := range resources {
		dropEmpty(r.(map[string]any))
	}
	pending, _ := inner["pending_operations"].([]any)
	for _, op := range pending {
		dropEmpty(op.(map[string]any)["resource"].(map[string]any))
	}
	slices.SortFunc(pending, func(a, b any) int { return strings.Compare(text(t, a), text(t, b)) })
	dropEmpty(d)
	return text(t, d)
}

// firstDifference shows where two texts part.
func firstDifference(ours, theirs string) string {
	at := 0
	for at < min(len(ours), len(theirs)) && ours[at] == theirs[at] {
		at++
	}
	around := func(s string) string { return s[max(0, at-300):min(len(s), at+300)] }
	return fmt.Sprintf("ours:   …%s…\ntheirs: …%s…", around(ours), around(theirs))
}

func dropEmpty(object map[string]any) {
	for key, value := range object {
		switch v := value.(type) {
		case nil:
			delete(object, key)
		case []any:
			if len(v) == 0 {
				delete(object, key)
			}
		case map[string]any:
			if len(v) == 0 {
				delete(object, key)
			}
		}
	}
}

func text(t *testing.T, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	require.NoError(t, err)
	return string(raw)
}

// shrink drops entries for as long as the replays of what is left differ.
func shrink(t *testing.T, ref *reference, j journal) journal {
	t.Helper()
	for size := len(j.Entries) / 2; size > 0; size /= 2 {
		for from := 0; from+size <= len(j.Entries); {
			fewer := journal{Base: j.Base, Entries: slices.Delete(slices.Clone(j.Entries), from, from+size)}
			if difference, _ := ref.compare(t, fewer); difference != "" && valid(t, fewer) {
				j = fewer
			} else {
				from++
			}
		}
	}
	return j
}

// valid is true for a journal that a client may send: with others the reference
// changes the wrong resource.
func valid(t *testing.T, j journal) bool {
	t.Helper()
	_, err := replayJournal(t, j)
	return err == nil || !strings.Contains(err.Error(), "it names")
}

func show(j journal) string {
	var b bytes.Buffer
	fmt.Fprintf(&b, "base: %s\n", j.Base)
	for _, e := range j.Entries {
		raw, _ := json.Marshal(e)
		fmt.Fprintf(&b, "%s: %s\n", e.Kind, raw)
	}
	return b.String()
}
