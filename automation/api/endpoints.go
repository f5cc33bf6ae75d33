package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

// endpoint is a row of the table.
type endpoint struct {
	method, path string
	// id names it in OpenAPI and in the client.
	id string
	// status of an answer that is good.
	status  int
	summary string
	// key says that it starts work: it needs an idempotency key.
	key bool
	do  registration
}

// registration makes huma know an endpoint: a handler with its types.
type registration func(*handlers, huma.Operation)

// do is a handler as a registration.
func do[In, Out any](handle func(*handlers, *call, *In) (*Out, error)) registration {
	return func(h *handlers, op huma.Operation) {
		huma.Register(h.api, op, func(ctx context.Context, in *In) (*Out, error) {
			c := callOf(ctx)
			out, err := handle(h, c, in)
			if err != nil {
				return nil, problemOf(c, err)
			}
			return out, nil
		})
	}
}

const (
	get, post, put, patch, del = http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete
	ok, made, accept, done     = http.StatusOK, http.StatusCreated, http.StatusAccepted, http.StatusNoContent
	// plain endpoints start no work, starts do.
	plain, starts = false, true
)

var endpoints = []endpoint{
	{get, "/v1/blueprints", "listBlueprints", ok, "What can be ordered.", plain, do((*handlers).listBlueprints)},
	{get, "/v1/blueprints/{name}", "getBlueprint", ok, "The newest version of a blueprint.", plain, do((*handlers).getBlueprint)},
	{get, "/v1/blueprints/{name}/versions/{version}", "getBlueprintVersion", ok, "A version of a blueprint.", plain, do((*handlers).getBlueprintVersion)},

	{get, "/v1/projects", "listProjects", ok, "Projects that you may see.", plain, do((*handlers).listProjects)},
	{post, "/v1/projects", "createProject", made, "Make a project.", plain, do((*handlers).createProject)},
	{get, "/v1/projects/{id}", "getProject", ok, "A project.", plain, do((*handlers).getProject)},
	{patch, "/v1/projects/{id}", "updateProject", ok, "Change a project.", plain, do((*handlers).updateProject)},
	{get, "/v1/projects/{id}/quota", "getProjectQuota", ok, "A project's quota, and how much of it is used.", plain, do((*handlers).getProjectQuota)},
	{put, "/v1/projects/{id}/quota", "putProjectQuota", ok, "Bound what a project has.", plain, do((*handlers).putProjectQuota)},
	{get, "/v1/projects/{id}/freeze-windows", "getFreezeWindows", ok, "When nothing is applied in a project.", plain, do((*handlers).getFreezeWindows)},
	{put, "/v1/projects/{id}/freeze-windows", "putFreezeWindows", ok, "Say when nothing is applied in a project.", plain, do((*handlers).putFreezeWindows)},
	{get, "/v1/organizations/{org}/quota", "getOrganizationQuota", ok, "What bounds an organization's projects that say nothing.", plain, do((*handlers).getOrganizationQuota)},
	{put, "/v1/organizations/{org}/quota", "putOrganizationQuota", ok, "Say what bounds an organization's projects.", plain, do((*handlers).putOrganizationQuota)},

	{get, "/v1/stacks", "listStacks", ok, "Stacks that you may see.", plain, do((*handlers).listStacks)},
	{post, "/v1/stacks", "createStack", accept, "Order a new stack.", starts, do((*handlers).createStack)},
	{get, "/v1/stacks/{id}", "getStack", ok, "A stack.", plain, do((*handlers).getStack)},
	{patch, "/v1/stacks/{id}", "updateStack", ok, "Change a stack's labels or protection.", plain, do((*handlers).updateStack)},
	{del, "/v1/stacks/{id}", "deleteStack", accept, "Destroy a stack, then remove it.", starts, do((*handlers).deleteStack)},
	{get, "/v1/stacks/{id}/operations", "listStackOperations", ok, "A stack's operations, newest first.", plain, do((*handlers).listStackOperations)},
	{post, "/v1/stacks/{id}/operations", "createOperation", accept, "Order an operation on a stack.", starts, do((*handlers).createOperation)},
	{get, "/v1/stacks/{id}/outputs", "getOutputs", ok, "A stack's outputs, secrets masked.", plain, do((*handlers).getOutputs)},
	{post, "/v1/stacks/{id}/outputs:reveal", "revealOutputs", ok, "A stack's outputs with its secrets; who and why is recorded.", plain, do((*handlers).revealOutputs)},
	{get, "/v1/stacks/{id}/resources", "listResources", ok, "What a stack consists of.", plain, do((*handlers).listResources)},
	{get, "/v1/stacks/{id}/history", "listHistory", ok, "Updates of a stack's state, newest first.", plain, do((*handlers).listHistory)},
	{get, "/v1/stacks/{id}/state-versions", "listStateVersions", ok, "The states of a stack that are kept, newest first.", plain, do((*handlers).listStateVersions)},
	{get, "/v1/stacks/{id}/state-versions/{version}", "getStateVersion", ok, "A state of a stack, without what is in it.", plain, do((*handlers).getStateVersion)},
	{post, "/v1/stacks/{id}/state-versions/{version}:export", "exportState", ok, "A state of a stack, secrets masked or sealed; who and why is recorded.", plain, do((*handlers).exportState)},
	{put, "/v1/stacks/{id}/lock", "putLock", ok, "Keep operations out of a stack.", plain, do((*handlers).putLock)},
	{del, "/v1/stacks/{id}/lock", "deleteLock", ok, "Let operations in again.", plain, do((*handlers).deleteLock)},
	{get, "/v1/stacks/{id}/ttl", "getTTL", ok, "How long a stack lives.", plain, do((*handlers).getTTL)},
	{put, "/v1/stacks/{id}/ttl", "putTTL", ok, "Say how long a stack lives.", plain, do((*handlers).putTTL)},
	{del, "/v1/stacks/{id}/ttl", "deleteTTL", ok, "Let a stack live for ever.", plain, do((*handlers).deleteTTL)},
	{get, "/v1/stacks/{id}/schedules", "getSchedules", ok, "What is done to a stack again and again.", plain, do((*handlers).getSchedules)},
	{put, "/v1/stacks/{id}/schedules", "putSchedules", ok, "Say what is done to a stack again and again.", plain, do((*handlers).putSchedules)},
	{del, "/v1/stacks/{id}/schedules", "deleteSchedules", ok, "Do nothing by itself to a stack.", plain, do((*handlers).deleteSchedules)},

	{get, "/v1/operations", "listOperations", ok, "Operations that you may see, newest first.", plain, do((*handlers).listOperations)},
	{get, "/v1/operations/{id}", "getOperation", ok, "An operation.", plain, do((*handlers).getOperation)},
	{post, "/v1/operations/{id}:cancel", "cancelOperation", accept, "End an operation; what has begun is finished.", plain, do((*handlers).cancelOperation)},
	{post, "/v1/operations/{id}:force-cancel", "forceCancelOperation", accept, "End an operation at once; the stack may need recovery.", plain, do((*handlers).forceCancelOperation)},
	{post, "/v1/operations/{id}:retry", "retryOperation", accept, "Order again what did not succeed.", starts, do((*handlers).retryOperation)},
	{get, "/v1/operations/{id}/events", "listEvents", ok, "What happened in an operation: a page, or a stream of server-sent events.", plain, do((*handlers).listEvents)},
	{get, "/v1/operations/{id}/logs", "listLogs", ok, "What the engine, the program and this service said in an operation.", plain, do((*handlers).listLogs)},
	{get, "/v1/operations/{id}/plan", "getPlan", ok, "What an operation would change.", plain, do((*handlers).getPlan)},
	{get, "/v1/operations/{id}/policy-results", "getPolicyResults", ok, "What the policy packs found.", plain, do((*handlers).getPolicyResults)},
	{get, "/v1/operations/{id}/approvals", "listApprovals", ok, "Who decided what.", plain, do((*handlers).listApprovals)},
	{post, "/v1/operations/{id}/approvals", "createApproval", ok, "Approve or reject a plan.", plain, do((*handlers).createApproval)},

	{get, "/v1/waivers", "listWaivers", ok, "A project's waivers.", plain, do((*handlers).listWaivers)},
	{post, "/v1/waivers", "createWaiver", made, "Let a mandatory finding pass for a while.", plain, do((*handlers).createWaiver)},
	{post, "/v1/waivers/{id}:revoke", "revokeWaiver", ok, "End a waiver at once.", plain, do((*handlers).revokeWaiver)},

	{get, "/v1/bindings", "listBindings", ok, "Who has which role.", plain, do((*handlers).listBindings)},
	{post, "/v1/bindings", "createBinding", made, "Give a role.", plain, do((*handlers).createBinding)},
	{del, "/v1/bindings/{id}", "deleteBinding", done, "Take a role away.", plain, do((*handlers).deleteBinding)},

	{get, "/v1/service-accounts", "listServiceAccounts", ok, "Service accounts whose tokens you may end.", plain, do((*handlers).listServiceAccounts)},
	{del, "/v1/service-accounts/{name}", "revokeServiceAccount", done, "End all tokens of a service account at once.", plain, do((*handlers).revokeServiceAccount)},
	{get, "/v1/tokens", "listTokens", ok, "Access tokens that you may end.", plain, do((*handlers).listTokens)},
	{post, "/v1/tokens", "createToken", made, "Make a token of a service account that you answer for; it is shown this once.", plain, do((*handlers).createToken)},
	{del, "/v1/tokens/{id}", "revokeToken", done, "End an access token at once.", plain, do((*handlers).revokeToken)},

	{get, "/v1/webhooks", "listWebhooks", ok, "An organization's webhooks.", plain, do((*handlers).listWebhooks)},
	{post, "/v1/webhooks", "createWebhook", made, "Have an address told of events; the answer has the secret, this once.", plain, do((*handlers).createWebhook)},
	{patch, "/v1/webhooks/{id}", "updateWebhook", ok, "Change a webhook.", plain, do((*handlers).updateWebhook)},
	{del, "/v1/webhooks/{id}", "deleteWebhook", done, "Remove a webhook.", plain, do((*handlers).deleteWebhook)},
	{post, "/v1/webhooks/{id}:rotate-secret", "rotateWebhookSecret", ok, "Make a new signing secret.", plain, do((*handlers).rotateWebhookSecret)},
	{post, "/v1/webhooks/{id}:test", "testWebhook", accept, "Send a webhook an event to test it.", plain, do((*handlers).testWebhook)},
	{get, "/v1/webhooks/{id}/deliveries", "listDeliveries", ok, "What a webhook was sent, newest first.", plain, do((*handlers).listDeliveries)},
	{post, "/v1/deliveries/{id}:redeliver", "redeliver", accept, "Send a webhook an event again.", plain, do((*handlers).redeliver)},

	{get, "/v1/audit", "listAudit", ok, "Who did what: a page, or with Accept: application/x-ndjson all of it, an entry a line.", plain, do((*handlers).listAudit)},
	{get, "/v1/audit/checkpoints", "listAuditCheckpoints", ok, "Signed places in the record of who did what.", plain, do((*handlers).listAuditCheckpoints)},
	{get, "/v1/audit/key", "getAuditKey", ok, "The public key that checkpoints are signed with.", plain, do((*handlers).getAuditKey)},
	{get, "/v1/nodes", "listNodes", ok, "Which worker runs what.", plain, do((*handlers).listNodes)},
	{get, "/v1/queues", "listQueues", ok, "What waits for workers, and since when.", plain, do((*handlers).listQueues)},
	{post, "/v1/queues/{name}:pause", "pauseQueue", ok, "Keep workers from taking operations; what runs goes on.", plain, do((*handlers).pauseQueue)},
	{post, "/v1/queues/{name}:resume", "resumeQueue", ok, "Let workers take operations again.", plain, do((*handlers).resumeQueue)},
	{get, "/v1/whoami", "whoAmI", ok, "Who you are.", plain, do((*handlers).whoAmI)},
}
