package transparent

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// soOriginalDst is SO_ORIGINAL_DST of linux/netfilter_ipv4.h and
// IP6T_SO_ORIGINAL_DST of linux/netfilter_ipv6/ip6_tables.h.
const soOriginalDst = 80

// OriginalDestination returns the address that the peer of c connected to
// before a REDIRECT or DNAT rule changed it, and c's local address if none
// did. It fails with ENOENT if connection tracking does not know c, and with
// ENOPROTOOPT if it is not loaded.
func OriginalDestination(c syscall.Conn) (netip.AddrPort, error) {
	local, remote, err := Ends(c)
	if err != nil {
		return netip.AddrPort{}, err
	}
	ask := original4
	if local.Addr().Is6() {
		ask = original6
	}
	var dst netip.AddrPort
	err = controlConn(c, func(fd int) (err error) {
		dst, err = ask(fd)
		return err
	})
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("original destination of %s -> %s: %w", remote, local, cause(err))
	}
	return dst, nil
}

// original4 reads a sockaddr_in of 16 octets (ip(7)). The kernel fills as much
// of what it is given, and IPv6Mreq is an option of x/sys/unix with that room.
func original4(fd int) (netip.AddrPort, error) {
	m, err := unix.GetsockoptIPv6Mreq(fd, unix.SOL_IP, soOriginalDst)
	if err != nil {
		return netip.AddrPort{}, os.NewSyscallError("getsockopt SO_ORIGINAL_DST", err)
	}
	in := m.Multiaddr
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte(in[4:8])), binary.BigEndian.Uint16(in[2:4])), nil
}

// original6 reads a sockaddr_in6, with which IPv6MTUInfo begins (ipv6(7)).
func original6(fd int) (netip.AddrPort, error) {
	m, err := unix.GetsockoptIPv6MTUInfo(fd, unix.SOL_IPV6, soOriginalDst)
	if err != nil {
		return netip.AddrPort{}, os.NewSyscallError("getsockopt IP6T_SO_ORIGINAL_DST", err)
	}
	var port [2]byte // in network order, whatever the machine's is
	binary.NativeEndian.PutUint16(port[:], m.Addr.Port)
	return netip.AddrPortFrom(netip.AddrFrom16(m.Addr.Addr), binary.BigEndian.Uint16(port[:])), nil
}
