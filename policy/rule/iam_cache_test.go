package rule

import (
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/stretchr/testify/require"
)

// A secret document and a plain one with the same text stay apart.
func TestSecretsDoNotSpreadToTheSameText(t *testing.T) {
	t.Parallel()
	text := resource.NewStringProperty(`{"Statement":{"Effect":"Allow","Sid":"Same","Action":"s3:*"}}`)
	r := res(resource.PropertyMap{"plain": text, "secret": resource.MakeSecret(text)})
	for range 2 {
		doc, v := r.Document("secret")
		require.Equal(t, Passed, v.Outcome)
		require.Equal(t, "statement 1", doc.Statements[0].Label())
		doc, v = r.Document("plain")
		require.Equal(t, Passed, v.Outcome)
		require.Equal(t, `statement 1 ("Same")`, doc.Statements[0].Label())
	}
}

func TestCacheIsBounded(t *testing.T) {
	t.Parallel()
	c := documentCache{parsed: map[string]parsedDocument{}}
	for range 3 {
		for _, letter := range []string{"a", "b", "c"} {
			_, err := c.parse(`{"Statement":"` + strings.Repeat(letter, cacheSize/2-100) + `"}`)
			require.ErrorContains(t, err, "longer than AWS takes")
		}
	}
	require.LessOrEqual(t, len(c.parsed), 2)
}
