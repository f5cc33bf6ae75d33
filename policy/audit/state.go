package audit

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// State is what a stack has deployed.
type State struct {
	resources []apitype.ResourceV3
	// lines are where resources stand in the text.
	lines map[resource.URN]int
}

// The versions of a deployment that can be read. 4 is 3 with features of the CLI
// that none of what is read here depends on.
const oldest, newest = 3, 4

// Read reads an export of a stack. A stack without a deployment has no resources.
func Read(text []byte) (State, error) {
	var export apitype.UntypedDeployment
	if err := json.Unmarshal(text, &export); err != nil {
		return State{}, fmt.Errorf("it is no state of a stack: %w; `pulumi stack export` writes one", jsonProblem(text, err))
	}
	if err := otherState(text); err != nil {
		return State{}, err
	}
	if export.Version < oldest || export.Version > newest {
		return State{}, fmt.Errorf("it has version %d of a state, and versions %d and %d can be read: export it with a Pulumi CLI of these days, or use a newer Redoubt",
			export.Version, oldest, newest)
	}
	if len(export.Deployment) == 0 { // a stack that was never updated
		return State{}, nil
	}
	var deployment apitype.DeploymentV3
	if err := json.Unmarshal(export.Deployment, &deployment); err != nil {
		return State{}, fmt.Errorf("the deployment in it cannot be read: %w; `pulumi stack export` writes one", jsonProblem(export.Deployment, err))
	}
	s := State{lines: linesOf(text)}
	var errs []error
	for i, r := range deployment.Resources {
		if !r.URN.IsValid() {
			errs = append(errs, fmt.Errorf("resource %d has no valid URN: %.200q", i+1, r.URN))
			continue
		}
		// What is to be deleted is not part of the stack any more.
		if !r.Delete {
			s.resources = append(s.resources, r)
		}
	}
	return s, errors.Join(errs...)
}

// otherState says what a JSON object is that is no export.
func otherState(text []byte) error {
	var has map[string]json.RawMessage
	if err := json.Unmarshal(text, &has); err != nil {
		return fmt.Errorf("it is no state of a stack: %w; `pulumi stack export` writes one", jsonProblem(text, err))
	}
	switch {
	case has["terraform_version"] != nil:
		return errors.New("it is a state of Terraform, not of a Pulumi stack")
	case has["checkpoint"] != nil:
		return errors.New("it is a backend's own file: give what `pulumi stack export` writes of that stack")
	case has["version"] == nil || len(has) > 1 && has["deployment"] == nil:
		return errors.New("it is JSON, but no state of a stack (version or deployment is missing): `pulumi stack export` writes one")
	default:
		return nil
	}
}

// jsonProblem is an error of decoding with its line, and without the text around it,
// which may be a secret.
func jsonProblem(text []byte, err error) error {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case len(bytes.TrimSpace(text)) == 0:
		return errors.New("it is empty")
	case errors.As(err, &syntax):
		return fmt.Errorf("no JSON at line %d", 1+bytes.Count(text[:min(int(syntax.Offset), len(text))], []byte("\n")))
	case errors.As(err, &kind):
		return fmt.Errorf("%s is a %s, which it cannot be", cmp.Or(kind.Field, "the whole"), kind.Value)
	default:
		return errors.New("no JSON")
	}
}

// linesOf finds the lines that name resources: exports are written with a property a
// line. In a text without line breaks every resource is in line 1.
func linesOf(text []byte) map[resource.URN]int {
	out := map[resource.URN]int{}
	for n := 1; len(text) > 0; n++ {
		row, rest, _ := bytes.Cut(text, []byte("\n"))
		if after, ok := bytes.CutPrefix(bytes.TrimSpace(row), []byte(`"urn": `)); ok {
			var urn resource.URN
			if json.Unmarshal(bytes.TrimRight(after, ", \r"), &urn) == nil && out[urn] == 0 {
				out[urn] = n
			}
		}
		text = rest
	}
	return out
}
