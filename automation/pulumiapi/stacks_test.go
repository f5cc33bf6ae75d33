package pulumiapi_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/backend"
	"redoubt/automation/pulumiapi"
)

func TestWhoAmI(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "", func(o *pulumiapi.Options) { o.DefaultOrg = "Globex" })
	root, err := w.service.Authenticate(t.Context(), w.admin)
	require.NoError(t, err)
	require.NoError(t, w.service.CreateOrganization(t.Context(), root, "globex"))
	require.JSONEq(t, `{"id":"admin","githubLogin":"admin","name":"admin","tokenInfo":{"name":"bootstrap administrator"},
		"organizations":[{"githubLogin":"acme","name":"acme"},{"githubLogin":"globex","name":"globex"}]}`, string(w.do(t, http.MethodGet, "/api/user", nil).body))

	defaultOf := func(credential string) reply {
		return w.ask(t, http.MethodGet, "/api/user/organizations/default", "token "+credential, nil)
	}
	var got struct{ GitHubLogin string }
	defaultOf(w.admin).into(t, &got)
	require.Equal(t, "globex", got.GitHubLogin)
	defaultOf(w.token(t, "acme/*/*", backend.Read)).into(t, &got)
	require.Equal(t, "acme", got.GitHubLogin, "the first one where the caller may not see the default")
	require.Equal(t, http.StatusNotFound, defaultOf(w.token(t, "nowhere/*/*", backend.Read)).status)
}

func TestWhatThisIs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	for path, want := range map[string]string{
		"/api/capabilities":       `{"capabilities":[{"capability":"batch-encrypt","version":1},{"capability":"deployment-schema-version","version":1,"configuration":{"version":4}},{"capability":"stack-policy-packs","version":1}]}`,
		"/api/cli/version":        `{"latestVersion":"3.0.0","oldestWithoutWarning":"3.0.0","latestDevVersion":"3.0.0"}`,
		"/api/registry/packages":  `{"packages":[]}`,
		"/api/registry/templates": `{"templates":[]}`,
	} {
		r := w.ask(t, http.MethodGet, path, "", nil)
		require.Equal(t, http.StatusOK, r.status)
		require.JSONEq(t, want, string(r.body))
		require.NotEmpty(t, r.header.Get("X-Pulumi-Request-ID"))
	}
}

func TestLifeOfAStack(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	admin := "token " + w.admin
	project := "/api/stacks/acme/shop"
	require.Equal(t, http.StatusNotFound, w.ask(t, http.MethodHead, project, admin, nil).status)
	stack := w.stack(t, "Dev")
	require.Equal(t, http.StatusOK, w.ask(t, http.MethodHead, project, admin, nil).status)

	for name, want := range map[string]string{"Dev": "already exists", "dev": "already exists"} {
		r := w.ask(t, http.MethodPost, project, admin, map[string]any{"stackName": name})
		require.Equal(t, http.StatusConflict, r.status, name)
		require.Contains(t, string(r.body), want)
	}
	r := w.ask(t, http.MethodPost, project, admin, map[string]any{"stackName": "esc", "config": map[string]any{"environment": "shop/esc"}})
	require.Equal(t, http.StatusBadRequest, r.status)
	require.Contains(t, string(r.body), "--remote-config")
	require.Equal(t, http.StatusBadRequest, w.ask(t, http.MethodPut, stack+"/config", admin, map[string]any{"environment": "x"}).status)
	require.Equal(t, http.StatusNotFound, w.ask(t, http.MethodPost, "/api/stacks/stranger/shop", admin, map[string]any{"stackName": "dev"}).status)

	// A stack without a state exports one that the CLI takes for empty.
	require.JSONEq(t, `{"version":3,"deployment":{"manifest":{"time":"0001-01-01T00:00:00Z","magic":"","version":""}}}`, string(w.do(t, http.MethodGet, stack+"/export", nil).body))
	require.Equal(t, http.StatusNotFound, w.ask(t, http.MethodGet, stack+"/updates/latest", admin, nil).status)
	require.JSONEq(t, `{"updates":[]}`, string(w.do(t, http.MethodGet, stack+"/updates", nil).body))

	w.do(t, http.MethodPatch, stack+"/tags", map[string]string{"a": "1", "b": "2"})
	w.do(t, http.MethodPatch, stack+"/tags", map[string]string{"b": "3"})
	var got map[string]any
	w.do(t, http.MethodGet, stack, nil).into(t, &got)
	require.Equal(t, map[string]any{"b": "3"}, got["tags"], "the whole set is replaced")
	require.Equal(t, []any{"acme", "shop", "Dev"}, []any{got["orgName"], got["projectName"], got["stackName"]})
	require.NotContains(t, got, "config", "with it the CLI would look for configuration in Pulumi ESC")

	// States come and go byte for byte.
	state := `{"version":3,` + "\n" + `"future":{"b":1,"a":"<"},"deployment":{"resources":[` + resource("a") + `]}}`
	var imported struct{ UpdateID string }
	w.ask(t, http.MethodPost, stack+"/import", admin, zipped(t, []byte(state)), "Content-Encoding", "gzip").into(t, &imported)
	require.JSONEq(t, `{"status":"succeeded","events":[]}`, string(w.do(t, http.MethodGet, stack+"/update/"+imported.UpdateID, nil).body))
	require.Equal(t, state, string(w.do(t, http.MethodGet, stack+"/export", nil).body))
	require.Equal(t, state, string(w.do(t, http.MethodGet, stack+"/export/1", nil).body))
	newer := `{"version":9,"deployment":{"all":"new"}}`
	w.ask(t, http.MethodPost, stack+"/import", admin, newer)
	require.Equal(t, newer, string(w.do(t, http.MethodGet, stack+"/export", nil).body), "a format of the future is kept")
	require.Equal(t, state, string(w.do(t, http.MethodGet, stack+"/export/1", nil).body))
	for _, path := range []string{"/export/7", "/export/0", "/export/-1", "/export/x", "/export/99999999999999999999", "/updates/7", "/updates/x", "/update/upd_nowhere"} {
		require.Equal(t, http.StatusNotFound, w.ask(t, http.MethodGet, stack+path, admin, nil).status, path)
	}
	for _, bad := range []string{``, `null`, `[]`, `"x"`, `{"version":2,"deployment":{}}`, `{"version":3}`, `{"version":3,"deployment":[]}`, `{"version":3,"deployment":{}} x`} {
		require.Equal(t, http.StatusBadRequest, w.ask(t, http.MethodPost, stack+"/import", admin, bad).status, bad)
	}
	w.ask(t, http.MethodPost, stack+"/import", admin, state)
	var latest struct{ Info struct{ Kind, Result string } }
	w.do(t, http.MethodGet, stack+"/updates/latest", nil).into(t, &latest)
	require.Equal(t, "import", latest.Info.Kind)
	w.do(t, http.MethodGet, stack+"/updates/2", nil).into(t, &latest)
	require.Equal(t, "succeeded", latest.Info.Result)

	// Rename, and remove.
	w.do(t, http.MethodPost, stack+"/rename", map[string]string{"newName": "prod", "newProject": ""})
	require.Equal(t, http.StatusNotFound, w.ask(t, http.MethodGet, stack, admin, nil).status)
	stack = project + "/prod"
	r = w.ask(t, http.MethodDelete, stack+"?force=false", admin, nil)
	require.Equal(t, http.StatusBadRequest, r.status)
	require.JSONEq(t, `{"code":400,"message":"Bad Request: Stack still contains resources."}`, string(r.body), "the CLI knows the sentence")
	w.do(t, http.MethodDelete, stack+"?force=true", nil)
	require.Equal(t, http.StatusNotFound, w.ask(t, http.MethodGet, stack, admin, nil).status)
}

func TestStacksAreListedInPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	const n = 230
	for i := range n {
		w.stack(t, fmt.Sprintf("s%03d", i))
	}
	w.do(t, http.MethodPatch, "/api/stacks/acme/shop/s007/tags", map[string]string{"team": "a&b"})
	list := func(credential string, query url.Values) (names []string, pages int) {
		for {
			var page struct {
				Stacks            []struct{ OrgName, ProjectName, StackName string }
				ContinuationToken *string
			}
			w.ask(t, http.MethodGet, "/api/user/stacks?"+query.Encode(), "token "+credential, nil).into(t, &page)
			for _, s := range page.Stacks {
				names = append(names, s.StackName)
			}
			pages++
			if page.ContinuationToken == nil {
				return names, pages
			}
			require.NotEmpty(t, *page.ContinuationToken, "an empty token would be asked for without end")
			query.Set("continuationToken", *page.ContinuationToken)
		}
	}
	names, pages := list(w.admin, url.Values{"organization": {"acme"}, "project": {"shop"}})
	require.Len(t, names, n)
	require.Greater(t, pages, 1)
	names, _ = list(w.admin, url.Values{"tagName": {"team"}, "tagValue": {"a&b"}})
	require.Equal(t, []string{"s007"}, names)
	names, _ = list(w.token(t, "acme/shop/s00*", backend.Read), url.Values{})
	require.Len(t, names, 10, "the others are nobody's business")
	names, _ = list(w.admin, url.Values{"organization": {"stranger"}})
	require.Empty(t, names)
}

func TestSecrets(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	stack, other := w.stack(t, "dev"), w.stack(t, "other")
	plain := [][]byte{[]byte("a"), {}, []byte(strings.Repeat("x", 100_000)), {0, 255}}
	var sealed struct{ Ciphertexts [][]byte }
	w.do(t, http.MethodPost, stack+"/batch-encrypt", map[string]any{"plaintexts": plain}).into(t, &sealed)
	require.Len(t, sealed.Ciphertexts, len(plain))
	var opened struct{ Plaintexts map[string][]byte }
	w.do(t, http.MethodPost, stack+"/batch-decrypt", map[string]any{"ciphertexts": sealed.Ciphertexts}).into(t, &opened)
	for i, c := range sealed.Ciphertexts {
		require.NotEmpty(t, c, "also of an empty secret")
		got, ok := opened.Plaintexts[base64.StdEncoding.EncodeToString(c)]
		require.True(t, ok, "the CLI panics where one is missing")
		require.Equal(t, string(plain[i]), string(got))
	}
	for _, empty := range []string{`{}`, `{"ciphertexts":null}`, `{"ciphertexts":[]}`} {
		require.JSONEq(t, `{"plaintexts":{}}`, string(w.do(t, http.MethodPost, stack+"/batch-decrypt", empty).body))
	}
	var one struct{ Ciphertext []byte }
	w.do(t, http.MethodPost, stack+"/encrypt", map[string]any{"plaintext": ""}).into(t, &one)
	require.NotEmpty(t, one.Ciphertext)
	require.JSONEq(t, `{"plaintext":""}`, string(w.do(t, http.MethodPost, stack+"/decrypt", one).body))

	// Another stack's secret, a damaged one and none at all.
	for _, bad := range [][]byte{nil, {1}, sealed.Ciphertexts[0][1:], []byte(strings.Repeat("x", 100))} {
		require.Equal(t, http.StatusBadRequest, w.ask(t, http.MethodPost, stack+"/decrypt", "token "+w.admin, map[string][]byte{"ciphertext": bad}).status)
	}
	require.Equal(t, http.StatusBadRequest, w.ask(t, http.MethodPost, other+"/decrypt", "token "+w.admin, one).status)
	for _, bad := range []string{``, `{"ciphertext":"*"}`, `{"ciphertext":1}`, `[]`} {
		require.Equal(t, http.StatusBadRequest, w.ask(t, http.MethodPost, stack+"/decrypt", "token "+w.admin, bad).status, bad)
	}

	// Reading is in the audit log, whoever's key it was.
	w.do(t, http.MethodPost, stack+"/decrypt/log-batch-decryption", map[string]string{"commandName": "pulumi config"})
	w.do(t, http.MethodPost, stack+"/decrypt/log-decryption", map[string]string{"secretName": "shop:password"})
	w.do(t, http.MethodPost, stack+"/decrypt/log-decryption", nil)
	root, err := w.service.Authenticate(t.Context(), w.admin)
	require.NoError(t, err)
	entries, err := w.service.Audit(t.Context(), root, 0, 100)
	require.NoError(t, err)
	var why []string
	for _, e := range entries {
		if e.Action == "secrets.decrypt" {
			require.Equal(t, "127.0.0.1", e.Detail["address"])
			why = append(why, e.Detail["why"])
		}
	}
	require.Subset(t, why, []string{"pulumi config", "secret shop:password", ""})
	text, err := json.Marshal(entries)
	require.NoError(t, err)
	require.NotContains(t, string(text), base64.StdEncoding.EncodeToString(one.Ciphertext))
}
