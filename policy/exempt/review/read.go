package review

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"redoubt/policy/analyzer"
	"redoubt/policy/exempt"
)

// Configuration reads the exemptions of a file for --policy-pack-config, and reports
// everything that is wrong with them.
func Configuration(path string) ([]Exemption, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var policies map[string]json.RawMessage
	if err := json.Unmarshal(text, &policies); err != nil {
		return nil, fmt.Errorf("%s is no configuration of a policy pack: an object of policies, as JSON: %w", path, err)
	}
	var level string // all that may be said of a policy
	own := policies[exempt.Policy]
	if len(own) == 0 || json.Unmarshal(own, &level) == nil {
		return nil, nil
	}
	var props map[string]any
	if err := json.Unmarshal(own, &props); err != nil {
		return nil, fmt.Errorf("%s: %s: it must be an object with entries", path, exempt.Policy)
	}
	delete(props, "enforcementLevel")
	list, err := analyzer.ParseExemptions(props)
	if err != nil {
		return nil, fmt.Errorf("%s: the exemptions are wrong:\n%w", path, err)
	}
	out := make([]Exemption, len(list))
	for i, e := range list {
		out[i] = Exemption{
			Source: path, Rule: e.Rule, Resource: e.Resource, Owner: e.Owner, Reason: e.Reason, ID: e.ID,
			Ends: e.Expires.AddDate(0, 0, 1),
		}
	}
	return out, nil
}

// Stack is what exemptions may match: the resources of a stack.
type Stack struct {
	Project, Name string
	Resources     []Resource
}

// Resource is one of a stack.
type Resource struct{ URN, Type string }

// Deployed reads a stack's state as pulumi stack export writes it.
func Deployed(path string) (Stack, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return Stack{}, err
	}
	var s Stack
	if err := s.read(text); err != nil {
		return Stack{}, fmt.Errorf("%s is no state as pulumi stack export writes it: %w", path, err)
	}
	return s, nil
}

func (s *Stack) read(text []byte) error {
	var export apitype.UntypedDeployment
	var deployment struct {
		Resources []struct {
			URN    resource.URN `json:"urn"`
			Type   string       `json:"type"`
			Delete bool         `json:"delete"`
		} `json:"resources"`
	}
	if err := json.Unmarshal(text, &export); err != nil {
		return withoutText(err)
	}
	if len(export.Deployment) == 0 {
		return errors.New("it has no deployment")
	}
	if err := json.Unmarshal(export.Deployment, &deployment); err != nil {
		return withoutText(err)
	}
	var errs []error
	for i, r := range deployment.Resources {
		if !r.URN.IsValid() {
			errs = append(errs, fmt.Errorf("resources[%d] has no URN", i))
			continue
		}
		s.Project, s.Name = string(r.URN.Project()), r.URN.Stack().Name().String()
		if !r.Delete { // what waits for its deletion nobody judges
			s.Resources = append(s.Resources, Resource{URN: string(r.URN), Type: r.Type})
		}
	}
	if len(deployment.Resources) == 0 {
		errs = append(errs, errors.New("it has no resources, so that nobody knows whose state it is"))
	}
	return errors.Join(errs...)
}

// withoutText is an error about JSON that quotes nothing of it: a state has secrets.
func withoutText(err error) error {
	var kind *json.UnmarshalTypeError
	if errors.As(err, &kind) {
		return fmt.Errorf("%s is a JSON %s", strings.TrimPrefix(kind.Field, "."), kind.Value)
	}
	return errors.New("it is not JSON")
}
