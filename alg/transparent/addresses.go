package transparent

import (
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"
)

// refresh is how long a list of addresses is believed.
const refresh = time.Second

// Addresses knows this machine's own addresses. It is made with NewAddresses;
// its methods are safe for concurrent use.
type Addresses struct {
	list func() ([]net.Addr, error)

	mu   sync.Mutex
	read time.Time // when own was read
	own  map[netip.Addr]bool
}

// NewAddresses returns an Addresses of the network namespace of the process.
func NewAddresses() *Addresses { return &Addresses{list: net.InterfaceAddrs} }

// Local reports whether a connection to a would end at this machine: a is an
// address of one of its interfaces, of the loopback network, or unspecified.
// An address that was added or removed less than a second ago may be missed. The error is that of
// listing the interfaces.
func (l *Addresses) Local(a netip.Addr) (bool, error) {
	a = a.Unmap().WithZone("")
	if a.IsLoopback() || a.IsUnspecified() {
		return true, nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if time.Since(l.read) >= refresh {
		if err := l.reread(); err != nil {
			return false, fmt.Errorf("is %s an address of this machine: %w", a, err)
		}
	}
	return l.own[a], nil
}

// reread asks the kernel. The caller holds mu.
func (l *Addresses) reread() error {
	addrs, err := l.list()
	if err != nil {
		return fmt.Errorf("list interface addresses: %w", err)
	}
	l.own = make(map[netip.Addr]bool, len(addrs))
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok {
			own, _ := netip.AddrFromSlice(n.IP)
			l.own[own.Unmap()] = true
		}
	}
	l.read = time.Now()
	return nil
}
