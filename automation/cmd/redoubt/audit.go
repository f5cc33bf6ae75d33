package main

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"redoubt/automation/adminapi"
	"redoubt/automation/backend"
)

type auditCommands struct {
	// State is what redoubt audit does without the name of another command.
	State auditState `cmd:"" default:"withargs" help:"Judge what a stack has deployed, with the policy pack's rules."`

	Export exportAudit `cmd:"" help:"Print the audit log, a JSON object a line."`
	Verify verifyAudit `cmd:"" help:"Verify that nobody changed the audit log: an exported one, or the server's."`

	Checkpoints auditCheckpoints `cmd:"" help:"Print the signed checkpoints of the audit log, a JSON object a line."`
}

// Help is the long text of redoubt audit --help.
func (auditCommands) Help() string {
	return `Two things are audited: what a stack has deployed, against the policy pack's rules, and the log of who did what on a server.

Examples:
  redoubt audit --file state.json                what was exported; the same as redoubt audit state --file …
  redoubt audit --stack acme/shop/prod           what a server has
  redoubt audit state --help                     all flags of that
  redoubt audit export > audit.jsonl             the log
  redoubt audit verify audit.jsonl               nobody changed it`
}

type exportAudit struct {
	URL   string `help:"Address of the server; by default where the Pulumi CLI is logged in." env:"REDOUBT_URL" placeholder:"URL" name:"url"`
	After int64  `help:"Only the entries after this one." placeholder:"N"`
	JSON  bool   `help:"The entries are JSON in any case." name:"json" hidden:""`
}

// Run carries the command out.
func (c *exportAudit) Run(ctx context.Context, s *streams) error {
	client, err := remote{URL: c.URL}.client()
	if err != nil {
		return err
	}
	encoder := json.NewEncoder(s.out)
	encoder.SetEscapeHTML(false)
	return client.Audit(ctx, c.After, func(e adminapi.AuditEntry) error { return encoder.Encode(e) })
}

type verifyAudit struct {
	remote
	File    string `arg:"" optional:"" help:"An exported log, which is verified without a server; the server's own log where none is given."`
	Against string `help:"An exported log that the server's must still begin with: a log that was cut off or written anew does not." type:"existingfile" placeholder:"FILE"`

	Checkpoints string   `help:"Exported checkpoints, whose signatures must be good and whose entries must be in the log." type:"existingfile" placeholder:"FILE"`
	Key         []string `help:"The public key that checkpoints are signed with; without it the one in their file is believed." placeholder:"HEX"`
}

// Help is the long text of redoubt audit verify --help.
func (verifyAudit) Help() string {
	return `Each entry has the hash of the one before: whoever changes or removes one must change all after it. What that cannot show is a log that was
cut off at its end, or written anew as a whole; an export that is kept elsewhere can, and so can the server's signed checkpoints.

Examples:
  redoubt audit export > audit.jsonl
  redoubt audit verify audit.jsonl
  redoubt audit verify --against audit.jsonl
  redoubt audit checkpoints > checkpoints.jsonl
  redoubt audit verify audit.jsonl --checkpoints checkpoints.jsonl --key "$(cat audit.key)"

Exit code: 0 if the log is whole, 1 if not, 2 if it could not be read.`
}

// chain is what verification is about to say.
type chain struct {
	OK      bool   `json:"ok"`
	Entries int64  `json:"entries"`
	First   int64  `json:"first,omitempty"`
	Last    int64  `json:"last,omitempty"`
	Hash    string `json:"hash,omitempty"`
	Problem string `json:"problem,omitempty"`
	// Checkpoints are how many signed places the log was held to.
	Checkpoints int `json:"checkpoints,omitempty"`

	last backend.AuditEntry
	held *checkpoints // nil for none
}

// add verifies the next entry. A log that does not begin with entry 1 is taken
// at its word for what came before.
func (c *chain) add(e adminapi.AuditEntry) error {
	entry := e.Entry()
	if c.Entries == 0 {
		c.First = entry.Sequence
		if entry.Sequence > 1 {
			c.last = backend.AuditEntry{Sequence: entry.Sequence - 1, Hash: entry.Previous}
		}
	}
	last, err := backend.VerifyAudit(c.last, []backend.AuditEntry{entry})
	if err != nil {
		return err
	}
	c.last, c.Last, c.Hash = last, last.Sequence, hex.EncodeToString(last.Hash)
	c.Entries++
	if c.held == nil {
		return nil
	}
	return c.held.entry(entry)
}

// Run carries the command out.
func (c *verifyAudit) Run(ctx context.Context, s *streams) error {
	if c.File != "" && c.Against != "" {
		return errors.New("either a file, which is verified by itself, or --against, which compares the server's log with one")
	}
	found, err := c.begin()
	switch {
	case err != nil:
	case c.File != "":
		err = eachLine(c.File, found.add)
	default:
		err = c.online(ctx, found)
	}
	if err == nil && found.held != nil {
		err = found.held.end(found)
		found.Checkpoints = found.held.checked
	}
	if err != nil && backend.CodeOf(err) != backend.CodeConflict {
		return err
	}
	if found.OK = err == nil; !found.OK {
		found.Problem = err.Error()
	}
	err = c.print(s, found, func(w io.Writer) {
		if !found.OK {
			fmt.Fprintf(w, "NOT WHOLE: %s\n", found.Problem)
			return
		}
		fmt.Fprintf(w, "The audit log is whole: entries %d to %d, the last with hash %s.\n", found.First, found.Last, found.Hash)
		if found.First > 1 {
			fmt.Fprintf(w, "It begins with entry %d: what came before is not in it.\n", found.First)
		}
		if found.held != nil {
			fmt.Fprintf(w, "%d of %d checkpoint(s) are of its entries, and their signatures are good.\n", found.held.checked, len(found.held.signed))
			if !found.held.pinned {
				fmt.Fprintln(w, "Their key was taken from their own file: give --key to trust nothing of that.")
			}
		}
	})
	if err == nil && !found.OK {
		err = errNotOK
	}
	return err
}

// begin is a chain without entries, held to the checkpoints that were given.
func (c *verifyAudit) begin() (*chain, error) {
	found := &chain{}
	if c.Checkpoints == "" {
		if len(c.Key) > 0 {
			return nil, errors.New("--key is for --checkpoints")
		}
		return found, nil
	}
	held, err := readCheckpoints(c.Checkpoints, c.Key)
	if err != nil {
		return nil, err
	}
	found.held = held
	return found, held.signatures()
}

// online verifies the server's log here, from its entries: a server that lies
// about them would have to lie about their hashes too.
func (c *verifyAudit) online(ctx context.Context, found *chain) error {
	kept := &chain{}
	if c.Against != "" {
		if err := eachLine(c.Against, kept.add); err != nil {
			return err
		}
	}
	client, err := c.client()
	if err != nil {
		return err
	}
	err = client.Audit(ctx, 0, func(e adminapi.AuditEntry) error {
		if err := found.add(e); err != nil {
			return err
		}
		if e.Sequence == kept.Last && e.Hash != kept.Hash {
			return backend.Fail(backend.CodeConflict, "entry %d is not the one that was exported: the log was written anew", e.Sequence)
		}
		return nil
	})
	if err == nil && found.Last < kept.Last {
		err = backend.Fail(backend.CodeConflict, "the log ends with entry %d, and entry %d was exported: it was cut off", found.Last, kept.Last)
	}
	return err
}

func eachLine(path string, each func(adminapi.AuditEntry) error) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close() //nolint:errcheck // it was read
	decoder := json.NewDecoder(file)
	for n := 1; ; n++ {
		var e adminapi.AuditEntry
		switch err := decoder.Decode(&e); {
		case errors.Is(err, io.EOF) && n == 1:
			return fmt.Errorf("%s has no entries", path)
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("%s: entry %d of the file cannot be read: %w", path, n, err)
		}
		if err := each(e); err != nil {
			return err
		}
	}
}
