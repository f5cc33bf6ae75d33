// Package loopback gives tests addresses that no other process uses.
package loopback

import (
	"fmt"
	"math/rand/v2"
	"runtime"
)

// Host is an address of this machine on which, most likely, nobody else listens or
// connects from: whoever stops a server that listens there can start it again on
// the same port. Where all share 127.0.0.1 the kernel may have given the port to
// somebody in the meantime. Only Linux has more than that one address by itself.
func Host() string {
	if runtime.GOOS != "linux" {
		return "127.0.0.1"
	}
	return fmt.Sprintf("127.%d.%d.%d", 1+rand.IntN(254), rand.IntN(256), 1+rand.IntN(254))
}
