package engine

// WithoutAWS is the environment that keeps the real AWS out of a process: a
// simulated account must be the only one that it can reach.
var WithoutAWS = map[string]string{
	"AWS_ACCESS_KEY_ID":           "",
	"AWS_SECRET_ACCESS_KEY":       "",
	"AWS_SESSION_TOKEN":           "",
	"AWS_PROFILE":                 "",
	"AWS_EC2_METADATA_DISABLED":   "true",
	"AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
	"AWS_CONFIG_FILE":             "/dev/null",
}
