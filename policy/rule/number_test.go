package rule

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/stretchr/testify/require"
)

func TestNumberReadsFractions(t *testing.T) {
	t.Parallel()
	r := res(resource.PropertyMap{
		"rate": resource.NewNumberProperty(0.5), "text": resource.NewStringProperty("0.5"), "word": resource.NewStringProperty("x"), "later": unknown,
	})
	for path, want := range map[string]bool{"rate": true, "text": true, "word": false, "later": false, "none": false} {
		n, ok := r.Get(path).Number()
		require.Equal(t, want, ok, path)
		require.Equal(t, ok, n == 0.5, path)
	}
}
