package response

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ssm"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// MarkerPath is the parameter that says that something is contained. Each
// incident has its own below it, named for its execution, so that the recovery
// of one does not end the containment of another; people may set the path
// itself to hold deployments by hand.
func MarkerPath(environment string) string {
	return "/security/" + environment + "/containment-active"
}

// CheckContainment refuses to go on while an incident of the environment is
// contained: an update would swap back isolated security groups, policies and
// address lists, which the response keeps outside the stack's state. The error
// names every incident and how to go on. Without a marker it returns nil.
//
// It lists parameters by path, which is an empty list where there is none; to
// look one up by name would be an error.
func CheckContainment(ctx *pulumi.Context, environment string, opts ...pulumi.InvokeOption) error {
	recursive, decrypt := true, false
	found, err := ssm.GetParametersByPath(ctx, &ssm.GetParametersByPathArgs{
		Path: "/security/" + environment, Recursive: &recursive, WithDecryption: &decrypt,
	}, opts...)
	if err != nil {
		return fmt.Errorf("whether an incident of %s is contained: %w (the deployment role needs ssm:GetParametersByPath on /security/%s)", environment, err, environment)
	}
	marker := MarkerPath(environment)
	var active []string
	for i, name := range found.Names {
		if name != marker && !strings.HasPrefix(name, marker+"/") {
			continue
		}
		what := strings.TrimPrefix(name, marker+"/")
		if i < len(found.Values) {
			what += " (" + found.Values[i] + ")"
		}
		active = append(active, what)
	}
	if len(active) == 0 {
		return nil
	}
	slices.Sort(active)
	return fmt.Errorf("an incident of %s is contained: %s; an update would undo the containment "+
		"(approve the recovery, which removes the marker; to deploy all the same, delete the parameter below %s)",
		environment, strings.Join(active, ", "), marker)
}
