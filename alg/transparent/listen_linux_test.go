package transparent

import (
	"io"
	"net/netip"
	"testing"
)

func TestAnIPv6ListenerLeavesIPv4Alone(t *testing.T) {
	h := newHost(t)
	six := h.listen(netip.MustParseAddrPort("[::]:2121"), false)
	four := h.listen(netip.MustParseAddrPort("0.0.0.0:2121"), false)
	h.dial(Request{Server: netip.MustParseAddrPort("127.0.0.1:2121")})
	h.accept(four)
	h.dial(Request{Server: netip.MustParseAddrPort("[::1]:2121")})
	h.accept(six)
}

func TestAListenerCanBeOpenedAgainOverOldConnections(t *testing.T) {
	h := newHost(t)
	addr := netip.MustParseAddrPort("127.0.0.1:2121")
	l := h.listen(addr, false)
	client := h.dial(Request{Server: addr})
	h.accept(l).Close() // the end that closes first keeps the port in TIME_WAIT
	io.ReadAll(client)
	client.Close()
	l.Close()
	h.listen(addr, false)
}

func TestATransparentListenerTakesAForeignAddress(t *testing.T) {
	h := newHost(t)
	h.listen(netip.MustParseAddrPort("192.0.2.1:2121"), true)
	h.listen(netip.MustParseAddrPort("[2001:db8::1]:2121"), true)
}
