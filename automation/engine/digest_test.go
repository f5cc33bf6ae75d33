package engine

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/sig"
	"github.com/stretchr/testify/require"
)

func digestOf(t *testing.T, inputs string) string {
	t.Helper()
	var m apitype.StepEventMetadata
	m.New = &apitype.StepEventStateMetadata{}
	require.NoError(t, json.Unmarshal([]byte(inputs), &m.New.Inputs))
	return inputsDigest(m)
}

func TestInputsDigestIsTheSameForTwoRunsOfOneProgram(t *testing.T) {
	t.Parallel()
	file := func(kind, path, hash string) string {
		return fmt.Sprintf(`{"code":{%q:%q,"path":%q,"hash":%q}}`, sig.Key, kind, path, hash)
	}
	for name, of := range map[string]struct{ a, b string }{
		"a name that the provider made up":        {`{"__defaults":["bucket"],"bucket":"logs-1a2b"}`, `{"__defaults":["bucket"],"bucket":"logs-3c4d"}`},
		"one in an object of a list":              {`{"r":[{"__defaults":["id"],"id":"x","n":1}]}`, `{"r":[{"__defaults":["id"],"id":"y","n":1}]}`},
		"the order of keys":                       {`{"a":1,"b":2}`, `{"b":2,"a":1}`},
		"the folder of an archive":                {file(sig.ArchiveSig, "/tmp/a/f.zip", "h"), file(sig.ArchiveSig, "/tmp/b/f.zip", "h")},
		"the folder of an asset":                  {file(sig.AssetSig, "/tmp/a/f", "h"), file(sig.AssetSig, "/tmp/b/f", "h")},
		"what the provider filled in, or did not": {`{"a":1,"__defaults":[]}`, `{"a":1,"__defaults":["b"],"b":2}`},
	} {
		require.Equal(t, digestOf(t, of.a), digestOf(t, of.b), name)
	}
}

func TestInputsDigestTellsOfEveryValue(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, inputs := range []string{
		`{"a":1}`, `{"a":2}`, `{"a":"1"}`, `{"a":[1]}`, `{"a":{"b":1}}`, `{"a":null}`, `{"b":1}`, `{"a":1,"b":1}`, `{"a":[1,2]}`, `{"a":[2,1]}`,
		fmt.Sprintf(`{"a":{%q:%q,"hash":"h"}}`, sig.Key, sig.AssetSig), fmt.Sprintf(`{"a":{%q:%q,"hash":"i"}}`, sig.Key, sig.AssetSig),
		fmt.Sprintf(`{"a":{%q:%q,"hash":"h"}}`, sig.Key, sig.ArchiveSig), fmt.Sprintf(`{"a":{%q:%q,"path":"p"}}`, sig.Key, sig.ArchiveSig),
		`{"a":{"path":"p","hash":"h"}}`, `{"a":{"path":"q","hash":"h"}}`,
	} {
		d := digestOf(t, inputs)
		require.Len(t, d, len("sha256:")+64)
		require.Empty(t, seen[d], "%s has the digest of another", inputs)
		seen[d] = inputs
	}
	require.Empty(t, digestOf(t, `{}`))
	require.Empty(t, inputsDigest(apitype.StepEventMetadata{}), "a deletion gives nothing")
}
