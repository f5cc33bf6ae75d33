package api

// Routes are the endpoints of the table: "GET /v1/projects".
func Routes() (out []string) {
	for _, e := range endpoints {
		out = append(out, e.method+" "+e.path)
	}
	return out
}

// Codes are all codes of problems.
func Codes() (out []string) {
	for _, k := range kinds {
		out = append(out, string(k.code))
	}
	return out
}

// Streams counts the open streams of a handler.
func Streams(h any) int { return h.(*handlers).streams.count() }

// NewBare is New without telemetry around it.
func NewBare(service Service, options Options) *handlers { return newHandlers(service, options) }
