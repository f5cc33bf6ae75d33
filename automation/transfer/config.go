package transfer

import "context"

// Config is what became of a stack's configuration file.
type Config struct {
	File    string `json:"file,omitempty"`
	Problem string `json:"problem,omitempty"`
}

func (m *mover) config(context.Context, move) Config { return Config{} }
