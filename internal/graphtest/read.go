package graphtest

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// documents are the properties that hold JSON as text, which a golden file shows
// unfolded.
var documents = map[string]bool{
	"accessPolicies": true, "assumeRolePolicy": true, "content": true, "dashboardBody": true, "definition": true,
	"eventPattern": true, "input": true, "inputParameters": true, "policy": true, "policyDocument": true,
	"redrivePolicy": true, "schema": true,
}

// Read makes a graph of a golden file, with the ids and outputs that the mocks give,
// for who needs a real program's graph without its program. What a golden file
// leaves out is not there: invokes, dependencies, and the values of secrets.
func Read(path string) (*Graph, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("golden file: %w", err)
	}
	var list []rendered
	if err := json.Unmarshal(text, &list); err != nil {
		return nil, fmt.Errorf("golden file %s: %w", path, err)
	}
	g, urns := &Graph{}, map[string]string{}
	for _, e := range list {
		r := e.resource(urns[e.Parent])
		urns[r.Type+"::"+r.Name] = r.URN
		g.Resources = append(g.Resources, r)
	}
	return g, nil
}

func (e rendered) resource(parent string) *Resource {
	for key, v := range e.Inputs {
		if doc, unfolded := v.(map[string]any); unfolded && documents[key] {
			text, err := json.Marshal(doc)
			if err != nil {
				panic(fmt.Sprintf("graphtest: %s of %s: %v", key, e.Name, err)) // it was read as JSON
			}
			e.Inputs[key] = string(text)
		}
	}
	r := &Resource{
		URN: urnOf(parent, e.Type, e.Name), Type: e.Type, Name: e.Name, Parent: parent, Provider: e.Provider,
		Custom: strings.HasPrefix(e.Type, "aws:") || strings.HasPrefix(e.Type, "pulumi:providers:"), Read: e.Read,
		Inputs: resource.NewPropertyMapFromMap(e.Inputs), Protect: e.Protect, RetainOnDelete: e.Retain, IgnoreChanges: e.Ignore,
	}
	r.Depth = strings.Count(r.URN, "$")
	r.Outputs = r.Inputs
	if r.Custom {
		r.ID = idOf(r)
		r.Outputs = outputsOf(r, nil)
	}
	return r
}
