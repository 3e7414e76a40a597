package guard

import (
	"net/http"
	"net/netip"
	"sync"
	"time"
)

// After mostFailures wrong tokens a sender is not listened to until
// failuresLast after the first of them.
const (
	mostFailures = 10
	failuresLast = time.Minute
	mostSenders  = 1024
)

// attempts counts the wrong tokens of each sender.
type attempts struct {
	mu      sync.Mutex
	senders map[netip.Addr]failures
}

type failures struct {
	count int
	since time.Time
}

func newAttempts() *attempts { return &attempts{senders: make(map[netip.Addr]failures)} }

// sender is what counts as one sender: an IPv6 host has a whole /64 to choose
// its addresses from (RFC 4291 section 2.5.1).
func sender(r *http.Request) netip.Addr {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	a := at.Addr().Unmap().WithZone("")
	if a.Is4() {
		return a
	}
	return netip.PrefixFrom(a, 64).Masked().Addr()
}

func (a *attempts) barred(from netip.Addr) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	f := a.senders[from]
	return f.count >= mostFailures && time.Since(f.since) < failuresLast
}

func (a *attempts) failed(from netip.Addr) {
	a.mu.Lock()
	defer a.mu.Unlock()
	f := a.senders[from]
	if time.Since(f.since) >= failuresLast {
		f = failures{since: time.Now()}
	}
	if len(a.senders) >= mostSenders {
		// Whoever has that many addresses is kept out by the token's length.
		clear(a.senders)
	}
	f.count++
	a.senders[from] = f
}
