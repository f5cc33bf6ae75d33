package rehearsal

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// policySources write policy documents.
var policySources = map[string]source{
	"aws:iam/getPolicyDocument:getPolicyDocument": func(c *call) (props, error) {
		document := written{Version: "2012-10-17", ID: c.text("policyId")}
		if v := c.text("version"); v != "" {
			document.Version = v
		}
		for i, v := range valuesAt(c.in, "statements[*]") {
			if !v.IsObject() {
				return nil, fmt.Errorf("rehearsal: aws:iam/getPolicyDocument: statement %d is not an object", i)
			}
			document.Statement = append(document.Statement, writeStatement(v.ObjectValue()))
		}
		if err := document.merge(append(c.texts("sourcePolicyDocuments[*]"), c.texts("overridePolicyDocuments[*]")...)); err != nil {
			return nil, err
		}
		var pretty bytes.Buffer
		encoder := json.NewEncoder(&pretty)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(document); err != nil {
			return nil, fmt.Errorf("rehearsal: aws:iam/getPolicyDocument: %w", err)
		}
		minified := bytes.TrimSpace(pretty.Bytes())
		var indented bytes.Buffer
		if err := json.Indent(&indented, minified, "", "  "); err != nil {
			return nil, fmt.Errorf("rehearsal: aws:iam/getPolicyDocument: %w", err)
		}
		sum := sha256.Sum256(minified)
		return props{
			"json": resource.NewProperty(indented.String()), "minifiedJson": resource.NewProperty(string(minified)), "id": hex.EncodeToString(sum[:4]),
		}, nil
	},
}

// written is a policy document in the order in which IAM shows it.
type written struct {
	Version   string `json:"Version"`
	ID        string `json:"Id,omitempty"`
	Statement []any  `json:"Statement"`
}

type writtenStatement struct {
	Sid          string                    `json:"Sid,omitempty"`
	Effect       string                    `json:"Effect"`
	Action       any                       `json:"Action,omitempty"`
	NotAction    any                       `json:"NotAction,omitempty"`
	Resource     any                       `json:"Resource,omitempty"`
	NotResource  any                       `json:"NotResource,omitempty"`
	Principal    any                       `json:"Principal,omitempty"`
	NotPrincipal any                       `json:"NotPrincipal,omitempty"`
	Condition    map[string]map[string]any `json:"Condition,omitempty"`
}

func writeStatement(m resource.PropertyMap) writtenStatement {
	s := writtenStatement{Effect: "Allow"}
	s.Sid, _ = text(m, "sid")
	if effect, ok := text(m, "effect"); ok {
		s.Effect = effect
	}
	s.Action, s.NotAction = single(stringsAt(m, "actions[*]")), single(stringsAt(m, "notActions[*]"))
	s.Resource, s.NotResource = single(stringsAt(m, "resources[*]")), single(stringsAt(m, "notResources[*]"))
	s.Principal, s.NotPrincipal = writePrincipals(m, "principals[*]"), writePrincipals(m, "notPrincipals[*]")
	for _, v := range valuesAt(m, "conditions[*]") {
		if !v.IsObject() {
			continue
		}
		test, _ := text(v.ObjectValue(), "test")
		variable, _ := text(v.ObjectValue(), "variable")
		if s.Condition == nil {
			s.Condition = map[string]map[string]any{}
		}
		if s.Condition[test] == nil {
			s.Condition[test] = map[string]any{}
		}
		s.Condition[test][variable] = single(stringsAt(v.ObjectValue(), "values[*]"))
	}
	return s
}

func writePrincipals(m resource.PropertyMap, path string) any {
	out := map[string][]string{}
	for _, v := range valuesAt(m, path) {
		if !v.IsObject() {
			continue
		}
		kind, _ := text(v.ObjectValue(), "type")
		who := stringsAt(v.ObjectValue(), "identifiers[*]")
		if kind == "*" {
			return "*"
		}
		out[kind] = append(out[kind], who...)
	}
	if len(out) == 0 {
		return nil
	}
	short := map[string]any{}
	for kind, who := range out {
		short[kind] = single(who)
	}
	return short
}

// single is a lone text without its list, and nothing for none.
func single(texts []string) any {
	switch len(texts) {
	case 0:
		return nil
	case 1:
		return texts[0]
	}
	return texts
}

// merge adds the statements of other documents; one with the same Sid gives way
// to the later.
func (w *written) merge(documents []string) error {
	for i, text := range documents {
		var other struct{ Statement []map[string]any }
		if err := json.Unmarshal([]byte(text), &other); err != nil {
			return fmt.Errorf("rehearsal: aws:iam/getPolicyDocument: document %d to merge is not a policy document: %w", i, err)
		}
		for _, s := range other.Statement {
			w.replace(s)
		}
	}
	return nil
}

func (w *written) replace(s map[string]any) {
	sid, _ := s["Sid"].(string)
	for i, mine := range w.Statement {
		if sid != "" && sidOf(mine) == sid {
			w.Statement[i] = s
			return
		}
	}
	w.Statement = append(w.Statement, s)
}

func sidOf(s any) string {
	switch s := s.(type) {
	case writtenStatement:
		return s.Sid
	case map[string]any:
		sid, _ := s["Sid"].(string)
		return sid
	}
	return ""
}
