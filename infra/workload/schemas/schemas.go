// Package schemas holds the JSON Schemas (draft 4) of request bodies: one file
// each, which API Gateway checks at the edge and the application embeds to
// check again. A body is described in one place.
package schemas

import "embed"

// Files are the schemas, by file name.
//
//go:embed *.json
var Files embed.FS
