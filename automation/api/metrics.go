package api

import "time"

// Metrics is told what happens. It must not block.
type Metrics interface {
	// Request was answered; route is the endpoint's pattern.
	Request(method, route string, status int, took time.Duration)
	// Replayed: a request with a known idempotency key was answered as before.
	Replayed()
	// Streaming: so many more streams of events are open, or fewer.
	Streaming(more int)
}

type nobody struct{}

func (nobody) Request(string, string, int, time.Duration) {}
func (nobody) Replayed()                                  {}
func (nobody) Streaming(int)                              {}
