package pulumiapi_test

import (
	"archive/tar"
	"bytes"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/automation/backend"
	"redoubt/automation/pulumiapi"
)

// packArchive is a .tgz with one file.
func packArchive(t testing.TB, name string) []byte {
	t.Helper()
	var b bytes.Buffer
	tape := tar.NewWriter(&b)
	text := "runtime: go\n"
	require.NoError(t, tape.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: int64(len(text))}))
	_, err := tape.Write([]byte(text))
	require.NoError(t, err)
	require.NoError(t, tape.Close())
	return zipped(t, b.Bytes())
}

// local is the path and query of an address of this service.
func (w *world) local(t testing.TB, address string) string {
	t.Helper()
	path, ok := strings.CutPrefix(address, w.server.URL)
	require.True(t, ok, address)
	return path
}

// publish publishes a pack and returns the address that its archive went to.
func (w *world) publish(t testing.TB, tag string) string {
	t.Helper()
	var made struct {
		Version   int
		UploadURI string
	}
	w.do(t, http.MethodPost, "/api/orgs/acme/policypacks", map[string]any{
		"name": "rules", "displayName": "Rules", "versionTag": tag,
		"policies": []any{map[string]any{"name": "p", "enforcementLevel": "mandatory", "configSchema": map[string]any{"type": "object", "properties": map[string]any{"max": map[string]any{"maximum": 5}}}}, map[string]any{"name": "q"}},
	}).into(t, &made)
	upload := w.local(t, made.UploadURI)
	require.Equal(t, http.StatusOK, w.ask(t, http.MethodPut, upload, "", packArchive(t, "package/PulumiPolicy.yaml")).status)
	w.do(t, http.MethodPost, "/api/orgs/acme/policypacks/rules/versions/"+tag+"/complete", nil)
	return upload
}

type required struct {
	RequiredPolicies []struct {
		Name, VersionTag, DisplayName, PackLocation string
		Version                                     int
		Config                                      map[string]any
	}
}

func TestLifeOfAPolicyPack(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	admin, stack := "token "+w.admin, w.stack(t, "dev")
	packs, group := "/api/orgs/acme/policypacks", "/api/orgs/acme/policygroups/default-policy-group"
	upload := w.publish(t, "1.0.0")
	require.JSONEq(t, `{"policyPacks":[{"name":"rules","displayName":"Rules","versions":[1],"versionTags":["1.0.0"]}]}`, string(w.do(t, http.MethodGet, packs, nil).body))
	for _, tag := range []string{"1.0.0", "latest"} {
		require.JSONEq(t, `{"configSchema":{"p":{"type":"object","properties":{"max":{"maximum":5}}}}}`, string(w.do(t, http.MethodGet, packs+"/rules/versions/"+tag+"/schema", nil).body))
	}

	// A version never changes: CLIs keep what they downloaded for ever.
	require.Equal(t, http.StatusConflict, w.ask(t, http.MethodPost, packs, admin, map[string]any{"name": "rules", "versionTag": "1.0.0"}).status)
	require.Equal(t, http.StatusConflict, w.ask(t, http.MethodPut, upload, "", packArchive(t, "package/PulumiPolicy.yaml")).status)
	// One that was never uploaded, or has not what it needs, is not completed.
	for tag, archive := range map[string][]byte{"2.0.0": nil, "2.0.1": []byte("x"), "2.0.2": packArchive(t, "PulumiPolicy.yaml"), "2.0.3": packArchive(t, "package/PulumiPolicy.yaml")[:60]} {
		var made struct{ UploadURI string }
		w.do(t, http.MethodPost, packs, map[string]any{"name": "rules", "versionTag": tag}).into(t, &made)
		if archive != nil {
			require.Equal(t, http.StatusOK, w.ask(t, http.MethodPut, w.local(t, made.UploadURI), "", archive).status)
		}
		require.Equal(t, http.StatusBadRequest, w.ask(t, http.MethodPost, packs+"/rules/versions/"+tag+"/complete", admin, nil).status, tag)
		require.Equal(t, http.StatusNotFound, w.ask(t, http.MethodPatch, group, admin, map[string]any{"addPolicyPack": map[string]any{"name": "rules", "versionTag": tag}}).status)
	}

	// Enabled, it comes with every update, and to whoever installs packs.
	config := map[string]any{"all": map[string]any{"enforcementLevel": "advisory"}, "p": map[string]any{"max": 3.0}}
	w.do(t, http.MethodPatch, group, map[string]any{"addPolicyPack": map[string]any{"name": "rules", "versionTag": "", "config": config}})
	for path, method := range map[string]string{"/update": http.MethodPost, "/preview": http.MethodPost, "/destroy": http.MethodPost, "/refresh": http.MethodPost, "/policypacks": http.MethodGet} {
		var answer required
		r := w.do(t, method, stack+path, map[string]any{"options": map[string]any{"dryRun": true}})
		r.into(t, &answer)
		require.Len(t, answer.RequiredPolicies, 1, path)
		p := answer.RequiredPolicies[0]
		require.Equal(t, []any{"rules", "1.0.0", "Rules", 1}, []any{p.Name, p.VersionTag, p.DisplayName, p.Version})
		require.Equal(t, config, p.Config)
		got := w.ask(t, http.MethodGet, w.local(t, p.PackLocation), "", nil, "Accept-Encoding", "gzip")
		require.Equal(t, http.StatusOK, got.status)
		require.Equal(t, packArchive(t, "package/PulumiPolicy.yaml"), got.body)
		require.Empty(t, got.header.Get("Content-Encoding"), "Go's client would unpack it")
	}
	require.JSONEq(t, `{"policyGroups":[{"name":"default-policy-group","isOrgDefault":true,"numStacks":1,"entityType":"stacks","mode":"preventative","numEnabledPolicyPacks":1}]}`,
		string(w.do(t, http.MethodGet, "/api/orgs/acme/policygroups", nil).body))
	require.JSONEq(t, `{"name":"default-policy-group","isOrgDefault":true,"entityType":"stacks","mode":"preventative","accounts":[],
		"stacks":[{"name":"dev","routingProject":"shop"}],
		"appliedPolicyPacks":[{"name":"rules","displayName":"rules","config":{"all":{"enforcementLevel":"advisory"},"p":{"max":3}}}]}`, string(w.do(t, http.MethodGet, group, nil).body))

	// What is required stays; what else groups can do is refused.
	require.Equal(t, http.StatusConflict, w.ask(t, http.MethodDelete, packs+"/rules", admin, nil).status)
	for _, body := range []string{`{}`, `{"newName":"x"}`, `{"addPolicyPack":{"name":"rules"},"removePolicyPack":{"name":"rules"}}`, `{"addStack":{"name":"dev"}}`} {
		require.Equal(t, http.StatusBadRequest, w.ask(t, http.MethodPatch, group, admin, body).status, body)
	}
	require.Equal(t, http.StatusNotFound, w.ask(t, http.MethodGet, "/api/orgs/acme/policygroups/mine", admin, nil).status)
	require.Equal(t, http.StatusNotFound, w.ask(t, http.MethodPatch, group, admin, `{"removePolicyPack":{"name":"other"}}`).status)
	require.Equal(t, http.StatusNotFound, w.ask(t, http.MethodPatch, group, admin, `{"removePolicyPack":{"name":"rules","versionTag":"1.0.0"}}`).status, "the newest is required, not this one")
	w.do(t, http.MethodPatch, group, `{"removePolicyPack":{"name":"rules"}}`)
	w.do(t, http.MethodDelete, packs+"/rules", nil)
	require.JSONEq(t, `{"policyPacks":[]}`, string(w.do(t, http.MethodGet, packs, nil).body))
}

func TestAddressesOfPacksAreForOneThingAndForAWhile(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	upload := w.publish(t, "1.0.0")
	stack := w.stack(t, "dev")
	w.do(t, http.MethodPatch, "/api/orgs/acme/policygroups/default-policy-group", `{"addPolicyPack":{"name":"rules"}}`)
	var answer required
	w.do(t, http.MethodGet, stack+"/policypacks", nil).into(t, &answer)
	download := w.local(t, answer.RequiredPolicies[0].PackLocation)
	require.Equal(t, http.StatusOK, w.ask(t, http.MethodGet, download, "", nil).status)
	for what, path := range map[string]string{
		"the other method":  upload,
		"another pack":      strings.Replace(download, "/rules/", "/other/", 1),
		"another version":   strings.Replace(download, "/rules/1", "/rules/2", 1),
		"another time":      strings.Replace(download, "expires=", "expires=9", 1),
		"no signature":      download[:strings.Index(download, "&signature=")],
		"another signature": download + "x",
		"nothing":           download[:strings.Index(download, "?")],
	} {
		require.Equal(t, http.StatusForbidden, w.ask(t, http.MethodGet, path, "", nil).status, what)
	}
	require.Equal(t, http.StatusForbidden, w.ask(t, http.MethodPut, download, "", []byte("x")).status)

	// Expired as soon as it is given.
	brief := newWorld(t, "", func(o *pulumiapi.Options) { o.PackLinkLife = time.Nanosecond; o.PublicURL = "https://redoubt.example/" })
	var made struct{ UploadURI string }
	brief.do(t, http.MethodPost, "/api/orgs/acme/policypacks", map[string]any{"name": "rules", "versionTag": "1"}).into(t, &made)
	path, ok := strings.CutPrefix(made.UploadURI, "https://redoubt.example/packs/")
	require.True(t, ok, made.UploadURI)
	require.Equal(t, http.StatusForbidden, brief.ask(t, http.MethodPut, "/packs/"+path, "", []byte("x")).status)
}

func TestTheSigningKeyIsKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	one, err := w.service.SigningKey(t.Context())
	require.NoError(t, err)
	two, err := w.service.SigningKey(t.Context())
	require.NoError(t, err)
	require.Len(t, one, 32)
	require.Equal(t, one, two)
	require.Panics(t, func() { pulumiapi.New(backend.New(nil, nil, backend.Options{}), pulumiapi.Options{}) })
}
