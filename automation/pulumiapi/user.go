package pulumiapi

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"

	"redoubt/automation/backend"
)

// userAnswer is what the CLI reads of GET /api/user; its type is not exported
// (pkg/backend/httpstate/client/client.go, serviceUser). An empty githubLogin,
// of the user or of an organization, is an error to it.
type userAnswer struct {
	ID            string      `json:"id"`
	Login         string      `json:"githubLogin"`
	Name          string      `json:"name"`
	Organizations []orgAnswer `json:"organizations"`
	TokenInfo     tokenAnswer `json:"tokenInfo"`
}

type orgAnswer struct {
	Login string `json:"githubLogin"`
	Name  string `json:"name"`
}

type tokenAnswer struct {
	Name string `json:"name"`
}

func getUser(c *call) (any, error) {
	orgs, err := c.service.Organizations(c.ctx(), c.caller)
	if err != nil {
		return nil, err
	}
	who := c.caller.Principal()
	user := userAnswer{ID: who, Login: who, Name: who, Organizations: []orgAnswer{}, TokenInfo: tokenAnswer{Name: c.caller.Token.Name}}
	for _, o := range orgs {
		user.Organizations = append(user.Organizations, orgAnswer{Login: o.Name, Name: o.Name})
	}
	return user, nil
}

// getDefaultOrg answers 404 where there is none; any other error would fail
// every command that parses a stack's name.
func getDefaultOrg(c *call) (any, error) {
	orgs, err := c.service.Organizations(c.ctx(), c.caller)
	if err != nil {
		return nil, err
	}
	if len(orgs) == 0 {
		return nil, backend.Fail(backend.CodeNotFound, "the token is for no organization")
	}
	at := max(0, slices.IndexFunc(orgs, func(o backend.Organization) bool { return strings.EqualFold(o.Name, c.opts.DefaultOrg) }))
	return apitype.GetDefaultOrganizationResponse{GitHubLogin: orgs[at].Name}, nil
}

// getCapabilities does not announce delta-checkpoint-uploads: what a CLI
// without journaling would upload then loses pending operations
// (pkg/backend/httpstate/diffs.go writes them under another key).
func getCapabilities(*call) (any, error) {
	schema, err := json.Marshal(apitype.DeploymentSchemaVersionConfig{Version: apitype.DeploymentSchemaVersionLatest})
	if err != nil {
		return nil, err
	}
	return apitype.CapabilitiesResponse{Capabilities: []apitype.APICapabilityConfig{
		{Capability: apitype.BatchEncrypt, Version: 1},
		{Capability: apitype.DeploymentSchemaVersion, Version: 1, Configuration: schema},
		{Capability: apitype.StackPolicyPacks, Version: 1},
	}}, nil
}

// getCLIVersion warns of no version: which CLI people use is not decided here.
func getCLIVersion(*call) (any, error) {
	const any = "3.0.0"
	return apitype.CLIVersionResponse{LatestVersion: any, OldestWithoutWarning: any, LatestDevVersion: any}, nil
}

func noPackages(*call) (any, error) {
	return apitype.ListPackagesResponse{Packages: []apitype.PackageMetadata{}}, nil
}

func noTemplates(*call) (any, error) {
	return apitype.ListTemplatesResponse{Templates: []apitype.TemplateMetadata{}}, nil
}

// methods are those that are told apart in logs and metrics.
var methods = []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}

// method is the request's, or "other".
func (c *call) method() string {
	if slices.Contains(methods, c.r.Method) {
		return c.r.Method
	}
	return "other"
}
