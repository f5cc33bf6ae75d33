package rule

import (
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/stretchr/testify/require"
)

func TestJSONReadsLikeBlocks(t *testing.T) {
	t.Parallel()
	r := res(resource.PropertyMap{
		"text":   resource.NewStringProperty(`[{"Name":"a","Sizes":[{"Limit":7}]},{"Name":"b"}]`),
		"hidden": resource.MakeSecret(resource.NewStringProperty(`{"Name":"quiet"}`)),
		"broken": resource.NewStringProperty(`{"Name":`),
		"later":  resource.MakeComputed(resource.NewStringProperty("")),
	})

	list, err := r.Get("text").JSON(strings.ToLower)
	require.NoError(t, err)
	require.Len(t, list.Items(), 2)
	limit := list.Items()[0].Get("sizes.limit")
	n, ok := limit.Int()
	require.True(t, ok)
	require.Equal(t, 7, n)
	require.Equal(t, "text[0].sizes[0].limit", limit.Path())

	hidden, err := r.Get("hidden").JSON(strings.ToLower)
	require.NoError(t, err)
	require.Equal(t, "[secret]", hidden.Get("name").Show())

	_, err = r.Get("broken").JSON(strings.ToLower)
	require.EqualError(t, err, "it is not JSON")
	_, err = r.Get("later").JSON(strings.ToLower)
	require.EqualError(t, err, "it is not a text")
}
