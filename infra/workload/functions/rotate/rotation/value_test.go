package rotation_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/infra/workload/functions/rotate/rotation"
)

func TestPasswordsAreNotPrinted(t *testing.T) {
	t.Parallel()
	v := rotation.Value{Username: "orders_1", Password: "hunter2"}
	for _, form := range []string{"%v", "%+v", "%#v", "%s"} {
		for _, what := range []any{v, v.Credentials()} {
			text := fmt.Sprintf(form, what)
			require.NotContains(t, text, "hunter2")
			require.Contains(t, text, "orders_1")
		}
	}
}
