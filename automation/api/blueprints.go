package api

import (
	"encoding/json"

	"redoubt/automation/provision"
)

// Blueprint is one thing that can be ordered.
type Blueprint struct {
	BlueprintRef
	Summary      string          `json:"summary"`
	Schema       json.RawMessage `json:"schema" doc:"The JSON Schema (2020-12) of the inputs; what is writeOnly is a secret."`
	Example      json.RawMessage `json:"example" doc:"Inputs that are valid."`
	LaunchRole   string          `json:"launch_role,omitempty" doc:"The role that launches it."`
	Limits       BlueprintLimits `json:"limits"`
	SecretInputs []string        `json:"secret_inputs,omitempty" doc:"JSON pointers of inputs that are secrets."`
}

// BlueprintRef is a blueprint as it was ordered.
type BlueprintRef struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Digest  string `json:"digest" doc:"Of program and schema."`
}

// BlueprintLimits bound an operation; what is missing is not bounded.
type BlueprintLimits struct {
	Resources   int `json:"resources,omitempty"`
	Minutes     int `json:"minutes,omitempty" doc:"How long an operation may take."`
	MaxTTLHours int `json:"max_ttl_hours,omitempty" doc:"The longest life."`
}

func blueprintOf(b provision.Blueprint) Blueprint {
	return Blueprint{
		BlueprintRef: BlueprintRef(b.BlueprintRef), Summary: b.Summary, Schema: orNull(b.Schema), Example: orNull(b.Example),
		LaunchRole: b.LaunchRole, Limits: BlueprintLimits(b.Limits), SecretInputs: b.SecretInputs,
	}
}

// orNull is JSON that can be sent, whatever is missing.
func orNull(text json.RawMessage) json.RawMessage {
	if len(text) == 0 {
		return json.RawMessage("null")
	}
	return text
}

func (h *handlers) listBlueprints(c *call, _ *noInput) (*answer[page[Blueprint]], error) {
	blueprints, err := h.service.Blueprints(c, c.principal)
	return pageOf(blueprints, "", blueprintOf), err
}

type BlueprintPath struct {
	Name string `path:"name" doc:"The blueprint's name."`
}

func (h *handlers) getBlueprint(c *call, in *BlueprintPath) (*answer[Blueprint], error) {
	b, err := h.service.Blueprint(c, c.principal, in.Name, "")
	return &answer[Blueprint]{blueprintOf(b)}, err
}

type blueprintVersionPath struct {
	BlueprintPath
	Version string `path:"version" doc:"The blueprint's version."`
}

func (h *handlers) getBlueprintVersion(c *call, in *blueprintVersionPath) (*answer[Blueprint], error) {
	b, err := h.service.Blueprint(c, c.principal, in.Name, in.Version)
	return &answer[Blueprint]{blueprintOf(b)}, err
}
