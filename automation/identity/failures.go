package identity

import (
	"container/list"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"redoubt/automation/provision"
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

	mu sync.Mutex
	// order has *failing, the latest first; by finds them by address.
	order *list.List
	by    map[string]*list.Element
}

type failing struct {
	address string
	limit   *rate.Limiter
}

func newFailures() *failures {
	return &failures{now: time.Now, order: list.New(), by: map[string]*list.Element{}}
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
	f.mu.Lock()
	defer f.mu.Unlock()
	at, ok := f.by[network(address)]
	if !ok {
		return nil
	}
	have := at.Value.(*failing).limit.TokensAt(f.now())
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
	f.mu.Lock()
	defer f.mu.Unlock()
	key := network(address)
	at, ok := f.by[key]
	if !ok {
		at = f.order.PushFront(&failing{key, rate.NewLimiter(rate.Every(failureEvery), failureBurst)})
		f.by[key] = at
		if f.order.Len() > addressLimit {
			oldest := f.order.Back()
			f.order.Remove(oldest)
			delete(f.by, oldest.Value.(*failing).address)
		}
	}
	f.order.MoveToFront(at)
	at.Value.(*failing).limit.AllowN(f.now(), 1)
}
