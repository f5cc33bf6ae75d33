package rules

import (
	"net/url"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"redoubt/guide"
	"redoubt/policy/rule"
)

const clientGuideURL = "https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-settings-client-apps.html"

// sessions holds the rules of "Authentication" about tokens and how long a
// sign-in lasts.
var sessions = []rule.Rule{
	{
		Name:     "cognito-client-token-lifetimes",
		Summary:  "A client's tokens expire soon, and its users sign in again after a bounded time.",
		Guide:    []guide.ID{guide.PracticesAuthenticationSessionManagement},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls: mapped(nist("AC-12", "IA-11")),
		Types:    []string{"cognito/userPoolClient"},
		Params: []rule.Param{
			{
				Name: "maxTokenMinutes", Kind: rule.Integer, Default: 60, Min: 5, Max: 1440,
				Description: "How long access and id tokens may be valid, in minutes.",
			},
			{
				Name: "maxSessionHours", Kind: rule.Integer, Default: 24, Min: 1, Max: 87600,
				Description: "How long a refresh token may be valid, in hours.",
			},
		},
		Check: func(r *rule.Resource, p rule.Params) rule.Verdict {
			out := rule.Pass()
			for _, t := range clientTokens {
				out = rule.All(out, t.expires(r, p))
			}
			return out
		},
		Fix: `cognito.UserPoolClientArgs{AccessTokenValidity: pulumi.Int(15), IdTokenValidity: pulumi.Int(15), RefreshTokenValidity: pulumi.Int(8), ` +
			`TokenValidityUnits: &cognito.UserPoolClientTokenValidityUnitsArgs{AccessToken: pulumi.String("minutes"), IdToken: pulumi.String("minutes"), RefreshToken: pulumi.String("hours")}}`,
		URL: "https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-tokens-with-identity-providers.html",
		Remediate: rule.InTurn(
			rule.Where(clientTokens[0].expires, clientTokens[0].shorten),
			rule.Where(clientTokens[1].expires, clientTokens[1].shorten),
			rule.Where(clientTokens[2].expires, clientTokens[2].shorten),
		),
	},
	{
		Name:     "cognito-refresh-token-rotation",
		Summary:  "A client gets a new refresh token with every use of the old one, so that a stolen one shows.",
		Guide:    []guide.ID{guide.PracticesAuthenticationJWT, guide.PracticesAuthenticationSessionManagement},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls: mapped(nist("IA-5")),
		Types:    []string{"cognito/userPoolClient"},
		Check:    refreshRotates,
		// No repair: rotation takes another call of the API, so that the client's
		// code must change with it.
		Fix: `cognito.UserPoolClientArgs{RefreshTokenRotation: &cognito.UserPoolClientRefreshTokenRotationArgs{Feature: pulumi.String("ENABLED"), ` +
			`RetryGracePeriodSeconds: pulumi.Int(10)}}, and ExplicitAuthFlows without ALLOW_REFRESH_TOKEN_AUTH`,
		URL: "https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-refresh-token.html",
	},
	{
		Name:     "cognito-token-revocation",
		Summary:  "A client's tokens can be revoked, and its answers do not tell which users exist.",
		Guide:    []guide.ID{guide.PracticesAuthenticationSessionManagement},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls: mapped(nist("AC-12")),
		Types:    []string{"cognito/userPoolClient"},
		Check: func(r *rule.Resource, p rule.Params) rule.Verdict {
			return rule.All(revocable(r, p), hidesUsers(r, p))
		},
		Fix: `cognito.UserPoolClientArgs{EnableTokenRevocation: pulumi.Bool(true), PreventUserExistenceErrors: pulumi.String("ENABLED")}`,
		URL: "https://docs.aws.amazon.com/cognito/latest/developerguide/token-revocation.html",
		Remediate: rule.InTurn(
			rule.Where(revocable, rule.SetTo("enableTokenRevocation", true)),
			rule.Where(hidesUsers, rule.SetTo("preventUserExistenceErrors", "ENABLED")),
		),
	},
	{
		Name:     "cognito-no-implicit-or-password-flows",
		Summary:  "A client gets tokens by authorization code or as a machine with a secret, not in an address or for a password in a request.",
		Guide:    []guide.ID{guide.PracticesAuthenticationTokenAuth},
		Severity: rule.High, Level: rule.Mandatory,
		Controls: mapped(nist("IA-2")),
		Types:    []string{"cognito/userPoolClient"},
		Check:    safeFlows,
		Fix: `cognito.UserPoolClientArgs{AllowedOauthFlows: pulumi.StringArray{pulumi.String("code")}, ` +
			`ExplicitAuthFlows: pulumi.StringArray{pulumi.String("ALLOW_USER_SRP_AUTH")}}`,
		URL: clientGuideURL,
	},
	{
		Name:     "cognito-callback-urls-https",
		Summary:  "Users come back from signing in and out over https.",
		Guide:    []guide.ID{guide.PracticesAuthenticationTokenAuth, guide.OverviewDataTLS},
		Severity: rule.High, Level: rule.Mandatory,
		Controls: mapped(nist("SC-8")),
		Types:    []string{"cognito/userPoolClient"},
		Params: []rule.Param{{
			Name: "allowLocalhost", Kind: rule.Boolean, Default: true,
			Description: "Accept http://localhost, which developers use; production has nobody there.",
		}},
		Check: callbacksTLS,
		Fix:   `cognito.UserPoolClientArgs{CallbackUrls: pulumi.StringArray{pulumi.String("https://app.example.org/callback")}}`,
		URL:   clientGuideURL,
	},
	{
		Name:     "alb-auth-session-timeout",
		Summary:  "A sign-in at a load balancer lasts for a working day at most.",
		Guide:    []guide.ID{guide.PracticesAuthenticationSessionManagement},
		Severity: rule.Low, Level: rule.Advisory,
		Controls: mapped(nist("AC-12")),
		Types:    []string{"lb/listener", "lb/listenerRule"},
		Params: []rule.Param{{
			Name: "maxHours", Kind: rule.Integer, Default: 12, Min: 1, Max: 168,
			Description: "How long a session may last, in hours; AWS's default is seven days.",
		}},
		Check: sessionEnds,
		Fix:   `lb.ListenerDefaultActionAuthenticateCognitoArgs{SessionTimeout: pulumi.Int(28800)}`,
		URL:   "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/listener-authenticate-users.html",
	},
}

// clientToken is one kind of token. The three have different units where none
// is set, and different validities where that is not set either.
type clientToken struct {
	property, unit   string
	defaultUnit      string
	defaultValidity  int // in defaultUnit
	limit, limitUnit string
}

var clientTokens = []clientToken{
	{"accessTokenValidity", "accessToken", "hours", 1, "maxTokenMinutes", "minutes"},
	{"idTokenValidity", "idToken", "hours", 1, "maxTokenMinutes", "minutes"},
	{"refreshTokenValidity", "refreshToken", "days", 30, "maxSessionHours", "hours"},
}

var secondsIn = map[string]int{"seconds": 1, "minutes": 60, "hours": 3600, "days": 86400}

func (t clientToken) expires(r *rule.Resource, p rule.Params) rule.Verdict {
	if t.unit == "refreshToken" && forMachines(r) {
		return rule.Skip() // they get none
	}
	validity, unit := r.Get(t.property), r.Get("tokenValidityUnits."+t.unit)
	if validity.Unknown() || unit.Unknown() {
		return rule.Unsure("%s is unknown", t.property)
	}
	n, known := validity.Int()
	u, _ := unit.Str()
	switch {
	case validity.Empty() || known && n == 0: // 0 is the default of the API, too
		n, u = t.defaultValidity, t.defaultUnit
	case !known:
		return rule.Unsure("%s is not a number", t.property)
	case secondsIn[u] == 0:
		u = t.defaultUnit
	}
	if n*secondsIn[u] <= p.Int(t.limit)*secondsIn[t.limitUnit] {
		return rule.Pass()
	}
	tooLong := rule.Fail("%s is, by tokenValidityUnits, %d %s: more than %d %s", t.property, n, u, p.Int(t.limit), t.limitUnit)
	if t.unit == "refreshToken" {
		return unless(tooLong, r.Each("allowedOauthFlows")...)
	}
	return tooLong
}

func (t clientToken) shorten(r *rule.Resource, p rule.Params) (resource.PropertyMap, bool) {
	return rule.InTurn(
		rule.SetTo(t.property, p.Int(t.limit)),
		rule.SetTo("tokenValidityUnits."+t.unit, t.limitUnit),
	)(r, p)
}

// forMachines says that no user gets tokens by the client.
func forMachines(r *rule.Resource) bool {
	flows := r.Each("allowedOauthFlows")
	flow := ""
	if len(flows) == 1 {
		flow, _ = flows[0].Str()
	}
	return flow == "client_credentials"
}

func refreshRotates(r *rule.Resource, _ rule.Params) rule.Verdict {
	if forMachines(r) {
		return rule.Skip()
	}
	out := oneOf(r.Get("refreshTokenRotation.feature"), []string{"ENABLED"}, "a stolen refresh token is good for as long as the owner's")
	if out.Outcome == rule.Failed {
		return unless(out, r.Each("allowedOauthFlows")...)
	}
	const old = "ALLOW_REFRESH_TOKEN_AUTH"
	flows := r.Get("explicitAuthFlows")
	if flows.Empty() {
		return rule.All(out, rule.Fail("explicitAuthFlows is not set: the default has %s, with which AWS refuses rotation", old))
	}
	for _, v := range flows.Items() {
		switch flow, known := v.Str(); {
		case !known:
			out = rule.All(out, rule.Unsure("%s is unknown", v.Path()))
		case flow == old:
			out = rule.All(out, rule.Fail("%s is %s, with which AWS refuses rotation", v.Path(), old))
		}
	}
	return out
}

// revocable passes where nothing is set: new clients can revoke their tokens.
func revocable(r *rule.Resource, _ rule.Params) rule.Verdict {
	v := r.Get("enableTokenRevocation")
	if v.Absent() {
		return rule.Pass()
	}
	return v.True("a stolen refresh token cannot be stopped")
}

func hidesUsers(r *rule.Resource, _ rule.Params) rule.Verdict {
	if forMachines(r) {
		return rule.Skip()
	}
	return unless(oneOf(r.Get("preventUserExistenceErrors"), []string{"ENABLED"}, "an attacker learns which users exist"), r.Each("allowedOauthFlows")...)
}

// badFlows are the ways to get tokens that show too much, with what they show.
var badFlows = map[string]string{
	"implicit":                 "tokens stand in the address, its history and its logs",
	"ALLOW_USER_PASSWORD_AUTH": "the application and what is on the way see the password",
	"USER_PASSWORD_AUTH":       "the application and what is on the way see the password",
}

func safeFlows(r *rule.Resource, _ rule.Params) rule.Verdict {
	out := rule.Pass()
	for _, v := range slices.Concat(r.Each("allowedOauthFlows"), r.Each("explicitAuthFlows")) {
		flow, known := v.Str()
		switch what, bad := badFlows[flow]; {
		case !known:
			out = rule.All(out, rule.Unsure("%s is unknown", v.Path()))
		case bad:
			out = rule.All(out, rule.Fail("%s is %s: %s", v.Path(), v.Show(), what))
		}
	}
	if forMachines(r) {
		out = rule.All(out, r.Get("generateSecret").True("a machine without a secret cannot prove who it is"))
	}
	return out
}

func callbacksTLS(r *rule.Resource, p rule.Params) rule.Verdict {
	out := rule.Skip()
	for _, v := range slices.Concat(r.Each("callbackUrls"), r.Each("logoutUrls"), r.Each("defaultRedirectUri")) {
		text, known := v.Str()
		if !known {
			out = rule.All(out, rule.Unsure("%s is unknown", v.Path()))
			continue
		}
		u, err := url.Parse(text)
		switch {
		// An application on a phone has a scheme of its own.
		case err != nil || u.Scheme != "http" || u.Hostname() == "localhost" && p.Bool("allowLocalhost"):
			out = rule.All(out, rule.Pass())
		default:
			out = rule.All(out, rule.Fail("%s is %s: the code crosses the network in the clear", v.Path(), v.Show()))
		}
	}
	return out
}

func sessionEnds(r *rule.Resource, p rule.Params) rule.Verdict {
	out := rule.Skip()
	for _, action := range slices.Concat(r.Get("defaultActions").Items(), r.Get("actions").Items()) {
		for _, kind := range []string{"authenticateCognito", "authenticateOidc"} {
			if action.Get(kind).Present() {
				out = rule.All(out, atMostHours(action.Get(kind+".sessionTimeout"), p.Int("maxHours")))
			}
		}
	}
	return out
}

// atMostHours is the verdict of a time in seconds; without one it is seven days.
func atMostHours(v rule.Value, hours int) rule.Verdict {
	seconds, known := v.Int()
	switch {
	case v.Unknown():
		return rule.Unsure("%s is unknown", v.Path())
	case known && seconds <= hours*3600:
		return rule.Pass()
	default:
		return rule.Fail("%s is %s: who finds the browser open is signed in for longer than %d hours", v.Path(), v.Show(), hours)
	}
}
