package api

// WhoAmI is who a request is from.
type WhoAmI struct {
	Type    string   `json:"type" enum:"user,service_account"`
	ID      string   `json:"id" doc:"As role bindings name it."`
	Display string   `json:"display,omitempty"`
	Human   string   `json:"human,omitempty" doc:"The person behind it."`
	Groups  []string `json:"groups"`
	// SecondFactor is what approvals, waivers and secrets take.
	SecondFactor bool   `json:"second_factor" doc:"They signed in with one."`
	AuthMethod   string `json:"auth_method" doc:"token, oidc or session."`
	Token        string `json:"token,omitempty" doc:"The id of the access token."`
	Subject      string `json:"subject" doc:"For a role binding: user:alice."`
}

func (h *handlers) whoAmI(c *call, _ *noInput) (*answer[WhoAmI], error) {
	p := c.principal
	groups := p.Groups
	if groups == nil {
		groups = []string{}
	}
	return &answer[WhoAmI]{WhoAmI{
		Type: string(p.Kind), ID: p.Name, Display: p.Display, Human: p.Human, Groups: groups, SecondFactor: p.MFA, AuthMethod: p.AuthMethod,
		Token: p.Caller.Token.ID, Subject: string(p.Kind) + ":" + p.Name,
	}}, nil
}
