package rehearsal

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// journalFormat is the first line's "format": the file is the account's.
const journalFormat = "redoubt-rehearsal-1"

// journal is the account's file: a header, then a line for every change. It is
// written anew, without the changes that later ones took back, when it is opened
// and has grown to more than twice of what it needs. A nil journal keeps nothing.
type journal struct {
	path string
	// header is the first line, for a file that is not there yet.
	header entry
	file   *os.File
	w      *bufio.Writer
}

// entry is a line of the file.
type entry struct {
	Format  string         `json:"format,omitempty"`
	Account string         `json:"account,omitempty"`
	Births  map[string]int `json:"births,omitempty"`

	Op      string          `json:"op,omitempty"`
	Type    string          `json:"type,omitempty"`
	Region  string          `json:"region,omitempty"`
	ID      string          `json:"id,omitempty"`
	URN     string          `json:"urn,omitempty"`
	Birth   int             `json:"birth,omitempty"`
	Inputs  json.RawMessage `json:"inputs,omitempty"`
	Outputs json.RawMessage `json:"outputs,omitempty"`
}

const (
	opPut    = "put"
	opRemove = "remove"
)

// openJournal reads the file at path into the account.
func openJournal(path string, a *Account) (*journal, error) {
	j := &journal{path: path, header: entry{Format: journalFormat, Account: a.id}}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND, 0o600)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if info, err := os.Stat(filepath.Dir(path)); err != nil || !info.IsDir() {
			return nil, fmt.Errorf("rehearsal: the folder of the account's file %s does not exist; make it first", path)
		}
		return j, nil
	case err != nil:
		return nil, fmt.Errorf("rehearsal: the account's file cannot be opened: %w; check its permissions", err)
	}
	j.use(file)
	if err := j.load(a); err != nil {
		return nil, errors.Join(err, unlockFile(j.file), j.file.Close())
	}
	return j, nil
}

func (j *journal) use(file *os.File) { j.file, j.w = file, bufio.NewWriter(file) }

// load takes the lock, reads the file and writes it anew if that is worth it.
func (j *journal) load(a *Account) error {
	if err := lockFile(j.file); err != nil {
		return fmt.Errorf("rehearsal: the account's file %s is in use by another process; end it first, or use another file", j.path)
	}
	text, err := os.ReadFile(j.path)
	if err != nil {
		return fmt.Errorf("rehearsal: the account's file cannot be read: %w", err)
	}
	live, births, lines, err := readJournal(text, a.id)
	if err != nil {
		return fmt.Errorf("rehearsal: the account's file %s is damaged: %w; restore it from a copy, or remove it to start with an empty account (then destroy or remove the stacks that used it)", j.path, err)
	}
	a.births = births
	a.restore(live)
	// Half a line at the end must not become the beginning of the next one.
	if lines > 2*len(live)+64 || len(text) > 0 && text[len(text)-1] != '\n' {
		return j.compact(a)
	}
	return nil
}

// readJournal plays the file's lines. It says what is wrong and in which line.
func readJournal(text []byte, account string) (live map[key]*record, births map[string]int, lines int, err error) {
	live, births = map[key]*record{}, map[string]int{}
	if len(text) == 0 {
		return live, births, 0, nil
	}
	if text[len(text)-1] != '\n' {
		// A crash in mid-write leaves half a line; nobody was told that it is there.
		text = text[:bytes.LastIndexByte(text, '\n')+1]
	}
	for line := range bytes.Lines(text) {
		lines++
		var e entry
		if err := json.Unmarshal(line, &e); err != nil {
			return nil, nil, lines, fmt.Errorf("line %d is not JSON: %w", lines, err)
		}
		if lines == 1 {
			if e.Format != journalFormat {
				return nil, nil, lines, fmt.Errorf("line 1 says format %q instead of %q: it is not the file of a rehearsal account", e.Format, journalFormat)
			}
			if e.Account != account {
				return nil, nil, lines, fmt.Errorf("it is the file of account %s, but account %s was asked for", e.Account, account)
			}
			for urn, n := range e.Births {
				births[urn] = n
			}
			continue
		}
		if err := e.play(live, births); err != nil {
			return nil, nil, lines, fmt.Errorf("line %d: %w", lines, err)
		}
	}
	if lines == 0 {
		return nil, nil, 0, errors.New("it has no complete line")
	}
	return live, births, lines, nil
}

func (e entry) play(live map[key]*record, births map[string]int) error {
	at := key{e.Type, e.Region, e.ID}
	if at.typ == "" || at.id == "" {
		return errors.New("a change needs a type and an id")
	}
	switch e.Op {
	case opRemove:
		if live[at] == nil {
			return fmt.Errorf("%s %s is removed, but was not there", e.Type, e.ID)
		}
		delete(live, at)
	case opPut:
		inputs, err := decodeMap(e.Inputs)
		if err != nil {
			return fmt.Errorf("inputs of %s: %w", e.ID, err)
		}
		outputs, err := decodeMap(e.Outputs)
		if err != nil {
			return fmt.Errorf("outputs of %s: %w", e.ID, err)
		}
		live[at] = &record{key: at, urn: e.URN, birth: e.Birth, inputs: inputs, outputs: outputs}
		births[e.URN] = max(births[e.URN], e.Birth+1)
	default:
		return fmt.Errorf("unknown change %q", e.Op)
	}
	return nil
}

// put appends what became of a resource.
func (j *journal) put(r *record) error {
	if j == nil {
		return nil
	}
	e, err := putEntry(r)
	if err != nil {
		return err
	}
	return j.append(e)
}

func putEntry(r *record) (entry, error) {
	inputs, err := encodeMap(r.inputs)
	if err != nil {
		return entry{}, fmt.Errorf("rehearsal: %s cannot be kept in the account's file: %w", r.urn, err)
	}
	outputs, err := encodeMap(r.outputs)
	if err != nil {
		return entry{}, fmt.Errorf("rehearsal: %s cannot be kept in the account's file: %w", r.urn, err)
	}
	return entry{
		Op: opPut, Type: r.typ, Region: r.region, ID: r.id, URN: r.urn, Birth: r.birth, Inputs: inputs, Outputs: outputs,
	}, nil
}

// remove appends that a resource is gone.
func (j *journal) remove(k key) error {
	if j == nil {
		return nil
	}
	return j.append(entry{Op: opRemove, Type: k.typ, Region: k.region, ID: k.id})
}

// append writes a line and hands it to the operating system, so that it outlives
// this process.
func (j *journal) append(e entry) error {
	if j.file == nil {
		if err := j.begin(); err != nil {
			return err
		}
	}
	if err := j.write(e); err != nil {
		return err
	}
	return j.flush()
}

func (j *journal) begin() error {
	file, err := os.OpenFile(j.path, os.O_RDWR|os.O_APPEND|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("rehearsal: the account's file cannot be made: %w; if another process made it meanwhile, end that first", err)
	}
	j.use(file)
	if err := lockFile(file); err != nil {
		return fmt.Errorf("rehearsal: the account's file %s cannot be locked: %w", j.path, err)
	}
	return j.write(j.header)
}

func (j *journal) write(e entry) error {
	line, err := json.Marshal(e)
	if err == nil {
		_, err = j.w.Write(append(line, '\n'))
	}
	if err != nil {
		return fmt.Errorf("rehearsal: the account's file %s cannot be written: %w", j.path, err)
	}
	return nil
}

func (j *journal) flush() error {
	if j == nil || j.file == nil {
		return nil
	}
	if err := j.w.Flush(); err != nil {
		return fmt.Errorf("rehearsal: the account's file %s cannot be written: %w", j.path, err)
	}
	return nil
}

func (j *journal) close() error {
	if j == nil || j.file == nil {
		return nil
	}
	return errors.Join(j.flush(), j.file.Sync(), unlockFile(j.file), j.file.Close())
}

// compact writes the live resources to a new file and puts it in the old one's
// place.
func (j *journal) compact(a *Account) (err error) {
	temp, err := os.CreateTemp(filepath.Dir(j.path), filepath.Base(j.path)+".*")
	if err != nil {
		return fmt.Errorf("rehearsal: the account's file cannot be written anew: %w", err)
	}
	old := j.file
	j.use(temp)
	defer func() {
		if err != nil {
			err = errors.Join(err, temp.Close(), os.Remove(temp.Name()))
			j.use(old)
		}
	}()
	if err := lockFile(temp); err != nil {
		return fmt.Errorf("rehearsal: %s cannot be locked: %w", temp.Name(), err)
	}
	header := j.header
	header.Births = a.births
	if err := j.write(header); err != nil {
		return err
	}
	for _, k := range sortedKeys(a.live) {
		e, err := putEntry(a.live[k])
		if err != nil {
			return err
		}
		if err := j.write(e); err != nil {
			return err
		}
	}
	if err := errors.Join(j.flush(), os.Rename(temp.Name(), j.path)); err != nil {
		return fmt.Errorf("rehearsal: the account's file cannot be written anew: %w", err)
	}
	return old.Close()
}

func sortedKeys(live map[key]*record) []key {
	out := make([]key, 0, len(live))
	for k := range live {
		out = append(out, k)
	}
	slices.SortFunc(out, key.compare)
	return out
}
