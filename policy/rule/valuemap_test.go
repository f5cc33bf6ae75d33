package rule

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/stretchr/testify/require"
)

func TestEachSpreadsObjects(t *testing.T) {
	t.Parallel()
	models := resource.NewObjectProperty(resource.PropertyMap{
		"application/vnd.acme+json": resource.NewStringProperty("B"), "application/json": resource.NewStringProperty("A"), "$default": unknown,
	})
	var got []string
	for _, v := range res(resource.PropertyMap{"models": models}).Each("models.*") {
		got = append(got, v.Path()+" "+v.Show())
	}
	require.Equal(t, []string{
		"models.$default unknown until the update", `models.application/json "A"`, `models.application/vnd.acme+json "B"`,
	}, got)

	later := res(resource.PropertyMap{"models": unknown}).Each("models.*")
	require.Len(t, later, 1)
	require.True(t, later[0].Unknown())
	require.Empty(t, res(resource.PropertyMap{}).Each("models.*"))

	hidden := res(resource.PropertyMap{"models": resource.MakeSecret(models)}).Each("models.*")
	require.Equal(t, "[secret]", hidden[1].Show())
}
