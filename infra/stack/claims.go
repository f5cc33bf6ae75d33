package stack

import (
	"fmt"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ssm"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/infra/config"
)

// claimsPath is where each stack of a region writes down what it makes for the
// whole account, a parameter for each field of the configuration, with the
// stack's prefix as its value. SSM refuses a second parameter of the same name,
// also where AWS would let the thing itself be overwritten in silence.
const claimsPath = "/redoubt/account"

// searchRolePath is where IAM keeps the role with which OpenSearch reaches into VPCs.
// https://docs.aws.amazon.com/opensearch-service/latest/developerguide/slr.html
const searchRolePath = "/aws-service-role/opensearchservice.amazonaws.com/"

// claimSingletons refuses to make what another stack of the account makes, at
// preview already, and writes down what this one does. It sees the stacks of
// its own region only.
func (s *Stack) claimSingletons(ctx *pulumi.Context) error {
	owners, err := s.owners(ctx)
	if err != nil {
		return err
	}
	if err := s.claimSearchRole(ctx, owners); err != nil {
		return err
	}
	claims := s.config.Claims()
	var found config.Findings
	for _, c := range claims {
		if owner, taken := owners[c.Name()]; taken && owner != s.config.Prefix() {
			found = append(found, config.Finding{
				Field: config.Project + ":" + c.Field, Reason: fmt.Sprintf("stack %s makes it for the whole account already", owner),
				Fix: c.Instead + " here, or there first; docs/neighbours.md",
			})
		}
	}
	if len(found) > 0 {
		return found
	}
	if s.config.Search.CreateServiceLinkedRole {
		claims = append(claims, config.Claim{Field: config.SearchRole})
	}
	for _, c := range claims {
		_, err := ssm.NewParameter(ctx, s.config.Prefix()+"-claims-"+c.Name(), &ssm.ParameterArgs{
			Name: pulumi.String(claimsPath + "/" + c.Name()), Type: pulumi.String("String"), InsecureValue: pulumi.String(s.config.Prefix()),
			Description: pulumi.String("The stack that makes it for the whole account; the others adopt it"),
			Tags:        pulumi.ToStringMap(s.config.Tags),
		}, s.place.here())
		if err != nil {
			return fmt.Errorf("claim of %s: %w", c.Field, err)
		}
	}
	return nil
}

// owners are the prefixes of the stacks that make things for the account, by field.
func (s *Stack) owners(ctx *pulumi.Context) (map[string]string, error) {
	decrypt := false
	found, err := ssm.GetParametersByPath(ctx, &ssm.GetParametersByPathArgs{
		Path: claimsPath, WithDecryption: &decrypt,
	}, pulumi.Provider(s.place.primary))
	if err != nil {
		return nil, fmt.Errorf("which stacks of the account make what: %w (the deployment role needs ssm:GetParametersByPath and ssm:PutParameter on %s)", err, claimsPath)
	}
	owners := map[string]string{}
	for i, name := range found.Names {
		if i < len(found.Values) {
			owners[strings.TrimPrefix(name, claimsPath+"/")] = found.Values[i]
		}
	}
	return owners, nil
}

// claimSearchRole answers search.createServiceLinkedRole: the role is made
// unless it is there. It outlives the stack, because other domains may use it,
// so that a stack that is made again finds its own, as it finds a neighbour's or
// the console's. What this stack has made it goes on declaring.
func (s *Stack) claimSearchRole(ctx *pulumi.Context, owners map[string]string) error {
	search := &s.config.Search
	if !search.CreateServiceLinkedRole || owners[config.SearchRole] == s.config.Prefix() {
		return nil
	}
	path := searchRolePath
	found, err := iam.GetRoles(ctx, &iam.GetRolesArgs{PathPrefix: &path}, pulumi.Provider(s.place.primary))
	if err != nil {
		return fmt.Errorf("whether the account has OpenSearch's service-linked role: %w (the deployment role needs iam:ListRoles, or set %s: false)", err, config.SearchRole)
	}
	search.CreateServiceLinkedRole = len(found.Arns) == 0
	return nil
}
