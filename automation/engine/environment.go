package engine

import (
	"os"
	"slices"
	"strings"
)

// Inherit says what a process sees of this one's environment besides where
// programs and folders are. Everything else stays here: whatever a provider, a
// policy pack or a program can read, it can also print.
type Inherit struct {
	// AWS hands on AWS_*: credentials, profile, region, endpoints.
	AWS bool `json:"aws,omitempty"`
	// Network hands on proxies and certificate authorities.
	Network bool `json:"network,omitempty"`
}

// always are the variables that every process needs.
var always = []string{"PATH", "HOME", "TMPDIR"}

// network are the variables that say how to reach others. Both spellings are
// in use.
var network = []string{
	"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "no_proxy", "all_proxy",
	"SSL_CERT_FILE", "SSL_CERT_DIR",
}

// Environment picks from this process's environment what others may see.
func (i Inherit) Environment() []string {
	return slices.DeleteFunc(os.Environ(), func(variable string) bool {
		name, _, _ := strings.Cut(variable, "=")
		return !slices.Contains(always, name) &&
			(!i.AWS || !strings.HasPrefix(name, "AWS_")) &&
			(!i.Network || !slices.Contains(network, name))
	})
}
