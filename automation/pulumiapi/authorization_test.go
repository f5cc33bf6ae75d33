package pulumiapi_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/backend"
	"redoubt/automation/pulumiapi"
)

// place puts names into the path of an endpoint.
func place(path, update string) string {
	return strings.NewReplacer("{org}", org, "{project}", "shop", "{stack}", "dev", "{update}", update,
		"{version}", "1", "{pack}", "rules", "{tag}", "1.0.0", "{group}", "default-policy-group").Replace(path)
}

// bodies are what makes a request of an endpoint one that would be done; the
// others have an empty object.
var bodies = map[string]string{
	"POST /api/stacks/{org}/{project}":                                     `{"stackName":"fresh"}`,
	"POST /api/stacks/{org}/{project}/{stack}/rename":                      `{"newName":"other"}`,
	"POST /api/stacks/{org}/{project}/{stack}/import":                      `{"version":3,"deployment":{}}`,
	"POST /api/stacks/{org}/{project}/{stack}/batch-decrypt":               `{"ciphertexts":["AAAA"]}`,
	"POST /api/stacks/{org}/{project}/{stack}/update":                      `{"options":{"dryRun":false}}`,
	"POST /api/orgs/{org}/policypacks":                                     `{"name":"new","versionTag":"1.0.0"}`,
	"PATCH /api/orgs/{org}/policygroups/{group}":                           `{"addPolicyPack":{"name":"rules"}}`,
	"PATCH /api/stacks/{org}/{project}/{stack}/update/{update}/checkpoint": `{"version":3,"deployment":{}}`,
}

func TestEveryEndpointAsksForItsCredential(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	stack := w.stack(t, "dev")
	path, lease := w.update(t, stack, false, true)
	update := strings.TrimPrefix(path, stack+"/update/")
	other, otherLease := w.update(t, w.stack(t, "other"), false, true)
	require.NotEqual(t, path, other)
	foreign := "token " + w.token(t, "globex/*/*", backend.Admin)
	reader := "token " + w.token(t, "*/*/*", backend.Read)

	// What a token that may only read gets of each endpoint that changes something;
	// of the others it gets what everybody gets.
	readOnly := map[string]int{
		"PUT /api/stacks/{org}/{project}/{stack}/config":                        http.StatusBadRequest,
		"POST /api/orgs/{org}/policygroups":                                     http.StatusBadRequest,
		"DELETE /api/orgs/{org}/policygroups/{group}":                           http.StatusBadRequest,
		"POST /api/stacks/{org}/{project}/{stack}/decrypt/log-decryption":       http.StatusOK,
		"POST /api/stacks/{org}/{project}/{stack}/decrypt/log-batch-decryption": http.StatusOK,
	}
	for _, row := range pulumiapi.Table() {
		name := row.Method + " " + row.Path
		at, body := place(row.Path, update), bodies[name]
		if body == "" {
			body = "{}"
		}
		status := func(auth string) int {
			r := w.ask(t, row.Method, at, auth, body)
			if r.status >= 400 && row.Method != http.MethodHead {
				var problem struct {
					Code    int
					Message string
				}
				r.into(t, &problem)
				require.Equal(t, r.status, problem.Code, "%s: the CLI reads the code in the body", name)
				require.NotEmpty(t, problem.Message, name)
			}
			return r.status
		}
		switch row.Needs {
		case "nothing":
			require.Equal(t, http.StatusOK, status(""), name)
		case "signature":
			require.Equal(t, http.StatusForbidden, status(""), name)
			require.Equal(t, http.StatusForbidden, status("token "+w.admin), name)
		case "lease":
			// Never 401, and 403 is how the CLI learns that its lease is lost.
			for _, auth := range []string{"", "token " + w.admin, "update-token wrong", otherLease, "update-token"} {
				require.Equal(t, http.StatusForbidden, status(auth), "%s with %q", name, auth)
			}
		case "token":
			for _, auth := range []string{"", "token wrong", "token " + w.admin + "x", "token redoubt_x_y", "Bearer " + w.admin, lease, "token"} {
				require.Equal(t, http.StatusUnauthorized, status(auth), "%s with %q", name, auth)
			}
			if strings.Contains(row.Path, "{org}") {
				// Who changes policies of an organization knows that it exists.
				want := []int{http.StatusNotFound}
				if strings.HasPrefix(row.Path, "/api/orgs/") || name == "POST /api/stacks/{org}/{project}" {
					want = append(want, http.StatusForbidden)
				}
				require.Contains(t, want, status(foreign), name)
			}
			if row.Method == http.MethodGet || row.Method == http.MethodHead {
				require.Contains(t, []int{http.StatusOK, http.StatusNotFound}, status(reader), name)
				break
			}
			want, known := readOnly[name]
			if !known {
				want = http.StatusForbidden
			}
			require.Equal(t, want, status(reader), name)
		}
	}
	// Nothing of that changed anything.
	w.do(t, http.MethodGet, stack, nil)
	require.Equal(t, http.StatusOK, w.ask(t, http.MethodPost, path+"/complete", lease, map[string]string{"status": "succeeded"}).status)
}

func TestATokenDoesWhatItsVerbsSay(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	stack := w.stack(t, "dev")
	create := func(credential string, dryRun bool) reply {
		return w.ask(t, http.MethodPost, stack+"/update", "token "+credential, map[string]any{"options": map[string]any{"dryRun": dryRun}})
	}
	previewer := w.token(t, "acme/shop/*", backend.Preview)
	applier := w.token(t, "acme/shop/*", backend.Apply)
	require.Equal(t, http.StatusOK, create(previewer, true).status)
	require.Equal(t, http.StatusForbidden, create(previewer, false).status)
	require.Equal(t, http.StatusOK, create(applier, true).status, "apply includes preview")
	made := create(applier, false)
	require.Equal(t, http.StatusOK, made.status)

	// An update that one token of a person's made is not started by another that
	// may not apply.
	var update struct{ UpdateID string }
	made.into(t, &update)
	start := func(credential string) int {
		return w.ask(t, http.MethodPost, stack+"/update/"+update.UpdateID, "token "+credential, map[string]any{"journalVersion": 1}).status
	}
	require.Equal(t, http.StatusForbidden, start(previewer))
	require.Equal(t, http.StatusOK, start(applier))

	// Secrets.
	writer := w.token(t, "acme/shop/*", backend.Write)
	reader := w.token(t, "acme/shop/*", backend.Read)
	opener := w.token(t, "acme/shop/*", backend.Decrypt)
	sealed := w.ask(t, http.MethodPost, stack+"/encrypt", "token "+writer, map[string][]byte{"plaintext": []byte("x")})
	require.Equal(t, http.StatusOK, sealed.status, "who writes a stack encrypts")
	require.Equal(t, http.StatusForbidden, w.ask(t, http.MethodPost, stack+"/encrypt", "token "+reader, map[string][]byte{"plaintext": []byte("x")}).status)
	require.Equal(t, http.StatusForbidden, w.ask(t, http.MethodPost, stack+"/decrypt", "token "+writer, sealed.body).status)
	opened := w.ask(t, http.MethodPost, stack+"/decrypt", "token "+opener, sealed.body)
	require.Equal(t, http.StatusOK, opened.status)
	require.JSONEq(t, `{"plaintext":"eA=="}`, string(opened.body))
}
