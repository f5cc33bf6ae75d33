package identity_test

import (
	"errors"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"redoubt/infra/identity"
	"redoubt/internal/graphtest"
)

func clientArgs() identity.UserPoolClientArgs {
	return identity.UserPoolClientArgs{
		ClientName: "web", CallbackURLs: []string{"https://app.redoubt.dev/callback"}, LogoutURLs: []string{"https://app.redoubt.dev/"},
		Scopes: []string{"openid", "email", "orders/read"},
	}
}

func client(poolArgs *identity.UserPoolArgs, args identity.UserPoolClientArgs) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		p, err := identity.NewUserPool(ctx, "users", poolArgs)
		if err != nil {
			return err
		}
		args.Pool = p
		c, err := identity.NewUserPoolClient(ctx, "web", &args)
		if err != nil {
			return err
		}
		if args.Kind != identity.PublicClient && !pulumi.IsSecret(c.Secret) {
			return errors.New("the client's secret is not marked secret")
		}
		return nil
	}
}

func TestClientGetsShortTokensByCode(t *testing.T) {
	t.Parallel()
	args := poolArgs()
	args.Threats = identity.ThreatsEnforced
	g := graphtest.Run(t, client(args, clientArgs()))
	c := g.Only(clientType)
	for input, want := range map[string]any{
		"allowedOauthFlows": []any{"code"}, "allowedOauthFlowsUserPoolClient": true, "generateSecret": true,
		"allowedOauthScopes":         []any{"email", "openid", "orders/read"},
		"preventUserExistenceErrors": "ENABLED", "enableTokenRevocation": true,
		"accessTokenValidity": 15.0, "idTokenValidity": 15.0, "refreshTokenValidity": 8.0,
		"tokenValidityUnits.accessToken": "minutes", "tokenValidityUnits.idToken": "minutes", "tokenValidityUnits.refreshToken": "hours",
		"refreshTokenRotation.feature": "ENABLED", "refreshTokenRotation.retryGracePeriodSeconds": 10.0,
		"authSessionValidity": 3.0, "enablePropagateAdditionalUserContextData": true,
	} {
		require.Equal(t, want, c.Input(input), input)
	}
	flows, ok := c.Input("explicitAuthFlows").([]any)
	require.True(t, ok)
	require.NotContains(t, flows, "ALLOW_REFRESH_TOKEN_AUTH", "Cognito refuses it beside rotation")
	require.NotContains(t, flows, "ALLOW_USER_PASSWORD_AUTH", "the password stays with the user")
	require.True(t, g.Depends(c, g.Only("aws:cognito/resourceServer:ResourceServer")), "a scope before its API is refused")
}

func TestClientKinds(t *testing.T) {
	t.Parallel()
	args := clientArgs()
	args.Kind, args.TokenMinutes, args.SessionHours = identity.PublicClient, 5, 1
	args.CallbackURLs = []string{"http://localhost:3000/callback"}
	c := graphtest.Run(t, client(poolArgs(), args)).Only(clientType)
	require.Equal(t, false, c.Input("generateSecret"), "a browser keeps no secret")
	require.EqualValues(t, 5, c.Input("accessTokenValidity"))
	require.EqualValues(t, 1, c.Input("refreshTokenValidity"))

	c = graphtest.Run(t, client(poolArgs(), identity.UserPoolClientArgs{
		ClientName: "billing", Kind: identity.MachineClient, Scopes: []string{"orders/write"},
	})).Only(clientType)
	require.Equal(t, []any{"client_credentials"}, c.Input("allowedOauthFlows"))
	require.Equal(t, true, c.Input("generateSecret"))
	require.False(t, c.Has("callbackUrls"))
	require.False(t, c.Has("refreshTokenRotation"))
}

func TestClientFindings(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*identity.UserPoolClientArgs)
		want   []string
	}{
		"numbers": {
			func(a *identity.UserPoolClientArgs) { a.TokenMinutes, a.SessionHours = 4, 90000 },
			[]string{"tokenMinutes: 4 is not from 5 to 1440", "sessionHours: 90000"},
		},
		"urls": {func(a *identity.UserPoolClientArgs) {
			a.CallbackURLs, a.LogoutURLs = []string{"http://app.redoubt.dev"}, []string{"https://app.redoubt.dev/#out", "app"}
		}, []string{"callbackUrls[0]:", "logoutUrls[0]:", "logoutUrls[1]:"}},
		"nowhere to go": {func(a *identity.UserPoolClientArgs) { a.CallbackURLs = nil }, []string{"callbackUrls: empty"}},
		"scopes": {
			func(a *identity.UserPoolClientArgs) {
				a.Scopes = []string{"orders/delete", "aws.cognito.signin.user.admin"}
			},
			[]string{`scopes[0]: the pool has no "orders/delete"`, `scopes[1]: "aws.cognito.signin.user.admin" is not for applications`},
		},
		"no scopes": {func(a *identity.UserPoolClientArgs) { a.Scopes = nil }, []string{"scopes: empty"}},
		"machine": {
			func(a *identity.UserPoolClientArgs) { a.Kind = identity.MachineClient },
			[]string{"callbackUrls: a machine has nobody", `scopes[0]: "openid" is about a user`},
		},
		"kind": {func(a *identity.UserPoolClientArgs) { a.Kind, a.ClientName = "toaster", "" }, []string{`kind: "toaster"`, "clientName:"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			args := clientArgs()
			c.change(&args)
			g, err := graphtest.Build(client(poolArgs(), args))
			require.Empty(t, g.ByType(clientType))
			for _, want := range c.want {
				require.ErrorContains(t, err, want)
			}
		})
	}
	_, err := graphtest.Build(func(ctx *pulumi.Context) error {
		args := clientArgs()
		_, err := identity.NewUserPoolClient(ctx, "web", &args)
		return err
	})
	require.ErrorContains(t, err, "pool: nil")
}
