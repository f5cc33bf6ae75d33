package provision

import (
	"encoding/json"
	"time"
)

type NewProject struct {
	Org, Name, Description string
	Settings               *ProjectSettings
}

type ProjectPatch struct {
	Description *string
	Settings    *ProjectSettings
}

type NewEnvironment struct {
	ProjectID, Name, Blueprint, BlueprintVersion string
	Inputs                                       json.RawMessage
	Labels                                       map[string]string
	TTL                                          time.Duration
	Protected                                    *bool
	Options                                      OperationOptions
	Trace                                        string
}

type EnvironmentPatch struct {
	Labels    map[string]string
	Protected *bool
}

type NewOperation struct {
	Kind    OperationKind
	Inputs  json.RawMessage
	Options OperationOptions
	Confirm string
	Trace   string
}

type NewDecision struct{ Decision, Comment, PlanDigest string }

type NewWaiver struct {
	ProjectID, Policy, Stack, Resource, Reason string
	Lifetime                                   time.Duration
}

type NewBinding struct {
	Subject  string
	Role     Role
	Scope    string
	Lifetime time.Duration
}

type NewWebhook struct {
	Org, ProjectID, URL string
	Types               []string
}

type WebhookPatch struct {
	URL      *string
	Types    []string
	Disabled *bool
}

type StackResource struct {
	URN       string   `json:"urn"`
	Type      string   `json:"type"`
	ID        string   `json:"id,omitempty"`
	Parent    string   `json:"parent,omitempty"`
	Provider  string   `json:"provider,omitempty"`
	Custom    bool     `json:"custom"`
	Protect   bool     `json:"protect,omitempty"`
	External  bool     `json:"external,omitempty"`
	DependsOn []string `json:"depends_on,omitempty"`
}
