package lab

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// upTimeout is how long a cable may take to carry packets.
const upTimeout = 5 * time.Second

// Wire lays a cable between two hosts: interface ifA on a and ifB on b, each
// with an address and its prefix length ("203.0.113.1/24", "2001:db8:1::1/64").
// Both ends carry packets when it returns, IPv6 addresses without duplicate address
// detection, so that they serve at once.
func (n *Network) Wire(a *Host, ifA, addrA string, b *Host, ifB, addrB string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return fmt.Errorf("wire %s to %s: %w", a.name, b.name, ErrClosed)
	}
	cable := &netlink.Veth{
		LinkAttrs:     netlink.LinkAttrs{Name: ifA, Index: n.nextIndexLocked()},
		PeerName:      ifB,
		PeerNamespace: netlink.NsFd(b.handle),
	}
	if err := a.Do(func() error { return netlink.LinkAdd(cable) }); err != nil {
		return fmt.Errorf("wire %s %s to %s %s: %w", a.name, ifA, b.name, ifB, err)
	}
	if err := a.plugIn(ifA, addrA); err != nil {
		return err
	}
	if err := b.plugIn(ifB, addrB); err != nil {
		return err
	}
	return errors.Join(a.awaitUp(ifA), b.awaitUp(ifB))
}

// firstIndex is beyond the interface numbers that the kernel gives by itself.
const firstIndex = 1000

// nextIndexLocked returns a number for one end of a cable which the other end
// will not have in its namespace: the kernel (linkwatch_urgent_event in
// net/core/link_watch.c) takes up to a second to use a link whose two ends
// have the same number.
func (n *Network) nextIndexLocked() int {
	n.cables++
	return firstIndex + n.cables
}

func (h *Host) plugIn(ifname, address string) error {
	if err := h.AddAddress(ifname, address); err != nil {
		return err
	}
	return h.onLink(ifname, netlink.LinkSetUp)
}

// AddAddress gives an interface of the host a further address with its prefix
// length.
func (h *Host) AddAddress(ifname, address string) error {
	addr, err := netlink.ParseAddr(address)
	if err != nil {
		return fmt.Errorf("address %q for %s %s: %w", address, h.name, ifname, err)
	}
	if addr.IP.To4() == nil {
		addr.Flags = unix.IFA_F_NODAD
	}
	return h.onLink(ifname, func(link netlink.Link) error { return netlink.AddrAdd(link, addr) })
}

// Route sends what goes to dst ("198.18.1.0/24", "default") by way of the
// neighbour via.
func (h *Host) Route(dst, via string) error {
	gateway := net.ParseIP(via)
	if gateway == nil {
		return fmt.Errorf("route on %s: neighbour %q is not an address", h.name, via)
	}
	switch {
	case dst != "default":
	case strings.Contains(via, ":"):
		dst = "::/0"
	default:
		dst = "0.0.0.0/0"
	}
	_, network, err := net.ParseCIDR(dst)
	if err != nil {
		return fmt.Errorf("route on %s: %w", h.name, err)
	}
	err = h.Do(func() error { return netlink.RouteAdd(&netlink.Route{Dst: network, Gw: gateway}) })
	if err != nil {
		return fmt.Errorf("route on %s: %s via %s: %w", h.name, dst, via, err)
	}
	return nil
}

// awaitUp waits until the kernel sends through the interface, IPv4 and IPv6;
// until then it drops, and asks for its neighbours again only a second later.
func (h *Host) awaitUp(ifname string) error {
	deadline := time.Now().Add(upTimeout)
	for {
		ready := false
		err := h.onLink(ifname, func(link netlink.Link) (err error) {
			ready, err = usable(link)
			return err
		})
		if err != nil || ready {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("set up %s %s: not usable after %s", h.name, ifname, upTimeout)
		}
		time.Sleep(time.Millisecond)
	}
}

// usable reports whether the link is up and its IPv6 addresses may be used,
// the link-local one among them, which a router asks from (RFC 4861 section
// 7.2.2).
func usable(link netlink.Link) (bool, error) {
	addrs, err := netlink.AddrList(link, netlink.FAMILY_V6)
	if err != nil {
		return false, err
	}
	local := false
	for _, addr := range addrs {
		if addr.Flags&unix.IFA_F_TENTATIVE != 0 {
			return false, nil
		}
		local = local || addr.IP.IsLinkLocalUnicast()
	}
	return local && link.Attrs().OperState == netlink.OperUp, nil
}

func (h *Host) onLink(ifname string, do func(netlink.Link) error) error {
	err := h.Do(func() error {
		link, err := netlink.LinkByName(ifname)
		if err != nil {
			return err
		}
		return do(link)
	})
	if err != nil {
		return fmt.Errorf("set up %s %s: %w", h.name, ifname, err)
	}
	return nil
}
