package replay

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/providers"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/urn"
)

// Problem says what kind of thing is wrong with a state.
type Problem string

// The problems. The CLI refuses to work on a state that has any of them, until
// somebody repairs it.
const (
	// ProblemMagic is a manifest whose magic is not made from its version.
	ProblemMagic Problem = "magic"
	// ProblemNoURN and ProblemNoType are resources without what every one has.
	ProblemNoURN  Problem = "no-urn"
	ProblemNoType Problem = "no-type"
	// ProblemComponentID is a component, which has no provider, with an id.
	ProblemComponentID Problem = "component-id"
	// ProblemProviderURN is a provider that no reference can name.
	ProblemProviderURN Problem = "provider-urn"
	// ProblemProviderReference is a reference to a provider that is none.
	ProblemProviderReference Problem = "provider-reference"
	// ProblemProvider is a provider that is not there.
	ProblemProvider Problem = "provider"
	// The next are references to resources that are not there, or not before the
	// one that refers.
	ProblemParent             Problem = "parent"
	ProblemDependency         Problem = "dependency"
	ProblemPropertyDependency Problem = "property-dependency"
	ProblemDeletedWith        Problem = "deleted-with"
	// ProblemDuplicate is a second resource of a URN that is to stay.
	ProblemDuplicate Problem = "duplicate"
	// ProblemSnippet is a snippet without an id, or with another's.
	ProblemSnippet Problem = "snippet"
)

// Finding is one thing that is wrong with a state.
type Finding struct {
	Problem Problem
	// URN is the resource's; empty where the problem is not one's.
	URN string
	// Refers is what the resource refers to and should not, or not like that.
	Refers string
	// Later says that what it refers to is in the state, but after it.
	Later bool
}

// String is a sentence about it.
func (f Finding) String() string {
	where := " is missing"
	if f.Later {
		where = " comes after it"
	}
	switch f.Problem {
	case ProblemMagic:
		return "the manifest's magic does not fit its version"
	case ProblemNoURN:
		return "a resource has no URN"
	case ProblemNoType:
		return fmt.Sprintf("resource %s has no type", f.URN)
	case ProblemComponentID:
		return fmt.Sprintf("resource %s is a component and has an id", f.URN)
	case ProblemProviderURN:
		return fmt.Sprintf("provider %s has a URN that is not a provider's", f.URN)
	case ProblemProviderReference:
		return fmt.Sprintf("resource %s names as its provider %q, which is not a provider's URN and id", f.URN, f.Refers)
	case ProblemDuplicate:
		return fmt.Sprintf("resource %s is there more than once, and more than one is to stay", f.URN)
	case ProblemSnippet:
		return fmt.Sprintf("snippet %q has no id of its own", f.Refers)
	}
	noun := strings.ReplaceAll(string(f.Problem), "-", " ")
	return fmt.Sprintf("resource %s: the %s %s%s", f.URN, noun, f.Refers, where)
}

// VerifyIntegrity looks for what the CLI would refuse a state for. The deployment
// is an apitype.UntypedDeployment as JSON; the error is for one that cannot be
// read.
func VerifyIntegrity(deployment json.RawMessage) ([]Finding, error) {
	d, err := parseUntyped(deployment)
	if err != nil {
		return nil, fmt.Errorf("the state cannot be read: %w", err)
	}
	var findings []Finding
	fits, err := d.magicFits()
	if err != nil {
		return nil, fmt.Errorf("the state cannot be read: manifest: %w", err)
	}
	if !fits {
		findings = append(findings, Finding{Problem: ProblemMagic})
	}
	return append(findings, d.verify()...), nil
}

func (d *deployment) magicFits() (bool, error) {
	if d.manifest == nil {
		return true, nil
	}
	var version, magic string
	err := eachField(d.manifest, whole(d.manifest), func(key []byte, value span) (err error) {
		switch string(keyName(key)) {
		case "version":
			version, err = stringAt(d.manifest, value)
		case "magic":
			magic, err = stringAt(d.manifest, value)
		}
		return err
	})
	return magic == magicOf(version), err
}

// verifier goes through the resources in order; each may refer to those before.
type verifier struct {
	// staying counts by URN the resources before this one, and how many of them
	// are not to be deleted.
	before, staying map[string]int
	providers       map[string]bool
	all             map[string]bool
	findings        []Finding
}

func (d *deployment) verify() []Finding {
	n := len(d.resources)
	v := &verifier{
		before: make(map[string]int, n), staying: make(map[string]int, n),
		providers: map[string]bool{}, all: make(map[string]bool, n),
	}
	for _, r := range d.resources {
		v.all[r.urn] = true
	}
	for _, r := range d.resources {
		v.resource(r)
	}
	ids := map[string]bool{}
	for _, s := range d.snippets {
		if s.uuid == "" || ids[s.uuid] {
			v.findings = append(v.findings, Finding{Problem: ProblemSnippet, Refers: s.uuid})
		}
		ids[s.uuid] = true
	}
	return v.findings
}

func (v *verifier) report(p Problem, r *resource, refers string) {
	v.findings = append(v.findings, Finding{Problem: p, URN: r.urn, Refers: refers, Later: refers != "" && v.all[refers]})
}

func (v *verifier) resource(r *resource) {
	if r.urn == "" {
		v.report(ProblemNoURN, r, "")
		return
	}
	if r.typ == "" {
		v.report(ProblemNoType, r, "")
	}
	if !r.custom && r.id != "" {
		v.report(ProblemComponentID, r, "")
	}
	v.provider(r)
	v.refers(ProblemParent, r, r.parent)
	for _, u := range r.dependencies {
		v.reference(ProblemDependency, r, u)
	}
	for _, p := range r.propertyDependencies {
		for _, u := range p.urns {
			v.reference(ProblemPropertyDependency, r, u)
		}
	}
	v.refers(ProblemDeletedWith, r, r.deletedWith)
	v.before[r.urn]++
	if !r.delete {
		v.staying[r.urn]++
		if v.staying[r.urn] == 2 {
			v.report(ProblemDuplicate, r, "")
		}
	}
}

// refers is reference for a field that may be empty.
func (v *verifier) refers(p Problem, r *resource, u string) {
	if u != "" {
		v.reference(p, r, u)
	}
}

func (v *verifier) reference(p Problem, r *resource, u string) {
	if v.before[u] == 0 {
		v.report(p, r, u)
	}
}

// provider checks the resource as a provider and for the provider it names. One
// that was deleted to be replaced may outlive its provider.
func (v *verifier) provider(r *resource) {
	if strings.HasPrefix(r.typ, providerModule) {
		if isProviderURN(r.urn) {
			id := r.id
			if id == "" {
				id = providers.UnknownID
			}
			v.providers[r.urn+urn.NameDelimiter+id] = true
		} else {
			v.report(ProblemProviderURN, r, "")
		}
	}
	if r.provider == "" {
		return
	}
	u, _, ok := splitProvider(r.provider)
	switch {
	case !ok || !isProviderURN(u):
		v.report(ProblemProviderReference, r, r.provider)
	case !v.providers[r.provider] && !r.pendingReplacement:
		f := Finding{Problem: ProblemProvider, URN: r.urn, Refers: r.provider}
		f.Later = v.all[u] && v.before[u] == 0
		v.findings = append(v.findings, f)
	}
}

// providerModule begins the type of every provider.
const providerModule = "pulumi:providers:"

func isProviderURN(s string) bool {
	u := urn.URN(s)
	if !u.IsValid() {
		return false
	}
	t := string(u.Type())
	return strings.HasPrefix(t, providerModule) && len(t) > len(providerModule)
}
