package rehearsal

import (
	"crypto/sha256"
	"encoding/hex"
)

// prefixListID is the id of one of AWS's own prefix lists, named like
// "com.amazonaws.eu-west-1.s3". The ids are made up, and the same in all calls.
func prefixListID(region, name string) string {
	sum := sha256.Sum256([]byte(region + name))
	return "pl-" + hex.EncodeToString(sum[:])[:8]
}
