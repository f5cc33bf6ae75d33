package audit_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/stretchr/testify/require"

	"redoubt/policy/audit"
	"redoubt/policy/rule"
)

// strange are values that may stand anywhere in a broken state.
var strange = []any{
	nil, true, -1e300, "", "\x00",
	[]any{},
	[]any{nil, []any{object{}}},
	object{},
	object{"": nil},
	object{resource.SigKey: 1},
	object{resource.SigKey: "other"},
	object{resource.SigKey: resource.SecretSig},
	secret("plaintext", "{"), secret("plaintext", "null"), secret("ciphertext", "x"),
	object{resource.SigKey: resource.ResourceReferenceSig, "urn": 7},
	object{resource.SigKey: resource.AssetSig, "text": "x"},
	object{resource.SigKey: resource.OutputValueSig},
}

// Each value of a state in turn is made a strange one: there is an error or a report,
// and never a panic. A rule that would panic is a finding of its own, and none does.
func TestStrangeValuesDoNotPanic(t *testing.T) {
	t.Parallel()
	var root any
	require.NoError(t, json.Unmarshal(state(
		t,
		deployed("pulumi:providers:aws", "eu", object{"region": "eu-west-1"}),
		deployed(key, "k", object{"enableKeyRotation": true, "policy": `{"Statement": []}`, "tags": object{"a": "b"}}, object{
			"provider": urn("pulumi:providers:aws", "eu") + "::id", "parent": urn(key, "k"), "dependencies": []any{urn(key, "k")},
			"propertyDependencies": object{"policy": []any{urn(key, "k")}}, "ignoreChanges": []any{"policy"},
		}),
		deployed("aws:ec2/securityGroup:SecurityGroup", "sg", object{"ingress": []any{object{"fromPort": 22, "cidrBlocks": []any{"0.0.0.0/0"}}}}),
	), &root))
	opts := pack()
	opts.Rules = slices.DeleteFunc(slices.Clone(opts.Rules), func(r rule.Rule) bool {
		return !slices.Contains(r.Types, "kms/key") && !slices.Contains(r.Types, "ec2/securityGroup")
	})
	require.NotEmpty(t, opts.Rules)
	judged := 0
	everywhere(root, func(where string) {
		text, err := json.Marshal(root)
		require.NoError(t, err)
		s, err := audit.Read(text)
		if err != nil {
			return
		}
		r, err := audit.Run(t.Context(), s, audit.Options{Pack: opts})
		if err != nil {
			return
		}
		judged++
		for _, u := range r.Undetermined {
			require.NotContains(t, u.Reason, "the rule broke", "%s: %s", where, u.Policy)
		}
	})
	require.Greater(t, judged, 300)
}

// everywhere calls try once for each value below root and each strange one in its place.
func everywhere(v any, try func(where string)) {
	at := func(where string, old any, put func(any)) {
		for i, other := range strange {
			put(other)
			try(fmt.Sprintf("%s as strange value %d", where, i))
		}
		put(old)
		everywhere(old, try)
	}
	switch v := v.(type) {
	case map[string]any:
		for k, old := range v {
			at(k, old, func(x any) { v[k] = x })
		}
	case []any:
		for i, old := range v {
			at(fmt.Sprint(i), old, func(x any) { v[i] = x })
		}
	}
}
