package server

import (
	"os"
	"time"
)

// stamp tells one content of a file from another, as far as the file system
// does. The zero value is that of a file that is not there.
type stamp struct {
	changed time.Time
	size    int64
}

func stampOf(path string) stamp {
	info, err := os.Stat(path)
	if err != nil {
		return stamp{}
	}
	return stamp{info.ModTime(), info.Size()}
}
