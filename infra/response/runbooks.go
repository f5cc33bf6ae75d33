package response

// DocumentName is the SSM document of a runbook: DocumentName("redoubt-dev",
// "train-team") is "redoubt-dev-runbook-train-team".
func DocumentName(prefix, runbook string) string { return prefix + "-runbook-" + runbook }
