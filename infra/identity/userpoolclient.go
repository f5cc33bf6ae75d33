package identity

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cognito"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/guide"
)

// UserPoolClientComponent is an application's way to get tokens.
var UserPoolClientComponent = guide.Component{
	Token: "redoubt:identity:UserPoolClient",
	Serves: []guide.ID{
		guide.PracticesAuthenticationTokenAuth,
		guide.PracticesAuthenticationSessionManagement,
		guide.PracticesAuthenticationJWT,
	},
}

// ClientKind is who asks for tokens.
type ClientKind string

// The kinds of clients.
const (
	// ServerClient is a web application with a server, which keeps the secret.
	ServerClient ClientKind = "server"
	// PublicClient runs with the user, in a browser or on a phone, and cannot
	// keep a secret; it proves itself with PKCE.
	PublicClient ClientKind = "public"
	// MachineClient is another service: no user, no refresh token.
	MachineClient ClientKind = "machine"
)

// UserPoolClientArgs describes a client.
type UserPoolClientArgs struct {
	// Pool is the pool; required.
	Pool *UserPool
	// ClientName is its name in the pool.
	ClientName string
	// Kind is empty for ServerClient.
	Kind ClientKind
	// CallbackURLs and LogoutURLs are where users come back to, https only.
	CallbackURLs, LogoutURLs []string
	// Scopes are asked for: openid, email, profile, or "<api>/<scope>" of the
	// pool's APIs. Machines have the latter only.
	Scopes []string
	// TokenMinutes is how long access and id tokens are valid, 5 to 1440; zero
	// means 15.
	TokenMinutes int
	// SessionHours is how long a user stays signed in, by refresh token; 1 to
	// 87600, zero means 8.
	SessionHours int
}

// UserPoolClient gets short-lived tokens by authorization code, and a new
// refresh token with every use of the old: a stolen one works once, and both
// stop then. The implicit flow and passwords in requests are off.
type UserPoolClient struct {
	pulumi.ResourceState

	Client *cognito.UserPoolClient
	// ClientID is what the application says that it is; no secret.
	ClientID pulumi.StringOutput
	// Secret is marked secret; empty for a public client.
	Secret pulumi.StringOutput
}

// NewUserPoolClient makes the client. The error joins every finding in args.
func NewUserPoolClient(ctx *pulumi.Context, name string, args *UserPoolClientArgs, opts ...pulumi.ResourceOption) (*UserPoolClient, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("user pool client %q: %w", name, err)
	}
	c := &UserPoolClient{}
	if err := ctx.RegisterComponentResource(UserPoolClientComponent.Token, name, c, opts...); err != nil {
		return nil, fmt.Errorf("user pool client %q: register: %w", name, err)
	}
	var servers []pulumi.Resource
	for _, scope := range args.Scopes {
		if api, _, custom := strings.Cut(scope, "/"); custom {
			servers = append(servers, args.Pool.Servers[api])
		}
	}
	var err error
	// A client that asks for a scope before its API exists is refused.
	c.Client, err = cognito.NewUserPoolClient(ctx, name+"-client", args.input(), pulumi.Parent(c),
		pulumi.DependsOn(servers), pulumi.AdditionalSecretOutputs([]string{"clientSecret"}))
	if err != nil {
		return nil, fmt.Errorf("user pool client %q: %w", name, err)
	}
	c.ClientID = c.Client.ID().ToStringOutput()
	c.Secret = pulumi.ToSecret(c.Client.ClientSecret).(pulumi.StringOutput)
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{"clientId": c.ClientID})
}

func (args *UserPoolClientArgs) input() *cognito.UserPoolClientArgs {
	minutes, hours := args.TokenMinutes, args.SessionHours
	if minutes == 0 {
		minutes = 15
	}
	if hours == 0 {
		hours = 8
	}
	in := &cognito.UserPoolClientArgs{
		Name: pulumi.String(args.ClientName), UserPoolId: args.Pool.PoolID,
		GenerateSecret:                  pulumi.Bool(args.Kind != PublicClient),
		AllowedOauthFlowsUserPoolClient: pulumi.Bool(true),
		AllowedOauthScopes:              pulumi.ToStringArray(slices.Sorted(slices.Values(args.Scopes))),
		PreventUserExistenceErrors:      pulumi.String("ENABLED"),
		EnableTokenRevocation:           pulumi.Bool(true),
		AccessTokenValidity:             pulumi.Int(minutes),
		IdTokenValidity:                 pulumi.Int(minutes),
		// Without units the numbers would be hours, and days for the last.
		TokenValidityUnits: &cognito.UserPoolClientTokenValidityUnitsArgs{
			AccessToken: pulumi.String("minutes"), IdToken: pulumi.String("minutes"), RefreshToken: pulumi.String("hours"),
		},
		RefreshTokenValidity: pulumi.Int(hours),
	}
	if args.Kind == MachineClient {
		in.AllowedOauthFlows = pulumi.ToStringArray([]string{"client_credentials"})
		// No user signs in, so that no flow with one is needed; an empty list
		// would be Cognito's default, which has three.
		in.ExplicitAuthFlows = pulumi.ToStringArray([]string{"ALLOW_USER_SRP_AUTH"})
		return in
	}
	in.AllowedOauthFlows = pulumi.ToStringArray([]string{"code"})
	// ALLOW_REFRESH_TOKEN_AUTH and rotation exclude each other.
	// https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-refresh-token.html
	in.ExplicitAuthFlows = pulumi.ToStringArray([]string{"ALLOW_USER_AUTH", "ALLOW_USER_SRP_AUTH"})
	in.RefreshTokenRotation = &cognito.UserPoolClientRefreshTokenRotationArgs{
		Feature: pulumi.String("ENABLED"), RetryGracePeriodSeconds: pulumi.Int(10),
	}
	in.AuthSessionValidity = pulumi.Int(3) // minutes to answer a challenge, the least there is
	in.CallbackUrls = pulumi.ToStringArray(args.CallbackURLs)
	in.LogoutUrls = pulumi.ToStringArray(args.LogoutURLs)
	in.SupportedIdentityProviders = pulumi.ToStringArray([]string{"COGNITO"})
	in.ReadAttributes = pulumi.ToStringArray([]string{"email", "email_verified", "name"})
	in.WriteAttributes = pulumi.ToStringArray([]string{"email", "name"})
	// A server passes on the user's address for the risk assessment.
	in.EnablePropagateAdditionalUserContextData = pulumi.Bool(args.Kind != PublicClient && threatModes[args.Pool.threats] != "")
	return in
}

func (args *UserPoolClientArgs) validate() error {
	if args == nil {
		return errors.New("args: nil (pass &identity.UserPoolClientArgs{…})")
	}
	f := &findings{}
	if !groupForm.MatchString(args.ClientName) {
		f.add("clientName", fmt.Sprintf("%q is no name", args.ClientName), "1 to 128 letters, digits and +=,.@_-")
	}
	if !slices.Contains([]ClientKind{"", ServerClient, PublicClient, MachineClient}, args.Kind) {
		f.add("kind", fmt.Sprintf("%q is not a choice", args.Kind), "server, public or machine")
	}
	if args.TokenMinutes != 0 {
		f.within("tokenMinutes", args.TokenMinutes, 5, 1440, "a leaked token works that long")
	}
	if args.SessionHours != 0 {
		f.within("sessionHours", args.SessionHours, 1, 87600, "the user signs in again after it")
	}
	args.checkURLs(f)
	args.checkScopes(f)
	return f.err()
}

func (args *UserPoolClientArgs) checkURLs(f *findings) {
	machine := args.Kind == MachineClient
	if machine && len(args.CallbackURLs)+len(args.LogoutURLs) > 0 {
		f.add("callbackUrls", "a machine has nobody to send back", "leave them out")
	}
	if !machine && len(args.CallbackURLs) == 0 {
		f.add("callbackUrls", "empty", "say where users come back to with their code")
	}
	for _, list := range []struct {
		field string
		urls  []string
	}{{"callbackUrls", args.CallbackURLs}, {"logoutUrls", args.LogoutURLs}} {
		for i, text := range list.urls {
			u, err := url.Parse(text)
			local := err == nil && u.Scheme == "http" && u.Hostname() == "localhost"
			if err != nil || u.Host == "" || u.Fragment != "" || u.Scheme != "https" && !local {
				f.add(fmt.Sprintf("%s[%d]", list.field, i), fmt.Sprintf("%q is no https URL without fragment", text), "https://…, or http://localhost while developing")
			}
		}
	}
}

func (args *UserPoolClientArgs) checkScopes(f *findings) {
	if len(args.Scopes) == 0 {
		f.add("scopes", "empty: a token would be good for nothing", "openid for users, <api>/<scope> for APIs")
	}
	if args.Pool == nil {
		f.add("pool", "nil", "pass the identity.UserPool")
		return
	}
	for i, scope := range args.Scopes {
		api, name, custom := strings.Cut(scope, "/")
		_, known := args.Pool.apis[api][name]
		switch {
		case custom && !known:
			f.add(fmt.Sprintf("scopes[%d]", i), fmt.Sprintf("the pool has no %q", scope), "add it to the pool's apis")
		case !custom && args.Kind == MachineClient:
			f.add(fmt.Sprintf("scopes[%d]", i), fmt.Sprintf("%q is about a user, and a machine has none", scope), "<api>/<scope>")
		case !custom && !slices.Contains([]string{"email", "openid", "profile"}, scope):
			// aws.cognito.signin.user.admin lets the token's bearer change the
			// user, the second factor with it.
			f.add(fmt.Sprintf("scopes[%d]", i), fmt.Sprintf("%q is not for applications", scope), "openid, email, profile or <api>/<scope>")
		}
	}
}
