package pulumiapi

import (
	"encoding/json"
	"strconv"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"

	"redoubt/automation/backend"
	"redoubt/automation/backend/replay"
)

// exportState answers a state byte for byte as it was stored, but for the address of
// this service in it, which is the client's.
func exportState(c *call) (any, error) {
	var version int64
	if text := c.r.PathValue("version"); text != "" {
		var err error
		if version, err = number(text); err != nil {
			return nil, err
		}
	}
	name := c.stack()
	state, err := c.service.Export(c.ctx(), c.caller, name, version)
	if err != nil {
		return nil, err
	}
	return document(replay.Readdress(state, replay.StackIdentity{Org: name.Org, Project: name.Project, Stack: name.Stack}, c.address())), nil
}

// number reads a version that a path names, from 1 on.
func number(text string) (int64, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 1 {
		return 0, backend.Fail(backend.CodeNotFound, "there is no version %.40q: versions are whole numbers from 1 on", text)
	}
	return n, nil
}

// importState is done when it answers: what the CLI polls afterwards is final.
func importState(c *call) (any, error) {
	state, err := c.body()
	if err != nil {
		return nil, err
	}
	update, err := c.service.Import(c.ctx(), c.caller, c.stack(), state)
	return apitype.ImportStackResponse{UpdateID: update.ID}, err
}

// getUpdate tells how an update ended. The CLI asks after an import, at once
// again and again as long as there is a continuation token
// (pkg/backend/httpstate/backend.go, waitForUpdate): so there is never one.
func getUpdate(c *call) (any, error) {
	update, err := c.service.UpdateOf(c.ctx(), c.caller, c.stack(), c.r.PathValue("update"))
	return apitype.UpdateResults{Status: statusOf(update.Status), Events: []apitype.UpdateEvent{}}, err
}

func statusOf(s backend.UpdateStatus) apitype.UpdateStatus {
	switch s {
	case backend.StatusCreated:
		return apitype.StatusNotStarted
	case backend.StatusRunning:
		return apitype.StatusRunning
	case backend.StatusSucceeded:
		return apitype.StatusSucceeded
	default:
		return apitype.StatusFailed
	}
}

// historyEntry is apitype.UpdateInfo with the configuration as it came.
type historyEntry struct {
	Kind            string               `json:"kind"`
	StartTime       int64                `json:"startTime"`
	Message         string               `json:"message"`
	Environment     map[string]string    `json:"environment"`
	Config          json.RawMessage      `json:"config"`
	Result          apitype.UpdateResult `json:"result"`
	EndTime         int64                `json:"endTime"`
	Version         int64                `json:"version"`
	ResourceChanges map[string]int       `json:"resourceChanges,omitempty"`
	ResourceCount   int64                `json:"resourceCount,omitempty"`
}

func entryOf(h backend.HistoryEntry) historyEntry {
	out := historyEntry{
		Kind: string(h.Kind), StartTime: h.StartedAt.Unix(), Message: h.Message, Environment: h.Environment, Config: h.Config,
		Result: resultOf(h.Status), Version: h.Version, ResourceChanges: h.Changes, ResourceCount: h.Resources,
	}
	if !h.CompletedAt.IsZero() {
		out.EndTime = h.CompletedAt.Unix()
	}
	if out.Environment == nil {
		out.Environment = map[string]string{}
	}
	if len(out.Config) == 0 {
		out.Config = json.RawMessage("{}")
	}
	return out
}

func resultOf(s backend.UpdateStatus) apitype.UpdateResult {
	switch s {
	case backend.StatusCreated:
		return apitype.NotStartedResult
	case backend.StatusRunning:
		return apitype.InProgressResult
	case backend.StatusSucceeded:
		return apitype.SucceededResult
	default:
		return apitype.FailedResult
	}
}

// maxPage is the most that a page of the history holds.
const maxPage = 1000

func listUpdates(c *call) (any, error) {
	page, size := c.paging(maxPage)
	entries, err := c.service.History(c.ctx(), c.caller, c.stack(), page, size)
	if err != nil {
		return nil, err
	}
	updates := make([]historyEntry, 0, len(entries))
	for _, e := range entries {
		updates = append(updates, entryOf(e))
	}
	return map[string]any{"updates": updates}, nil
}

// paging reads page and pageSize; what makes no sense is as if it were not there.
func (c *call) paging(otherwise int) (page, size int) {
	query := c.r.URL.Query()
	page, size = 1, otherwise
	if n, err := strconv.Atoi(query.Get("page")); err == nil && n >= 1 && n <= 1_000_000 {
		page = n
	}
	if n, err := strconv.Atoi(query.Get("pageSize")); err == nil && n >= 1 {
		size = min(n, maxPage)
	}
	return page, size
}

// latestUpdate answers 404 for a stack that never had one; the CLI knows what
// that means.
func latestUpdate(c *call) (any, error) {
	entries, err := c.service.History(c.ctx(), c.caller, c.stack(), 1, 1)
	if err == nil && len(entries) == 0 {
		err = backend.Fail(backend.CodeNotFound, "stack %s was never updated", c.stack())
	}
	if err != nil {
		return nil, err
	}
	return map[string]any{"info": entryOf(entries[0])}, nil
}

func updateByVersion(c *call) (any, error) {
	version, err := number(c.r.PathValue("version"))
	if err != nil {
		return nil, err
	}
	entry, err := c.service.UpdateByVersion(c.ctx(), c.caller, c.stack(), version)
	if err != nil {
		return nil, err
	}
	return map[string]any{"info": entryOf(entry)}, nil
}

func latestPreviews(c *call) (any, error) {
	_, size := c.paging(1)
	entries, err := c.service.LatestPreviews(c.ctx(), c.caller, c.stack(), size)
	if err != nil {
		return nil, err
	}
	answer := apitype.GetLatestStackPreviewsResponse{Updates: []apitype.StackPreview{}}
	for _, e := range entries {
		answer.Updates = append(answer.Updates, apitype.StackPreview{UpdateID: e.ID})
	}
	return answer, nil
}
