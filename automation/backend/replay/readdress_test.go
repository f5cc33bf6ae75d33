package replay_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/backend/replay"
)

// with is a text with one part of it replaced.
func with(t *testing.T, text, old, replacement string) string {
	t.Helper()
	require.Equal(t, 1, strings.Count(text, old), old)
	return strings.Replace(text, old, replacement, 1)
}

func TestReaddress(t *testing.T) {
	t.Parallel()
	of := replay.StackIdentity{Org: "acme", Project: "shop", Stack: "dev"}
	const ours = `{"version":3, "deployment": {"manifest":{"time":"2026-01-01T00:00:00Z"},"secrets_providers":{"type":"service","state":{"url":"http://old:8090","owner":"acme", "project":"shop","stack":"dev"}},"resources":[{"urn":"u","url":"http://old:8090"}]}}`
	for name, c := range map[string]struct{ state, want string }{
		"it moved":               {ours, with(t, ours, `"url":"http://old:8090","owner"`, `"url":"https://new","owner"`)},
		"the state comes first":  {`{"deployment":{"secrets_providers":{"state":{"stack":"dev","url":"http://a","project":"shop","owner":"acme"},"type":"service"}}}`, `{"deployment":{"secrets_providers":{"state":{"stack":"dev","url":"https://new","project":"shop","owner":"acme"},"type":"service"}}}`},
		"it is there":            {with(t, ours, `"url":"http://old:8090","owner"`, `"url":"https://new","owner"`), ""},
		"another stack's":        {with(t, ours, `"stack":"dev"`, `"stack":"prod"`), ""},
		"another organization's": {with(t, ours, `"acme"`, `"other"`), ""},
		"Pulumi's own service":   {with(t, ours, `"url":"http://old:8090","owner"`, `"url":"https://api.pulumi.com","owner"`), ""},
		"a passphrase":           {`{"version":3,"deployment":{"secrets_providers":{"type":"passphrase","state":{"salt":"v1:x"}}}}`, ""},
		"no secrets":             {`{"version":3,"deployment":{"resources":[]}}`, ""},
		"an empty stack":         {`{"version":3,"deployment":null}`, ""},
		"no state":               {``, ""},
		"a format to come":       {with(t, ours, `"version":3`, `"version":99`), ""},
		"no JSON":                {`{"version":3,`, ""},
		"odd types":              {`{"version":3,"deployment":{"secrets_providers":{"type":"service","state":{"url":7}}}}`, ""},
	} {
		if c.want == "" {
			c.want = c.state
		}
		require.Equal(t, c.want, string(replay.Readdress(json.RawMessage(c.state), of, "https://new")), name)
	}
}
