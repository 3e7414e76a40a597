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
	list func() ([]netip.Addr, error)

	mu   sync.Mutex
	read time.Time // when own was read
	own  map[netip.Addr]bool
}

// NewAddresses returns an Addresses that asks list, whose addresses are not
// IPv4-mapped: InterfaceAddresses, or somebody who may ask it.
func NewAddresses(list func() ([]netip.Addr, error)) *Addresses { return &Addresses{list: list} }

// InterfaceAddresses lists the addresses of the interfaces in the network
// namespace of the process.
func InterfaceAddresses() ([]netip.Addr, error) {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return nil, fmt.Errorf("list interface addresses: %w", err)
	}
	out := make([]netip.Addr, 0, len(all))
	for _, a := range all {
		if n, ok := a.(*net.IPNet); ok {
			own, _ := netip.AddrFromSlice(n.IP)
			out = append(out, own.Unmap())
		}
	}
	return out, nil
}

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

// reread asks. The caller holds mu.
func (l *Addresses) reread() error {
	all, err := l.list()
	if err != nil {
		return err
	}
	l.own = make(map[netip.Addr]bool, len(all))
	for _, a := range all {
		l.own[a] = true
	}
	l.read = time.Now()
	return nil
}
