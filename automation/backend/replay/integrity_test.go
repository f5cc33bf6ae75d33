package replay_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/backend/replay"
)

// integrityCases are lists of resources with what is wrong with them.
var integrityCases = []struct {
	name, resources string
	findings        []string
}{
	{
		"nothing",
		`{"urn":"urn:pulumi:d::p::pulumi:providers:a::x","type":"pulumi:providers:a","custom":true,"id":"1"},
		 {"urn":"urn:pulumi:d::p::a:b:C::n","type":"a:b:C","custom":true,"id":"2","provider":"urn:pulumi:d::p::pulumi:providers:a::x::1",
		  "parent":"urn:pulumi:d::p::pulumi:providers:a::x"},
		 {"urn":"urn:pulumi:d::p::a:b:C::n","type":"a:b:C","custom":true,"id":"3","delete":true}`,
		nil,
	},
	{"no urn", `{"type":"a:b:C"}`, []string{"a resource has no URN"}},
	{"no type", `{"urn":"urn:pulumi:d::p::a:b:C::n"}`, []string{"resource urn:pulumi:d::p::a:b:C::n has no type"}},
	{
		"a component with an id", `{"urn":"urn:pulumi:d::p::a:b:C::n","type":"a:b:C","id":"1"}`,
		[]string{"resource urn:pulumi:d::p::a:b:C::n is a component and has an id"},
	},
	{
		"references", `{"urn":"A","type":"t","parent":"B","dependencies":["C","A"],"propertyDependencies":{"x":["D"]},"deletedWith":"E"},
		 {"urn":"B","type":"t"}`,
		[]string{
			"resource A: the parent B comes after it",
			"resource A: the dependency C is missing",
			"resource A: the dependency A comes after it",
			"resource A: the property dependency D is missing",
			"resource A: the deleted with E is missing",
		},
	},
	{
		"providers",
		`{"urn":"A","type":"t","provider":"nonsense"},
		 {"urn":"B","type":"t","provider":"urn:pulumi:d::p::pulumi:providers:a::x::1"},
		 {"urn":"C","type":"t","provider":"urn:pulumi:d::p::pulumi:providers:a::x::1","pendingReplacement":true},
		 {"urn":"D","type":"pulumi:providers:a"}`,
		[]string{
			`resource A names as its provider "nonsense", which is not a provider's URN and id`,
			"resource B: the provider urn:pulumi:d::p::pulumi:providers:a::x::1 is missing",
			"provider D has a URN that is not a provider's",
		},
	},
	{
		"duplicates", `{"urn":"A","type":"t"},{"urn":"A","type":"t"},{"urn":"A","type":"t"},{"urn":"A","type":"t","delete":true}`,
		[]string{"resource A is there more than once, and more than one is to stay"},
	},
}

func TestVerifyIntegrity(t *testing.T) {
	t.Parallel()
	for _, c := range integrityCases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			findings, err := replay.VerifyIntegrity(json.RawMessage(`{"version":3,"deployment":{"resources":[` + c.resources + `]}}`))
			require.NoError(t, err)
			var got []string
			for _, f := range findings {
				got = append(got, f.String())
			}
			require.Equal(t, c.findings, got)
		})
	}
}

func TestVerifyIntegrityOfManifestAndSnippets(t *testing.T) {
	t.Parallel()
	findings, err := replay.VerifyIntegrity(json.RawMessage(`{"version":3,"deployment":{"manifest":{"version":"v3.259.0","magic":"x"},
		"snippets":[{"uuid":"a"},{"uuid":"a"},{}]}}`))
	require.NoError(t, err)
	require.Equal(t, []replay.Finding{
		{Problem: replay.ProblemMagic},
		{Problem: replay.ProblemSnippet, Refers: "a"},
		{Problem: replay.ProblemSnippet},
	}, findings)
	_, err = replay.VerifyIntegrity(json.RawMessage(`{"deployment":{"manifest":5}}`))
	require.EqualError(t, err, "the state cannot be read: manifest: expected an object, found a number")
}
