package stack

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"
)

// No output is secret today; the row that is one day must be.
func TestSecretOutputsAreSecret(t *testing.T) {
	t.Parallel()
	row := Output{Name: "token", value: func(*Stack) pulumi.Input { return pulumi.String("t0ken") }}
	require.False(t, pulumi.IsSecret(pulumi.ToOutput(row.of(&Stack{}))))
	row.Secret = true
	require.True(t, pulumi.IsSecret(pulumi.ToOutput(row.of(&Stack{}))))
	row.value = func(*Stack) pulumi.Input { return nil }
	require.Nil(t, row.of(&Stack{}))
}
