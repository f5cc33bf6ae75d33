package provision

import "time"

// never is no moment at all.
var never time.Time
