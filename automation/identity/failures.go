package identity

import (
	"net/netip"
	"time"

	"golang.org/x/time/rate"

	"redoubt/automation/provision"
	"redoubt/internal/buckets"
)

// So many wrong credentials are looked at from one address, and one in so long
// after that; and so many addresses are remembered, those with the latest failures.
const (
	failureBurst = 30
	failureEvery = 2 * time.Second
	addressLimit = 10_000
)

// failures count wrong credentials by address.
type failures struct {
	now func() time.Time
	by  *buckets.Set
}

func newFailures() *failures {
	return &failures{now: time.Now, by: buckets.New(rate.Every(failureEvery), failureBurst, addressLimit)}
}

// network is what is counted together: an IPv4 address, or the 64 bits of IPv6
// within which whoever sits there may choose.
func network(address string) string {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	a = a.Unmap().WithZone("")
	if a.Is4() {
		return a.String()
	}
	prefix, err := a.Prefix(64)
	if err != nil {
		return address
	}
	return prefix.String()
}

// check refuses an address from which too much was tried.
func (f *failures) check(address string) error {
	bucket := f.by.Seen(network(address))
	if bucket == nil {
		return nil
	}
	have := bucket.TokensAt(f.now())
	if have >= 1 {
		return nil
	}
	wait := time.Duration((1 - have) * float64(failureEvery)).Round(time.Second)
	return &provision.Error{
		Code: provision.CodeQuotaExceeded, RetryAfter: max(wait, time.Second),
		Message: "too many wrong credentials came from this address: mend them, and try again in a moment",
	}
}

// add counts a failure.
func (f *failures) add(address string) {
	f.by.Use(network(address)).AllowN(f.now(), 1)
}
