package pulumiapi

import "net/http"

// credential is what an endpoint asks for.
type credential int

const (
	// anybody may ask.
	anybody credential = iota
	// accessToken is `Authorization: token …`, a person's or a machine's.
	accessToken
	// leaseToken is `Authorization: update-token …`, a running update's.
	leaseToken
	// signature is in the address: whoever has that may use it.
	signature
)

// Limits of bodies, in bytes after decompression.
const (
	noBody    = 0
	smallBody = 1 << 20
	// mediumBody is for what grows with a project: its configuration, and the
	// description of a policy pack.
	mediumBody = 16 << 20
	// batchBody is for batches. The CLI halves a batch of journal entries that
	// is too large (pkg/backend/httpstate/journal/snapshot.go); secrets may be
	// files.
	batchBody = 64 << 20
	stateBody = 512 << 20
	packBody  = 256 << 20
)

// endpoint is a row of the table.
type endpoint struct {
	method, path string
	needs        credential
	limit        int64
	// do returns what is answered as JSON: a value, a document, or nil for an
	// empty object.
	do func(*call) (any, error)
}

func (e endpoint) pattern() string { return e.method + " " + e.path }

// The places of stacks and of updates. The update's segment is "update" for
// every kind (pkg/backend/httpstate/client/client.go, getUpdatePath).
const (
	aStack  = "/api/stacks/{org}/{project}/{stack}"
	anOrg   = "/api/orgs/{org}"
	aPack   = anOrg + "/policypacks/{pack}"
	aGroup  = anOrg + "/policygroups/{group}"
	anUp    = aStack + "/update/{update}"
	archive = "/packs/{org}/{pack}/{version}"
)

// endpoints is the table.
func endpoints() []endpoint {
	const (
		get, post, put, patch, del, head = http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodHead
	)
	return []endpoint{
		// Who am I, and what is this?
		{get, "/api/user", accessToken, noBody, getUser},
		{get, "/api/user/organizations/default", accessToken, noBody, getDefaultOrg},
		{get, "/api/user/stacks", accessToken, noBody, listStacks},
		{get, "/api/capabilities", anybody, noBody, getCapabilities},
		{get, "/api/cli/version", anybody, noBody, getCLIVersion},

		// Stacks.
		{head, "/api/stacks/{org}/{project}", accessToken, noBody, projectExists},
		{post, "/api/stacks/{org}/{project}", accessToken, stateBody, createStack},
		{get, aStack, accessToken, noBody, getStack},
		{del, aStack, accessToken, noBody, deleteStack},
		{post, aStack + "/rename", accessToken, smallBody, renameStack},
		{patch, aStack + "/tags", accessToken, smallBody, setTags},
		{put, aStack + "/config", accessToken, smallBody, setRemoteConfig},

		// Their states.
		{get, aStack + "/export", accessToken, noBody, exportState},
		{get, aStack + "/export/{version}", accessToken, noBody, exportState},
		{post, aStack + "/import", accessToken, stateBody, importState},

		// Their history.
		{get, aStack + "/updates", accessToken, noBody, listUpdates},
		{get, aStack + "/updates/latest", accessToken, noBody, latestUpdate},
		{get, aStack + "/updates/latest/previews", accessToken, noBody, latestPreviews},
		{get, aStack + "/updates/{version}", accessToken, noBody, updateByVersion},

		// Their secrets.
		{post, aStack + "/encrypt", accessToken, mediumBody, encrypt},
		{post, aStack + "/decrypt", accessToken, mediumBody, decrypt},
		{post, aStack + "/batch-encrypt", accessToken, batchBody, batchEncrypt},
		{post, aStack + "/batch-decrypt", accessToken, batchBody, batchDecrypt},
		{post, aStack + "/decrypt/log-decryption", accessToken, smallBody, logDecryption},
		{post, aStack + "/decrypt/log-batch-decryption", accessToken, smallBody, logDecryption},

		// Updates, on behalf of a person.
		{post, aStack + "/update", accessToken, mediumBody, createUpdate},
		{post, aStack + "/preview", accessToken, mediumBody, createUpdate},
		{post, aStack + "/refresh", accessToken, mediumBody, createUpdate},
		{post, aStack + "/destroy", accessToken, mediumBody, createUpdate},
		{post, anUp, accessToken, smallBody, startUpdate},
		{get, anUp, accessToken, noBody, getUpdate},
		{get, anUp + "/events", accessToken, noBody, getEvents},
		{post, anUp + "/cancel", accessToken, smallBody, cancelUpdate},

		// Updates, on behalf of whoever holds the lease.
		{post, anUp + "/renew_lease", leaseToken, smallBody, renewLease},
		{patch, anUp + "/journalentries", leaseToken, batchBody, appendJournal},
		{patch, anUp + "/checkpoint", leaseToken, stateBody, putCheckpoint},
		{patch, anUp + "/checkpointverbatim", leaseToken, stateBody, putCheckpointVerbatim},
		{patch, anUp + "/checkpointdelta", leaseToken, stateBody, putCheckpointDelta},
		{post, anUp + "/events/batch", leaseToken, batchBody, putEvents},
		{post, anUp + "/complete", leaseToken, smallBody, completeUpdate},

		// Policy.
		{get, aStack + "/policypacks", accessToken, noBody, stackPacks},
		{get, anOrg + "/policypacks", accessToken, noBody, listPacks},
		{post, anOrg + "/policypacks", accessToken, mediumBody, publishPack},
		{post, aPack + "/versions/{tag}/complete", accessToken, smallBody, completePack},
		{get, aPack + "/versions/{tag}/schema", accessToken, noBody, packSchema},
		{del, aPack, accessToken, noBody, deletePack},
		{del, aPack + "/versions/{tag}", accessToken, noBody, deletePack},
		{put, archive, signature, packBody, uploadPack},
		{get, archive, signature, noBody, downloadPack},
		{get, anOrg + "/policygroups", accessToken, noBody, listGroups},
		{post, anOrg + "/policygroups", accessToken, smallBody, createGroup},
		{get, aGroup, accessToken, noBody, getGroup},
		{patch, aGroup, accessToken, mediumBody, changeGroup},
		{del, aGroup, accessToken, noBody, deleteGroup},

		// A list that is not there is an error for `pulumi new` and for the
		// resolution of plugins; an empty one is not (client.go, ListPackages).
		{get, "/api/registry/packages", anybody, noBody, noPackages},
		{get, "/api/registry/templates", anybody, noBody, noTemplates},
	}
}
