package api_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/api"
)

// access is what an endpoint answers whom. Placeholders are ids of shop, which
// alice may change and victor may read; with foreign ones the answer to alice must
// be that there is no such thing.
type access struct {
	body string
	// alice, victor and nobody are statuses; root's is alice's unless it is given.
	alice, victor, nobody int
	root                  int
}

const (
	refused = http.StatusForbidden
	unseen  = http.StatusNotFound
)

var matrix = map[string]access{
	"GET /v1/blueprints":                           {"", 200, 200, 200, 0},
	"GET /v1/blueprints/{name}":                    {"", 200, 200, 200, 0},
	"GET /v1/blueprints/{name}/versions/{version}": {"", 200, 200, 200, 0},
	"GET /v1/projects":                             {"", 200, 200, 200, 0},
	"POST /v1/projects":                            {`{"org":"acme","name":"new"}`, unseen, unseen, unseen, 201},
	"GET /v1/projects/{project}":                   {"", 200, 200, unseen, 0},
	"PATCH /v1/projects/{project}":                 {`{"description":"x"}`, 200, refused, unseen, 0},
	"GET /v1/stacks":                               {"", 200, 200, 200, 0},
	"POST /v1/stacks":                              {`{"project_id":"{project}","name":"dev","blueprint":"secure-bucket","inputs":{"name":"x"}}`, 202, refused, unseen, 0},
	"GET /v1/stacks/{stack}":                       {"", 200, 200, unseen, 0},
	"PATCH /v1/stacks/{stack}":                     {`{"protected":false}`, 200, refused, unseen, 0},
	"DELETE /v1/stacks/{stack}?confirm=prod":       {"", 202, refused, unseen, 0},
	"GET /v1/stacks/{stack}/operations":            {"", 200, 200, unseen, 0},
	"POST /v1/stacks/{stack}/operations":           {`{"kind":"preview"}`, 202, refused, unseen, 0},
	"GET /v1/stacks/{stack}/outputs":               {"", 200, 200, unseen, 0},
	"POST /v1/stacks/{stack}/outputs:reveal":       {`{"reason":"x"}`, 200, refused, unseen, 0},
	"GET /v1/stacks/{stack}/resources":             {"", 200, 200, unseen, 0},
	"GET /v1/stacks/{stack}/history":               {"", 200, 200, unseen, 0},
	"PUT /v1/stacks/{stack}/lock":                  {`{"reason":"x"}`, 200, refused, unseen, 0},
	"DELETE /v1/stacks/{stack}/lock":               {"", 200, refused, unseen, 0},
	"GET /v1/stacks/{stack}/ttl":                   {"", 200, 200, unseen, 0},
	"PUT /v1/stacks/{stack}/ttl":                   {`{"ttl":"48h"}`, 200, refused, unseen, 0},
	"DELETE /v1/stacks/{stack}/ttl":                {"", 200, refused, unseen, 0},
	"GET /v1/stacks/{stack}/schedules":             {"", 200, 200, unseen, 0},
	"PUT /v1/stacks/{stack}/schedules":             {`{"schedules":[]}`, 200, refused, unseen, 0},
	"DELETE /v1/stacks/{stack}/schedules":          {"", 200, refused, unseen, 0},
	"GET /v1/operations":                           {"", 200, 200, 200, 0},
	"GET /v1/operations/{op}":                      {"", 200, 200, unseen, 0},
	"POST /v1/operations/{op}:cancel":              {"", 202, refused, unseen, 0},
	"POST /v1/operations/{op}:force-cancel":        {"", 202, refused, unseen, 0},
	"POST /v1/operations/{op}:retry":               {"", 409, refused, unseen, 0}, // it is not over,
	"GET /v1/operations/{op}/events":               {"", 200, 200, unseen, 0},
	"GET /v1/operations/{op}/plan":                 {"", 404, 404, unseen, 0}, // it has none yet
	"GET /v1/operations/{op}/policy-results":       {"", 404, 404, unseen, 0},
	"GET /v1/operations/{op}/approvals":            {"", 200, 200, unseen, 0},
	"POST /v1/operations/{op}/approvals":           {`{"decision":"approve","plan_digest":"sha256:x"}`, 409, refused, unseen, refused}, // it waits for nobody, and is root's own
	"GET /v1/waivers?project={project}":            {"", 200, 200, unseen, 0},
	"POST /v1/waivers":                             {`{"project_id":"{project}","policy":"p","stack":"*","resource":"*","reason":"x","lifetime":"24h"}`, 201, refused, unseen, 0},
	"POST /v1/waivers/{waiver}:revoke":             {"", 200, refused, unseen, 0},
	"GET /v1/bindings":                             {"", 200, 200, 200, 0},
	"POST /v1/bindings":                            {`{"subject":"user:bob","role":"viewer","scope":"acme"}`, unseen, unseen, unseen, 201},
	"DELETE /v1/bindings/{binding}":                {"", 204, refused, unseen, 0},
	"GET /v1/webhooks?org=acme":                    {"", unseen, unseen, unseen, 200},
	"POST /v1/webhooks":                            {`{"org":"acme","url":"https://x.example","types":["*"]}`, unseen, unseen, unseen, 201},
	"PATCH /v1/webhooks/{hook}":                    {`{"disabled":true}`, unseen, unseen, unseen, 200},
	"DELETE /v1/webhooks/{hook}":                   {"", unseen, unseen, unseen, 204},
	"POST /v1/webhooks/{hook}:rotate-secret":       {"", unseen, unseen, unseen, 200},
	"POST /v1/webhooks/{hook}:test":                {"", unseen, unseen, unseen, 202},
	"GET /v1/webhooks/{hook}/deliveries":           {"", unseen, unseen, unseen, 200},
	"POST /v1/deliveries/{delivery}:redeliver":     {"", unseen, unseen, unseen, 202},
	"GET /v1/audit":                                {"", refused, refused, refused, 200},
	"GET /v1/audit/checkpoints":                    {"", refused, refused, refused, 200},
	"GET /v1/audit/key":                            {"", 200, 200, 200, 0},
	"GET /v1/whoami":                               {"", 200, 200, 200, 0},
	"GET /v1/nodes":                                {"", 200, 200, 200, 0},

	"GET /v1/projects/{project}/quota":                      {"", 200, 200, unseen, 0},
	"PUT /v1/projects/{project}/quota":                      {`{"stacks":5}`, 200, refused, unseen, 0},
	"GET /v1/projects/{project}/freeze-windows":             {"", 200, 200, unseen, 0},
	"PUT /v1/projects/{project}/freeze-windows":             {`{"freeze_windows":[]}`, 200, refused, unseen, 0},
	"GET /v1/organizations/{org}/quota":                     {"", unseen, unseen, unseen, 200},
	"PUT /v1/organizations/{org}/quota":                     {`{"stacks":5}`, unseen, unseen, unseen, 200},
	"GET /v1/stacks/{stack}/state-versions":                 {"", 200, 200, unseen, 0},
	"GET /v1/stacks/{stack}/state-versions/{state}":         {"", 200, 200, unseen, 0},
	"POST /v1/stacks/{stack}/state-versions/{state}:export": {`{"reason":"x"}`, 200, refused, unseen, 0},
	"GET /v1/operations/{op}/logs":                          {"", 200, 200, unseen, 0},
	"GET /v1/service-accounts":                              {"", 200, 200, 200, 0},
	"DELETE /v1/service-accounts/{account}":                 {"", unseen, unseen, unseen, 204}, // it is root's
	"GET /v1/tokens":                                        {"", 200, 200, 200, 0},
	"POST /v1/tokens":                                       {`{"service_account":"new","name":"x","grants":[{"stacks":"acme/shop/*","verbs":["read"]}]}`, 201, refused, unseen, 0},
	"DELETE /v1/tokens/{token}":                             {"", unseen, unseen, unseen, 204},
	"GET /v1/queues":                                        {"", refused, refused, refused, 200},
	"POST /v1/queues/{queue}:pause":                         {"", refused, refused, refused, 200},
	"POST /v1/queues/{queue}:resume":                        {"", refused, refused, refused, 200},
}

// shape is a route with one name for all ids.
func shape(route string) string {
	route, _, _ = strings.Cut(route, "?")
	for _, name := range []string{"project", "stack", "op", "waiver", "hook", "binding", "delivery", "token"} {
		route = strings.ReplaceAll(route, "{"+name+"}", "{id}")
	}
	for name, as := range map[string]string{"state": "version", "account": "name", "queue": "name"} {
		route = strings.ReplaceAll(route, "{"+name+"}", "{"+as+"}")
	}
	return route
}

func TestEveryEndpointIsInTheMatrix(t *testing.T) {
	t.Parallel()
	rows := map[string]bool{}
	for route := range matrix {
		rows[shape(route)] = true
	}
	for _, route := range api.Routes() {
		require.True(t, rows[route], "%s has no row: say who may", route)
		delete(rows, route)
	}
	require.Empty(t, rows, "rows of no endpoint")
}

// Who may do what, over every endpoint of the table.
func TestAuthorizationMatrix(t *testing.T) {
	t.Parallel()
	for route, row := range matrix {
		t.Run(route, func(t *testing.T) {
			t.Parallel()
			root := row.root
			if root == 0 {
				root = row.alice
			}
			refusals := open(t)
			for _, who := range []struct {
				name    string
				foreign bool
				want    int
			}{
				{"", false, http.StatusUnauthorized},
				{"expired", false, http.StatusUnauthorized},
				{"nobody", false, row.nobody},
				{"victor", false, row.victor},
				{"alice", false, row.alice},
				{"root", false, root},
				{"alice", true, foreign(route, row)},
			} {
				w := refusals
				if who.want < http.StatusBadRequest && !who.foreign {
					w = open(t) // what one does changes what others find
				}
				id := strings.NewReplacer("{project}", w.shop.ID, "{stack}", w.stack.ID, "{op}", w.op.ID, "{waiver}", w.shopWaiver.ID)
				if who.foreign {
					id = strings.NewReplacer("{project}", w.bank.ID, "{stack}", w.bankStack.ID, "{op}", w.bankOp.ID, "{waiver}", w.bankWaiver.ID)
				}
				method, path, _ := strings.Cut(route, " ")
				path = strings.NewReplacer("{hook}", w.hook.ID, "{binding}", w.binding.ID, "{delivery}", w.delivery.ID, "{name}", "secure-bucket", "{version}", "1.0.0",
					"{org}", "acme", "{state}", "1", "{token}", w.token.ID, "{account}", "deploy", "{queue}", "default").Replace(id.Replace(path))
				got := w.ask(t, who.name, method, path, id.Replace(row.body), "If-Match", `"1"`, "Idempotency-Key", "k")
				require.Equal(t, who.want, got.status, "%q, foreign %v: %s", who.name, who.foreign, got.body)
				if got.status >= 400 {
					p := got.problem(t)
					require.NotEmpty(t, p.Code)
					require.Len(t, p.TraceID, 32)
					require.Equal(t, got.status == http.StatusUnauthorized, got.header.Get("WWW-Authenticate") != "")
				}
			}
		})
	}
}

// foreign is what alice gets for ids of another project: none where the endpoint
// has no ids of projects.
func foreign(route string, row access) int {
	for _, name := range []string{"{project}", "{stack}", "{op}", "{waiver}"} {
		if strings.Contains(route+row.body, name) {
			return http.StatusNotFound
		}
	}
	return row.alice
}
