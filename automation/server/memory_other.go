//go:build !linux

package server

// descendantsMemory is not known here.
func descendantsMemory() (bytes float64, ok bool) { return 0, false }
