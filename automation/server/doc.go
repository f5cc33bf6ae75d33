// Package server is the service as one process: it opens the database, the
// keys and the listener, puts the handlers together, and stops them in order.
//
//	s, err := server.Open(ctx, config, server.Options{})
//	defer s.Close()
//	err = s.Run(ctx) // until ctx ends
//
// redoubt serve does that, and so do tests from end to end.
package server
