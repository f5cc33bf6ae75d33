package workload

import (
	"cmp"
	"regexp"
	"slices"
)

// FunctionCode is a ZIP archive that somebody has put into a bucket of the
// account and region. Bucket, Key, Version, Runtime and Handler are required.
type FunctionCode struct {
	// Bucket keeps versions: the signature is of one of them.
	Bucket, Key, Version string
	// Runtime is one of Runtimes.
	Runtime string
	// Handler is what the runtime calls, "index.handler"; "bootstrap" for
	// provided.al2023.
	Handler string
	// Architecture is "arm64" or "x86_64"; empty means arm64.
	Architecture string
}

// Runtimes are those that AWS patches for more than a year from now on.
// https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html
var Runtimes = []string{"provided.al2023", "nodejs22.x", "python3.13", "java21", "dotnet8", "ruby3.4"}

func (c *FunctionCode) runtime() string {
	if c == nil {
		return "provided.al2023"
	}
	return c.Runtime
}

func (c *FunctionCode) handler() string {
	if c == nil {
		return "bootstrap"
	}
	return c.Handler
}

func (c *FunctionCode) architecture() string {
	if c == nil {
		return "arm64"
	}
	return cmp.Or(c.Architecture, "arm64")
}

var (
	codeBucket  = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)
	handlerForm = regexp.MustCompile(`^[^\s]{1,128}$`)
)

func (c *FunctionCode) check(f *findings) {
	if c == nil {
		return
	}
	f.refuse(!codeBucket.MatchString(c.Bucket), "code.bucket: %q (a bucket's name)", c.Bucket)
	f.refuse(c.Key == "" || len(c.Key) > 1024, "code.key: %d characters (1 to 1024: the archive's key)", len(c.Key))
	f.refuse(c.Version == "" || c.Version == "null", "code.version: %q (the object's version: the bucket must keep versions)", c.Version)
	f.refuse(!slices.Contains(Runtimes, c.Runtime), "code.runtime: %q (one of %v)", c.Runtime, Runtimes)
	f.refuse(!handlerForm.MatchString(c.Handler), "code.handler: %q (what the runtime calls, for example index.handler)", c.Handler)
	f.refuse(!slices.Contains([]string{"arm64", "x86_64"}, c.architecture()), "code.architecture: %q (arm64 or x86_64)", c.Architecture)
}
