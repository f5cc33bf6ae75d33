package identity

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cognito"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// UserPoolDomain is where the sign-in pages are.
type UserPoolDomain struct {
	// Name is a host of ours ("auth.example.org") with a certificate, or the
	// start of <name>.auth.<region>.amazoncognito.com without.
	Name string
	// CertificateArn is the host's certificate, in us-east-1 wherever the pool is.
	CertificateArn pulumi.StringInput
}

// UserGroup is a role of the application.
type UserGroup struct {
	// Description says what its members may do.
	Description string
	// Precedence decides whose AWS role a member of several groups gets, the
	// lowest number first.
	Precedence int
	// RoleArn is the AWS role of members, for identity pools; nil for none.
	RoleArn pulumi.StringInput
}

// APIScopes are what a token may be good for in one API: descriptions by
// scope. Clients ask for "<identifier>/<scope>".
type APIScopes map[string]string

func (c *UserPool) buildDomain(ctx *pulumi.Context, name string, args *UserPoolArgs) error {
	if args.Domain == nil {
		return nil
	}
	in := &cognito.UserPoolDomainArgs{
		Domain: pulumi.String(args.Domain.Name), UserPoolId: c.PoolID,
		// Version 2 answers "login pages unavailable" until a branding style is
		// assigned, for which the provider has no resource.
		ManagedLoginVersion: pulumi.Int(1),
	}
	if args.Domain.CertificateArn != nil {
		in.CertificateArn = args.Domain.CertificateArn.ToStringOutput()
	}
	var err error
	c.Domain, err = cognito.NewUserPoolDomain(ctx, name+"-domain", in, pulumi.Parent(c))
	return err
}

func (c *UserPool) buildGroups(ctx *pulumi.Context, name string, args *UserPoolArgs) error {
	for _, group := range slices.Sorted(maps.Keys(args.Groups)) {
		in := &cognito.UserGroupArgs{
			Name: pulumi.String(group), UserPoolId: c.PoolID,
			Description: pulumi.String(args.Groups[group].Description),
			Precedence:  pulumi.Int(args.Groups[group].Precedence),
		}
		if role := args.Groups[group].RoleArn; role != nil {
			in.RoleArn = role.ToStringOutput()
		}
		if _, err := cognito.NewUserGroup(ctx, name+"-group-"+group, in, pulumi.Parent(c)); err != nil {
			return err
		}
	}
	return nil
}

func (c *UserPool) buildAPIs(ctx *pulumi.Context, name string, args *UserPoolArgs) error {
	for _, api := range slices.Sorted(maps.Keys(args.APIs)) {
		var scopes cognito.ResourceServerScopeArray
		for _, scope := range slices.Sorted(maps.Keys(args.APIs[api])) {
			scopes = append(scopes, &cognito.ResourceServerScopeArgs{
				ScopeName: pulumi.String(scope), ScopeDescription: pulumi.String(args.APIs[api][scope]),
			})
		}
		server, err := cognito.NewResourceServer(ctx, name+"-api-"+api, &cognito.ResourceServerArgs{
			Identifier: pulumi.String(api), Name: pulumi.String(api), Scopes: scopes, UserPoolId: c.PoolID,
		}, pulumi.Parent(c))
		if err != nil {
			return err
		}
		c.Servers[api] = server
	}
	return nil
}

var (
	hostForm         = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$`)
	domainPrefixForm = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)
	groupForm        = regexp.MustCompile(`^[\w+=,.@-]{1,128}$`)
	scopeForm        = regexp.MustCompile(`^[\w.:-]{1,64}$`)
)

func (args *UserPoolArgs) checkDomain(f *findings) {
	d := args.Domain
	switch {
	case d == nil:
	case d.CertificateArn != nil && !hostForm.MatchString(d.Name):
		f.add("domain.name", fmt.Sprintf("%q is no host", d.Name), "for example auth.example.org, or leave the certificate out")
	case d.CertificateArn == nil && strings.Contains(d.Name, "."):
		f.add("domain.certificateArn", fmt.Sprintf("missing for %q", d.Name), "a certificate of us-east-1")
	case d.CertificateArn == nil && !domainPrefixForm.MatchString(d.Name):
		f.add("domain.name", fmt.Sprintf("%q cannot start a host", d.Name), "1 to 63 of a-z, 0-9 and inner hyphens")
	}
	// AWS reserves these words in its own domains.
	for _, word := range []string{"amazon", "aws", "cognito"} {
		if d != nil && d.CertificateArn == nil && strings.Contains(d.Name, word) {
			f.add("domain.name", fmt.Sprintf("%q has %q in it, which AWS reserves", d.Name, word), "choose another")
		}
	}
}

func (args *UserPoolArgs) checkGroups(f *findings) {
	precedences := map[int]string{}
	for _, group := range slices.Sorted(maps.Keys(args.Groups)) {
		field, g := fmt.Sprintf("groups[%q]", group), args.Groups[group]
		if !groupForm.MatchString(group) {
			f.add(field, "not a group's name", "1 to 128 letters, digits and +=,.@_-")
		}
		if len(g.Description) < 8 {
			f.add(field+".description", "shorter than 8", "say what members may do")
		}
		if g.Precedence < 0 {
			f.add(field+".precedence", fmt.Sprintf("%d is negative", g.Precedence), "0 or more; the lowest wins")
		}
		if other, taken := precedences[g.Precedence]; taken {
			f.add(field+".precedence", fmt.Sprintf("%d is that of %q too, so neither role is preferred", g.Precedence, other), "give each its own")
		}
		precedences[g.Precedence] = group
	}
}

func (args *UserPoolArgs) checkAPIs(f *findings) {
	for _, api := range slices.Sorted(maps.Keys(args.APIs)) {
		if !groupForm.MatchString(api) {
			f.add(fmt.Sprintf("apis[%q]", api), "not an identifier", "1 to 128 letters, digits and +=,.@_-")
		}
		if n := len(args.APIs[api]); n < 1 || n > 100 {
			f.add(fmt.Sprintf("apis[%q]", api), fmt.Sprintf("%d scopes", n), "1 to 100")
		}
		for _, scope := range slices.Sorted(maps.Keys(args.APIs[api])) {
			if !scopeForm.MatchString(scope) || args.APIs[api][scope] == "" {
				f.add(fmt.Sprintf("apis[%q][%q]", api, scope), "no scope's name, or without description", "1 to 64 letters, digits and .:_-, and a sentence")
			}
		}
	}
}
