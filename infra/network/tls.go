package network

import (
	"maps"
	"slices"
)

// TLSPolicy says which TLS versions and ciphers the HTTPS listener takes.
type TLSPolicy string

// The TLS policies.
const (
	// TLS13Only is the guide's: TLS 1.3 and nothing older.
	TLS13Only TLSPolicy = "tls13-only"
	// TLS13Preferred takes TLS 1.2 from clients that have no 1.3.
	TLS13Preferred TLSPolicy = "tls13-preferred"
	// TLSPostQuantum prefers hybrid post-quantum key exchange, with 1.2 and 1.3.
	TLSPostQuantum TLSPolicy = "pq"
	// TLSFIPS is TLS 1.3 with FIPS 140-3 validated cryptography.
	TLSFIPS TLSPolicy = "fips"
)

// securityPolicies are the policies' names at AWS. A listener that names none
// gets ELBSecurityPolicy-2016-08, with TLS 1.0.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html
var securityPolicies = map[TLSPolicy]string{
	TLS13Only:      "ELBSecurityPolicy-TLS13-1-3-2021-06",
	TLS13Preferred: "ELBSecurityPolicy-TLS13-1-2-2021-06",
	TLSPostQuantum: "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09",
	TLSFIPS:        "ELBSecurityPolicy-TLS13-1-3-FIPS-2023-04",
}

// tlsPolicies are the names that a configuration may use, sorted.
func tlsPolicies() []string {
	var out []string
	for _, p := range slices.Sorted(maps.Keys(securityPolicies)) {
		out = append(out, string(p))
	}
	return out
}
