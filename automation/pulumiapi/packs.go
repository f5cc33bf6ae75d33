package pulumiapi

import (
	"cmp"
	"encoding/json"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"

	"redoubt/automation/backend"
)

// required are packs as the CLI takes them: each with an address to download it
// from, which asks for no credential.
func (c *call) required(packs []backend.PolicyPack) ([]apitype.RequiredPolicy, error) {
	var out []apitype.RequiredPolicy
	for _, p := range packs {
		config, err := configOf(p.Policies)
		if err != nil {
			return nil, err
		}
		out = append(out, apitype.RequiredPolicy{
			Name: p.Name, Version: int(p.Version), VersionTag: p.Tag, DisplayName: cmp.Or(p.DisplayName, p.Name), Config: config,
			PackLocation: c.packLink("GET", p.Org, p.Name, p.Version),
		})
	}
	return out, nil
}

// configOf is the configuration of a pack, by policy.
func configOf(doc json.RawMessage) (map[string]*json.RawMessage, error) {
	if len(doc) == 0 {
		return nil, nil
	}
	var config map[string]*json.RawMessage
	err := json.Unmarshal(doc, &config)
	return config, err
}

func stackPacks(c *call) (any, error) {
	packs, err := c.service.RequiredPacks(c.ctx(), c.caller, c.stack())
	if err != nil {
		return nil, err
	}
	required, err := c.required(packs)
	return apitype.GetStackPolicyPacksResponse{RequiredPolicies: required}, err
}

func listPacks(c *call) (any, error) {
	packs, err := c.service.Packs(c.ctx(), c.caller, c.org())
	if err != nil {
		return nil, err
	}
	answer := apitype.ListPolicyPacksResponse{PolicyPacks: []apitype.PolicyPackWithVersions{}}
	for _, p := range packs {
		if !p.Complete {
			continue
		}
		at := slices.IndexFunc(answer.PolicyPacks, func(q apitype.PolicyPackWithVersions) bool { return q.Name == p.Name })
		if at < 0 {
			at = len(answer.PolicyPacks)
			answer.PolicyPacks = append(answer.PolicyPacks, apitype.PolicyPackWithVersions{Name: p.Name})
		}
		q := &answer.PolicyPacks[at]
		q.DisplayName = cmp.Or(p.DisplayName, p.Name)
		q.Versions, q.VersionTags = append(q.Versions, int(p.Version)), append(q.VersionTags, p.Tag)
	}
	return answer, nil
}

// newPack is what is read of apitype.CreatePolicyPackRequest.
type newPack struct {
	Name        string          `json:"name"`
	DisplayName string          `json:"displayName"`
	VersionTag  string          `json:"versionTag"`
	Policies    json.RawMessage `json:"policies"`
}

// publishPack begins a publication: the CLI uploads the archive to the address
// that it gets, without a credential, and says when it has
// (pkg/backend/httpstate/client/client.go, PublishPolicyPack).
func publishPack(c *call) (any, error) {
	var n newPack
	if err := c.decode(&n); err != nil {
		return nil, err
	}
	if _, err := policiesOf(n.Policies); err != nil {
		return nil, &backend.Error{Code: backend.CodeInvalid, Message: "policies is not the list of policies that is expected here", Cause: err}
	}
	pack, err := c.service.PublishPack(c.ctx(), c.caller, backend.PolicyPack{
		Org: c.org(), Name: n.Name, DisplayName: n.DisplayName, Tag: n.VersionTag, Policies: present(n.Policies),
	})
	if err != nil {
		return nil, err
	}
	return apitype.CreatePolicyPackResponse{Version: int(pack.Version), UploadURI: c.packLink("PUT", pack.Org, pack.Name, pack.Version)}, nil
}

// policy is what is read of apitype.Policy.
type policy struct {
	Name   string          `json:"name"`
	Schema json.RawMessage `json:"configSchema"`
}

func policiesOf(doc json.RawMessage) (policies []policy, err error) {
	if len(doc) > 0 {
		err = json.Unmarshal(doc, &policies)
	}
	return policies, err
}

func uploadPack(c *call) (any, error) {
	version, err := number(c.r.PathValue("version"))
	if err != nil {
		return nil, err
	}
	text, err := c.body()
	if err != nil {
		return nil, err
	}
	return nil, c.service.PutPackArchive(c.ctx(), c.org(), c.r.PathValue("pack"), version, text)
}

// downloadPack answers the archive as it is: with Content-Encoding: gzip Go's
// client would unpack it, and the CLI wants to do that itself.
func downloadPack(c *call) (any, error) {
	version, err := number(c.r.PathValue("version"))
	if err != nil {
		return nil, err
	}
	text, err := c.service.PackArchive(c.ctx(), c.org(), c.r.PathValue("pack"), version)
	return blob(text), err
}

func completePack(c *call) (any, error) {
	return nil, c.service.CompletePack(c.ctx(), c.caller, c.org(), c.r.PathValue("pack"), c.r.PathValue("tag"))
}

func packSchema(c *call) (any, error) {
	pack, err := c.service.Pack(c.ctx(), c.caller, c.org(), c.r.PathValue("pack"), latest(c.r.PathValue("tag")))
	if err != nil {
		return nil, err
	}
	policies, err := policiesOf(pack.Policies)
	if err != nil {
		return nil, err
	}
	schemas := map[string]json.RawMessage{}
	for _, p := range policies {
		if present(p.Schema) != nil {
			schemas[p.Name] = p.Schema
		}
	}
	return map[string]any{"configSchema": schemas}, nil
}

// latest turns the CLI's word for the newest version into ours.
func latest(tag string) string {
	if tag == "latest" {
		return ""
	}
	return tag
}

func deletePack(c *call) (any, error) {
	return nil, c.service.DeletePack(c.ctx(), c.caller, c.org(), c.r.PathValue("pack"), c.r.PathValue("tag"))
}
