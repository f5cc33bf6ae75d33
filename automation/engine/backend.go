package engine

// Backend is where a stack's state is kept.
type Backend struct {
	// URL is what `pulumi login` takes.
	URL string `json:"url"`
	// Token is the access token; empty for a backend without any.
	Token string `json:"token,omitempty"`
}

// Variables say to the CLI which backend it uses.
func (b Backend) Variables() map[string]string {
	env := map[string]string{"PULUMI_BACKEND_URL": b.URL}
	if b.Token != "" {
		env["PULUMI_ACCESS_TOKEN"] = b.Token
		// A step waits for the batch with its journal entry, and by default a
		// batch waits 50 ms for more: most of the time that an update takes
		// (docs/performance.md).
		env["PULUMI_JOURNALING_BATCH_PERIOD"] = "1" // ms
		env["PULUMI_JOURNALING_BATCH_SIZE"] = "100"
	}
	return env
}

// unsafeFile is a backend in a folder that a crash may ruin: the floor of what
// an operation can cost, and enough where nothing is real.
func unsafeFile(folder string) map[string]string {
	return map[string]string{
		// With metadata the file's neighbour is rewritten in place, and a read
		// at that moment fails (gocloud.dev/blob/fileblob).
		"PULUMI_BACKEND_URL": "file://" + folder + "?metadata=skip",
		// Without a checkpoint per step an update is an order of magnitude faster.
		"PULUMI_EXPERIMENTAL":     "true",
		"PULUMI_SKIP_CHECKPOINTS": "true",
	}
}
