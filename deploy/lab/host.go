package lab

import (
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
)

// Host is one test host of a Network.
type Host struct {
	network   *Network
	name      string
	namespace string

	mu     sync.RWMutex // guards handle, which is closed with the network
	handle netns.NsHandle
}

// Name returns the name under which the host was added.
func (h *Host) Name() string { return h.name }

// Namespace returns the host's name for `ip netns exec`.
func (h *Host) Namespace() string { return h.namespace }

// Do calls do on the host: on an OS thread of its own, inside the host's
// network namespace. Sockets that do opens and processes that it starts
// belong to the host for good; what it delegates to other goroutines does
// not happen there. A panic in do continues in the caller.
func (h *Host) Do(do func() error) error {
	return onThread(func() error { return h.visit(do) })
}

// visit calls do on the host, on the calling thread, which stays there.
func (h *Host) visit(do func() error) error {
	if err := h.enter(); err != nil {
		return fmt.Errorf("enter host %s: %w", h.name, err)
	}
	return do()
}

func (h *Host) enter() error {
	h.mu.RLock()
	defer h.mu.RUnlock()
	if !h.handle.IsOpen() {
		return ErrClosed
	}
	return netns.Set(h.handle)
}

// leave gives up the host's namespace; nobody enters it after that.
func (h *Host) leave() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.handle.Close()
}

// Router makes the host forward packets, IPv4 and IPv6.
func (h *Host) Router() error {
	return h.Do(func() error {
		return errors.Join(
			sysctl("net/ipv4/ip_forward", "1"),
			sysctl("net/ipv6/conf/all/forwarding", "1"),
		)
	})
}

// prepareHost runs inside a new host. A new namespace may take ip_forward
// over from the machine (devconf_inherit_init_net in
// Documentation/admin-guide/sysctl/net.rst), and disable_ipv6. Duplicate address detection
// would keep a router from finding its IPv6 neighbours for the first seconds.
func prepareHost() error {
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return fmt.Errorf("find lo: %w", err)
	}
	if err := netlink.LinkSetUp(lo); err != nil {
		return fmt.Errorf("set lo up: %w", err)
	}
	return errors.Join(
		sysctl("net/ipv4/ip_forward", "0"),
		sysctl("net/ipv6/conf/default/disable_ipv6", "0"),
		sysctl("net/ipv6/conf/default/accept_dad", "0"),
	)
}

// sysctl sets a key of the calling thread's own network namespace.
func sysctl(key, value string) error {
	if err := os.WriteFile("/proc/sys/"+key, []byte(value), 0o644); err != nil {
		return fmt.Errorf("sysctl: %w", err)
	}
	return nil
}
