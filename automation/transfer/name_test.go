package transfer

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNames(t *testing.T) {
	t.Parallel()
	_, err := parseName("dev")
	require.ErrorContains(t, err, "pulumi state upgrade")
	n, err := parseName("organization/shop/dev")
	require.NoError(t, err)
	for _, wanted := range []string{"dev", "shop/dev", "organization/shop/dev"} {
		require.True(t, n.matches(wanted))
	}
	require.False(t, n.matches("shop"))

	for _, text := range []string{"", "a", "=b", "a=", "a/b/c=d"} {
		_, err := ParseRename(text)
		require.ErrorContains(t, err, "old=new", text)
	}
	r, err := ParseRename("shop/dev=store/test")
	require.NoError(t, err)
	require.Equal(t, Name{"acme", "store", "test"}, targetName(n, "acme", []Rename{r}))

	for name, want := range map[string]string{"ok": "", "a b": "'shop/a b'=shop/a-b", "..": "shop/..=shop/stack", "-x": "shop/-x=shop/x"} {
		from := Name{noOrg, "shop", name}
		err := checkName(from, Name{"acme", "shop", name})
		if want == "" {
			require.NoError(t, err)
			continue
		}
		require.ErrorContains(t, err, "--rename "+want)
	}
}

func TestDisplay(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"postgres://u:secret@h:5432/db?sslpassword=secret": "postgres://u@h:5432/db",
		"s3://bucket?region=eu-west-1":                     "s3://bucket",
		"https://redoubt.example":                          "https://redoubt.example",
	} {
		require.Equal(t, want, Side{URL: url}.Display())
	}
	require.NotContains(t, Side{URL: "postgres://u:secret@h:port/db"}.Display(), "secret")
}
