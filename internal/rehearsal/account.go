package rehearsal

import (
	"cmp"
	"fmt"
	"strings"
	"sync"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// Account is a simulated AWS account. It is safe for concurrent use; any number
// of providers and servers may work on one account.
type Account struct {
	id, partition, region, organization string

	mu      sync.Mutex
	journal *journal
	live    map[key]*record
	index   index
	births  map[string]int
	calls   map[string]int
	faults  []*fault
	closed  bool
	// overwritten is what creations took from another resource in silence.
	overwritten []Overwrite
}

// Option changes what Open makes.
type Option func(*Account)

// WithAccountID sets the 12-digit account id; the default is 123456789012.
func WithAccountID(id string) Option { return func(a *Account) { a.id = id } }

// WithPartition sets the partition; the default is "aws".
func WithPartition(partition string) Option { return func(a *Account) { a.partition = partition } }

// WithRegion sets the region of a provider that configures none; the default is
// "us-east-1".
func WithRegion(region string) Option { return func(a *Account) { a.region = region } }

// WithOrganization makes the account a member of an organisation with this id
// ("o-exampleorgid"). Without it organizations:getOrganization is refused with
// AWSOrganizationsNotInUseException, as in an account of its own.
func WithOrganization(id string) Option { return func(a *Account) { a.organization = id } }

// Open opens the account that is kept in the file at path. A file that does not
// exist is made at the first change; path "" keeps the account in memory only.
// A file that cannot be read as an account, or that another process has open,
// is an error and is left as it is.
func Open(path string, opts ...Option) (*Account, error) {
	a := &Account{
		id: "123456789012", partition: "aws", region: "us-east-1",
		live: map[key]*record{}, index: newIndex(),
		births: map[string]int{}, calls: map[string]int{},
	}
	for _, o := range opts {
		o(a)
	}
	if !accountID.MatchString(a.id) {
		return nil, fmt.Errorf("rehearsal: account id %q is not 12 digits", a.id)
	}
	if path == "" {
		return a, nil
	}
	j, err := openJournal(path, a)
	if err != nil {
		return nil, err
	}
	a.journal = j
	return a, nil
}

// ID is the account's 12-digit id.
func (a *Account) ID() string { return a.id }

// Flush makes every change so far durable in the account's file.
func (a *Account) Flush() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.journal.flush()
}

// Close makes every change durable and releases the file. Calls after Close
// are refused.
func (a *Account) Close() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return nil
	}
	a.closed = true
	return a.journal.close()
}

// Resource is one live resource, as a copy.
type Resource struct {
	// Type is the Pulumi token, "aws:ec2/vpc:Vpc".
	Type string
	// ID is the id that Pulumi and AWS know it by.
	ID string
	// ARN is empty for what has none.
	ARN string
	// Region is empty for global services.
	Region string
	// URN is the Pulumi resource that made it.
	URN string
	// Inputs is what was asked for, Outputs what is. Secret values stay marked
	// as secrets.
	Inputs, Outputs resource.PropertyMap
}

// Resources is every live resource, sorted by type, region and id.
func (a *Account) Resources() []Resource {
	a.mu.Lock()
	defer a.mu.Unlock()
	out := make([]Resource, 0, len(a.live))
	for _, k := range sortedKeys(a.live) {
		out = append(out, a.live[k].export())
	}
	return out
}

// key is what makes a live resource unique: ids are unique per type and region.
type key struct{ typ, region, id string }

func (k key) compare(l key) int {
	return cmp.Or(strings.Compare(k.typ, l.typ), strings.Compare(k.region, l.region), strings.Compare(k.id, l.id))
}

// record is a live resource inside the account. Its maps are replaced, never
// changed, so that a copy of the record stays true.
type record struct {
	key
	urn string
	// birth is how often the URN was created before.
	birth           int
	inputs, outputs resource.PropertyMap
}

func (r *record) arn() string {
	if v := plain(r.outputs["arn"]); v.IsString() {
		return v.StringValue()
	}
	return ""
}

func (r *record) export() Resource {
	return Resource{
		Type: r.typ, ID: r.id, ARN: r.arn(), Region: r.region, URN: r.urn,
		Inputs: cloneMap(r.inputs), Outputs: cloneMap(r.outputs),
	}
}

// put makes r live, in place of what had its key, and journals it.
func (a *Account) put(r *record) error {
	if err := a.journal.put(r); err != nil {
		return err
	}
	a.enter(r)
	return nil
}

// enter makes r live without journaling it.
func (a *Account) enter(r *record) {
	if old := a.live[r.key]; old != nil {
		a.index.drop(a, old)
	}
	a.live[r.key] = r
	a.index.add(a, r)
	a.index.link(a, r)
}

// restore makes what was read from the file live. References are linked last,
// because the file's order need not be theirs.
func (a *Account) restore(live map[key]*record) {
	for k, r := range live {
		a.live[k] = r
		a.index.add(a, r)
	}
	for _, r := range live {
		a.index.link(a, r)
	}
}

// remove ends the life of r and journals it.
func (a *Account) remove(r *record) error {
	if err := a.journal.remove(r.key); err != nil {
		return err
	}
	a.leave(r)
	return nil
}

func (a *Account) leave(r *record) {
	a.index.drop(a, r)
	delete(a.live, r.key)
}
