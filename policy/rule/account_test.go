package rule

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/stretchr/testify/require"
)

func TestAccountOfAResource(t *testing.T) {
	t.Parallel()
	text := resource.NewStringProperty
	listed := resource.NewArrayProperty([]resource.PropertyValue{text("111122223333")})
	for name, c := range map[string]struct {
		r    Resource
		want string
	}{
		"as the engine sends it": {Resource{Provider: resource.PropertyMap{"allowedAccountIds": text(`["111122223333"]`)}}, "111122223333"},
		"as a list":              {Resource{Provider: resource.PropertyMap{"allowedAccountIds": listed}}, "111122223333"},
		"one of two":             {Resource{Provider: resource.PropertyMap{"allowedAccountIds": text(`["111122223333","444455556666"]`)}}, ""},
		"by its ARN":             {Resource{State: resource.PropertyMap{"arn": text("arn:aws:iam::111122223333:role/app")}}, "111122223333"},
		"by its boundary":        {Resource{Type: "iam/role", Inputs: resource.PropertyMap{"permissionsBoundary": text("arn:aws:iam::111122223333:policy/b")}}, "111122223333"},
		"by AWS's own policy":    {Resource{Type: "iam/role", Inputs: resource.PropertyMap{"permissionsBoundary": text("arn:aws:iam::aws:policy/b")}}, ""},
		"not at all":             {Resource{State: resource.PropertyMap{"arn": unknown}}, ""},
	} {
		require.Equal(t, c.want, c.r.Account(), name)
	}
	r := Resource{Provider: resource.PropertyMap{"region": text("eu-west-1")}}
	require.Equal(t, "eu-west-1", r.Region())
	require.Empty(t, (&Resource{Provider: resource.PropertyMap{"region": unknown}}).Region())
}

func TestAccountsOfAStack(t *testing.T) {
	t.Parallel()
	in := func(name, account string) *Resource {
		return &Resource{URN: resource.URN(name), Provider: resource.PropertyMap{"allowedAccountIds": resource.NewStringProperty(`["` + account + `"]`)}}
	}
	s := NewStack([]*Resource{in("a", "111122223333"), in("b", "444455556666"), in("c", "111122223333"), {URN: "d"}})
	require.Equal(t, []string{"111122223333", "444455556666"}, s.Accounts())
	require.Equal(t, []string{"111122223333", "444455556666"}, s.Accounts())
	require.Empty(t, NewStack(nil).Accounts())
}
