package replay_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
)

// journal is a state and what an update sent about it.
type journal struct {
	Base    json.RawMessage        `json:"base"` // An apitype.DeploymentV3.
	Entries []apitype.JournalEntry `json:"entries"`
}

// generator plays an engine that updates a stack. It makes the entries that the
// engine's steps make, in any order that steps may end in, and cuts the journal
// off where a crash would. It knows nothing about what the journal comes to.
type generator struct {
	*rand.Rand
	names int
	// rows are the states that steps may work on: of the base or stored since.
	rows       []*row
	base       apitype.DeploymentV3
	entries    []apitype.JournalEntry
	operations int64
	// open are the ends of steps that began.
	open []func()
	// barriers are the entries that the engine waits for before it goes on.
	barriers []int
	// elided are the operations whose entries a client sends without waiting.
	elided map[int64]bool
}

// row is a state with its place: an index of the base, or the operation that
// stored it.
type row struct {
	apitype.ResourceV3
	old, new *int64
}

const urnPrefix = "urn:pulumi:dev::shop::"

func generate(seed, number uint64) journal {
	g := &generator{Rand: rand.New(rand.NewPCG(seed, number)), elided: map[int64]bool{}}
	g.makeBase()
	base := g.base
	g.run()
	raw, err := json.Marshal(base)
	if err != nil {
		panic(err)
	}
	return journal{Base: raw, Entries: g.arrived()}
}

func (g *generator) chance(percent int) bool { return g.IntN(100) < percent }

func (g *generator) makeBase() {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	g.base = apitype.DeploymentV3{Manifest: apitype.ManifestV1{Time: now, Version: "v3.250.0"}}
	if g.chance(10) {
		return // A new stack.
	}
	if g.chance(80) {
		g.base.SecretsProviders = secretsProvider("dev")
	}
	for range 1 + g.IntN(12) {
		g.base.Resources = append(g.base.Resources, g.state(g.base.Resources))
	}
	for range g.IntN(3) { // Older states of resources that were replaced.
		r := g.base.Resources[g.IntN(len(g.base.Resources))]
		r.Delete, r.ID = true, r.ID+"-old"
		if g.chance(30) {
			r.Delete, r.PendingReplacement = false, true
		}
		g.base.Resources = append(g.base.Resources, r)
	}
	for range g.IntN(3) {
		g.base.PendingOperations = append(g.base.PendingOperations, apitype.OperationV2{
			Type: pick[apitype.OperationType](g, "creating", "creating", "updating", "deleting", "reading", "importing"), Resource: g.state(g.base.Resources),
		})
	}
	if g.chance(10) {
		g.base.Snippets = g.snippets()
	}
	if g.chance(10) {
		g.base.Extensions = map[apitype.ExtensionRef]apitype.Extension{g.ref(): g.extension()}
	}
	if g.chance(5) {
		g.base.Metadata.IntegrityErrorMetadata = &apitype.SnapshotIntegrityErrorMetadataV1{Error: "x", Command: "up"}
	}
	g.number()
}

// number makes the base's resources the rows that there are.
func (g *generator) number() {
	g.rows = nil
	for i, r := range g.base.Resources {
		index := int64(i)
		g.rows = append(g.rows, &row{ResourceV3: r, old: &index})
	}
}

// pick is one of the choices.
func pick[T ~string](g *generator, choices ...T) T { return choices[g.IntN(len(choices))] }

func (g *generator) ref() apitype.ExtensionRef {
	return pick[apitype.ExtensionRef](g, "e1", "e2", "e3")
}

func (g *generator) extension() apitype.Extension {
	return apitype.Extension{Name: pick(g, "ext", "other"), Version: "1.0.0", Value: []byte{byte(g.IntN(256))}}
}

func (g *generator) snippets() []apitype.SnippetV1 {
	var list []apitype.SnippetV1
	for i := range g.IntN(3) {
		s := apitype.SnippetV1{UUID: fmt.Sprintf("uuid-%d", i), Name: "s", Type: "pkg:m:R", Code: "a = b"}
		if u := g.some(g.base.Resources); u != "" {
			s.References = map[string]string{"b": string(u)}
		}
		list = append(list, s)
	}
	return list
}

func secretsProvider(stack string) *apitype.SecretsProvidersV1 {
	return &apitype.SecretsProvidersV1{
		Type:  "service",
		State: json.RawMessage(`{"url":"https://redoubt.example","owner":"acme","project":"shop","stack":"` + stack + `"}`),
	}
}

// some is the URN of one of the resources, or of none.
func (g *generator) some(list []apitype.ResourceV3) resource.URN {
	if len(list) == 0 || g.chance(2) {
		return pick[resource.URN](g, "", urnPrefix+"pkg:m:Gone::gone")
	}
	return list[g.IntN(len(list))].URN
}

func (g *generator) several(list []apitype.ResourceV3) []resource.URN {
	urns := make([]resource.URN, g.IntN(3))
	for i := range urns {
		urns[i] = g.some(list)
	}
	return urns
}

// state makes a new resource that refers to those before it.
func (g *generator) state(before []apitype.ResourceV3) apitype.ResourceV3 {
	g.names++
	name := fmt.Sprintf("r%d", g.names)
	switch {
	case len(before) == 0:
		return apitype.ResourceV3{URN: urnPrefix + "pulumi:pulumi:Stack::shop-dev", Type: "pulumi:pulumi:Stack"}
	case g.chance(20):
		return apitype.ResourceV3{
			URN: resource.URN(urnPrefix + "pulumi:providers:pkg::" + name), Type: "pulumi:providers:pkg",
			Custom: true, ID: resource.ID("p-" + name), Inputs: map[string]any{"version": "1.2.3"},
		}
	}
	r := apitype.ResourceV3{Type: pick[tokens.Type](g, "pkg:m:Bucket", "pkg:m:Topic", "pkg:m:Queue"), Parent: g.some(before)}
	qualified := string(r.Type)
	if r.Parent != "" && r.Parent.QualifiedType() != resource.RootStackType {
		qualified = string(r.Parent.QualifiedType()) + "$" + qualified
	}
	r.URN = resource.URN(urnPrefix + qualified + "::" + name)
	if g.chance(20) {
		return r // A component.
	}
	r.Custom, r.ID = true, resource.ID("i-"+name)
	for _, p := range before {
		if p.Type == "pulumi:providers:pkg" && g.chance(60) {
			r.Provider = string(p.URN) + "::" + string(p.ID)
		}
	}
	r.Dependencies = g.several(before)
	if g.chance(40) {
		r.PropertyDependencies = map[resource.PropertyKey][]resource.URN{"a": g.several(before), "b": g.several(before)}
	}
	g.options(&r, before)
	g.properties(&r)
	return r
}

// options sets what programs set seldom.
func (g *generator) options(r *apitype.ResourceV3, before []apitype.ResourceV3) {
	if g.chance(10) {
		r.DeletedWith = g.some(before)
	}
	if g.chance(10) {
		r.ReplaceWith = g.several(before)
	}
	if g.chance(10) {
		r.ViewOf = g.some(before)
	}
	if g.chance(10) {
		r.ResourceHooks = map[resource.HookType][]string{resource.BeforeCreate: {"hook"}}
	}
	if g.chance(5) {
		r.SnippetID = "uuid-0"
	}
	if g.chance(5) {
		r.ExtensionRef = g.ref()
	}
	r.Protect, r.Taint, r.External = g.chance(10), g.chance(5), g.chance(5)
	r.RetainOnDelete, r.RefreshBeforeUpdate = g.chance(5), g.chance(5)
	if g.chance(10) {
		r.InitErrors = []string{"it did not start"}
	}
	if g.chance(10) {
		r.ReplacementTrigger = map[string]any{"by": map[string]any{
			resource.SigKey: resource.ResourceReferenceSig, "urn": string(g.some(before)),
		}, "at": "a <b> & \"c\" \\ \u2028"}
	}
}

// properties sets inputs and outputs with what JSON can have in it.
func (g *generator) properties(r *apitype.ResourceV3) {
	secret := map[string]any{resource.SigKey: resource.SecretSig, "ciphertext": "v1:AbC\\+/="}
	self := map[string]any{resource.SigKey: resource.ResourceReferenceSig, "urn": string(r.URN), "id": "i", "packageVersion": ""}
	inside, _ := json.Marshal(map[string]any{"ref": self, "n": 1})
	values := []any{
		self,
		map[string]any{resource.SigKey: resource.SecretSig, "plaintext": string(inside)},
		map[string]any{resource.SigKey: resource.OutputValueSig, "value": []any{self}, "dependencies": []any{string(r.URN), 1}, "secret": true},
		string(r.URN), "x", "", "\"quoted\\\" }{][", g.IntN(1000), true, nil,
		[]any{},
		[]any{1, "2", secret},
		map[string]any{},
		secret,
	}
	r.Inputs, r.Outputs = map[string]any{}, map[string]any{}
	for i := range g.IntN(4) {
		r.Inputs[fmt.Sprintf("in%d", i)] = values[g.IntN(len(values))]
		r.Outputs[fmt.Sprintf("out \"%d\"", i)] = map[string]any{"deep": []any{values[g.IntN(len(values))]}}
	}
}

// touched is a state as a step leaves it: the same resource, with changes.
func (g *generator) touched(r apitype.ResourceV3) *apitype.ResourceV3 {
	g.properties(&r)
	r.Delete, r.PendingReplacement = false, false
	if g.chance(20) {
		r.Dependencies = g.several(g.base.Resources)
	}
	if g.chance(10) {
		r.Parent = g.some(g.base.Resources)
	}
	if g.chance(10) && r.Custom {
		// It got another name or type, and says which it had.
		g.names++
		r.Aliases = []resource.URN{r.URN}
		if other := g.some(g.base.Resources); other != "" && g.chance(3) && !strings.Contains(string(other), "pulumi:providers:") {
			r.Aliases = append(r.Aliases, other) // Which may be another's alias too.
		}
		if r.Type != "pulumi:providers:pkg" {
			r.Type = "pkg:m:Renamed"
		}
		r.URN = resource.URN(fmt.Sprintf("%s%s::n%d", urnPrefix, r.Type, g.names))
	}
	return &r
}

// operation begins one and returns its number.
func (g *generator) operation(kind apitype.OperationType, r *apitype.ResourceV3) int64 {
	g.operations++
	e := apitype.JournalEntry{Kind: apitype.JournalEntryKindBegin, OperationID: g.operations}
	if kind != "" {
		e.Operation = &apitype.OperationV2{Type: kind, Resource: *r}
	}
	g.send(e)
	return g.operations
}

func (g *generator) send(e apitype.JournalEntry) {
	e.Version = 1
	e.SequenceID = int64(len(g.entries) + 1)
	e.RequiresByteString = g.chance(1)
	g.entries = append(g.entries, e)
}

// later ends a step after others began or ended.
func (g *generator) later(end func()) {
	g.open = append(g.open, end)
	for len(g.open) > 4 || len(g.open) > 0 && g.chance(50) {
		g.endOne()
	}
}

func (g *generator) endOne() {
	i := g.IntN(len(g.open))
	end := g.open[i]
	g.open = slices.Delete(g.open, i, i+1)
	end()
}

// wait ends every step that is open: the engine goes on with another phase.
func (g *generator) wait() {
	for len(g.open) > 0 {
		g.endOne()
	}
	g.barriers = append(g.barriers, len(g.entries))
}
