package provision_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/provision"
)

var referenceTests = []test{
	{"an order reads of other stacks what its orderer may read", func(t *testing.T, w *world) {
		w.environment(t, "ground")
		other, err := w.CreateProject(t.Context(), w.admin, provision.NewProject{Org: org, Name: "other"})
		require.NoError(t, err)
		_, _, err = w.CreateEnvironment(t.Context(), w.stranger, provision.NewEnvironment{ProjectID: other.ID, Name: "vault", Blueprint: "bucket", Inputs: json.RawMessage(`{"name":"logs"}`)})
		require.NoError(t, err)
		order := func(on string) error {
			_, _, err := w.CreateEnvironment(t.Context(), w.requester, provision.NewEnvironment{
				ProjectID: w.project.ID, Name: "shelf", Blueprint: "shelf", Inputs: json.RawMessage(fmt.Sprintf(`{"on":%q}`, on)),
			})
			return err
		}
		words := map[string]string{}
		for _, on := range []string{"acme/other/vault", "acme/other/nothing", "acme/shop/nothing", "../../x"} {
			err := order(on)
			if on == "../../x" {
				fails(t, err, provision.CodeInvalid)
				continue
			}
			var e *provision.Error
			require.ErrorAs(t, err, &e)
			require.Equal(t, provision.CodeInvalid, e.Code)
			require.Len(t, e.Fields, 1)
			require.Equal(t, "/inputs/on", e.Fields[0].Pointer)
			words[on] = e.Fields[0].Message
		}
		require.Equal(t, "there is no stack acme/other/vault that rita may read", words["acme/other/vault"])
		require.Equal(t, "there is no stack acme/other/nothing that rita may read", words["acme/other/nothing"], "what is not hers reads as what is not there")
		require.NoError(t, order("acme/shop/ground"))
	}},
}
