package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/internal/built"
	"redoubt/policy/fixture"
	"redoubt/policy/rules"
)

// The compiled pack says of every example in the catalogue what its rules say.
func TestTheCompiledPackAnswersAsItsRules(t *testing.T) {
	t.Parallel()
	exe, err := built.Pack()
	require.NoError(t, err)
	fixture.TestBuilt(t, exe, "rules/testdata", rules.All())
}
