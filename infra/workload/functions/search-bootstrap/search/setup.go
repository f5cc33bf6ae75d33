// Package search sets up an OpenSearch domain: roles and who has them, life
// cycles of indices, and index templates. It writes only what differs, so it
// can run after every deployment.
package search

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
)

// Setup is what the domain shall have. What else it has stays.
type Setup struct {
	// Roles are definitions of the security plugin, by name.
	Roles map[string]json.RawMessage `json:"roles,omitempty"`
	// RoleMappings say who has a role: {"backend_roles": ["arn:aws:iam::…:role/…"]}.
	// They may also map the domain's own roles, such as all_access.
	RoleMappings map[string]json.RawMessage `json:"roleMappings,omitempty"`
	// Policies are Index State Management's, by id: {"policy": {…}}.
	Policies map[string]json.RawMessage `json:"policies,omitempty"`
	// Templates are composable index templates, by name.
	Templates map[string]json.RawMessage `json:"templates,omitempty"`
}

// Result counts the parts.
type Result struct {
	Written   []string `json:"written"`
	Unchanged []string `json:"unchanged"`
}

// kind is how the domain keeps one kind of part.
type kind struct {
	name  string
	path  string
	parts func(Setup) map[string]json.RawMessage
	// current takes the part as we would write it out of the domain's answer.
	current func(name string, answer map[string]any) (any, bool)
	// versioned parts are changed only by who names the version that it read.
	versioned bool
}

// kinds are in the order to write: a mapping needs its role.
var kinds = []kind{
	{
		name: "role", path: "/_plugins/_security/api/roles/",
		parts: func(s Setup) map[string]json.RawMessage { return s.Roles }, current: byName,
	},
	{
		name: "role mapping", path: "/_plugins/_security/api/rolesmapping/",
		parts: func(s Setup) map[string]json.RawMessage { return s.RoleMappings }, current: byName,
	},
	{
		name: "policy", path: "/_plugins/_ism/policies/", versioned: true,
		parts:   func(s Setup) map[string]json.RawMessage { return s.Policies },
		current: func(_ string, answer map[string]any) (any, bool) { return answer, answer["policy"] != nil },
	},
	{
		name: "template", path: "/_index_template/",
		parts: func(s Setup) map[string]json.RawMessage { return s.Templates }, current: firstTemplate,
	},
}

// byName is {"<name>": {…}}.
func byName(name string, answer map[string]any) (any, bool) {
	part, ok := answer[name]
	return part, ok
}

// firstTemplate is {"index_templates": [{"name": …, "index_template": {…}}]}.
func firstTemplate(name string, answer map[string]any) (any, bool) {
	list, _ := answer["index_templates"].([]any)
	for _, e := range list {
		entry, _ := e.(map[string]any)
		if entry["name"] == name {
			return entry["index_template"], true
		}
	}
	return nil, false
}

var nameForm = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,63}$`)

// Validate says everything that is wrong with the setup.
func (s Setup) Validate() error {
	var findings []error
	for _, k := range kinds {
		parts := k.parts(s)
		for _, name := range slices.Sorted(maps.Keys(parts)) {
			if !nameForm.MatchString(name) {
				findings = append(findings, fmt.Errorf("%s %q: name (1 to 64 lower-case letters, digits, _ and -, a letter first)", k.name, name))
			}
			var body map[string]any
			if err := json.Unmarshal(parts[name], &body); err != nil || body == nil {
				findings = append(findings, fmt.Errorf("%s %q: not a JSON object (see OpenSearch's API reference)", k.name, name))
			}
		}
	}
	return errors.Join(findings...)
}

// Apply writes what differs. It stops at the first part that the domain
// refuses; the next run goes on from there.
func (d *Domain) Apply(ctx context.Context, s Setup) (Result, error) {
	r := Result{Written: []string{}, Unchanged: []string{}}
	if err := s.Validate(); err != nil {
		return r, err
	}
	for _, k := range kinds {
		parts := k.parts(s)
		for _, name := range slices.Sorted(maps.Keys(parts)) {
			wrote, err := d.apply(ctx, k, name, parts[name])
			if err != nil {
				return r, fmt.Errorf("%s %s: %w", k.name, name, err)
			}
			list := &r.Unchanged
			if wrote {
				list = &r.Written
			}
			*list = append(*list, k.name+" "+name)
		}
	}
	return r, nil
}

func (d *Domain) apply(ctx context.Context, k kind, name string, want json.RawMessage) (wrote bool, err error) {
	status, answer, err := d.call(ctx, http.MethodGet, k.path+name, nil, nil)
	if err != nil {
		return false, err
	}
	var query url.Values
	switch status {
	case http.StatusOK:
		current, found := k.current(name, answer)
		if found && covers(current, decoded(want)) {
			return false, nil
		}
		if k.versioned {
			query = url.Values{"if_seq_no": {fmt.Sprint(answer["_seq_no"])}, "if_primary_term": {fmt.Sprint(answer["_primary_term"])}}
		}
	case http.StatusNotFound:
	default:
		return false, refused(http.MethodGet, status, answer)
	}
	status, answer, err = d.call(ctx, http.MethodPut, k.path+name, query, want)
	if err != nil {
		return false, err
	}
	if status != http.StatusOK && status != http.StatusCreated {
		return false, refused(http.MethodPut, status, answer)
	}
	return true, nil
}

// refused names the fix for what people meet: IAM lets the request in, and the
// domain's own access control does not.
func refused(method string, status int, answer map[string]any) error {
	fix := "read the reason"
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		fix = "the function's role must be the domain's master user, and the domain's access policy must name it"
	case http.StatusConflict:
		fix = "somebody else changed it at the same time: run again"
	}
	return fmt.Errorf("%s answered %d: %v (%s)", method, status, reason(answer), fix)
}

func reason(answer map[string]any) any {
	for _, key := range []string{"error", "message", "reason"} {
		if r, ok := answer[key]; ok {
			return r
		}
	}
	return "no reason given"
}

// covers says whether the domain has everything that is wanted; it adds fields
// of its own (reserved, static, schema_version, default retries of actions).
func covers(has, wants any) bool {
	switch wants := wants.(type) {
	case map[string]any:
		object, ok := has.(map[string]any)
		if !ok {
			return false
		}
		for key, value := range wants {
			if !covers(object[key], value) {
				return false
			}
		}
		return true
	case []any:
		list, ok := has.([]any)
		if !ok || len(list) != len(wants) {
			return false
		}
		for i := range wants {
			if !covers(list[i], wants[i]) {
				return false
			}
		}
		return true
	}
	// Index settings come back as text: 1 as "1", true as "true".
	return fmt.Sprint(has) == fmt.Sprint(wants)
}
