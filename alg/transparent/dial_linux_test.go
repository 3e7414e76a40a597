package transparent

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestTPROXYJoinsClientAndServerUnderTheirOwnAddresses(t *testing.T) {
	for _, f := range families {
		t.Run(f.name, func(t *testing.T) {
			e := newEdge(t)
			e.tproxy(f)
			server := netip.AddrPortFrom(f.server, ftp)
			atServer := e.server.listen(server, false)
			atGateway := e.gateway.listen(netip.AddrPortFrom(f.listener, inner), true)

			client := e.client.dial(Request{Server: server})
			inward := e.gateway.accept(atGateway)
			if near(inward) != server || far(inward) != near(client) {
				t.Fatalf("gateway accepted %s -> %s, want %s -> %s", far(inward), near(inward), near(client), server)
			}
			outward := e.gateway.dial(Request{
				Server: near(inward), Source: far(inward).Addr(), Foreign: true, Avoid: []uint16{far(inward).Port()},
			})
			served := e.server.accept(atServer)
			if got := far(served); got.Addr() != f.client || got.Port() == near(client).Port() {
				t.Errorf("server sees %s, want address %s and not port %d", got, f.client, near(client).Port())
			}
			expectText(t, client, inward, "USER x\r\n")
			expectText(t, outward, served, "USER x\r\n")
			expectText(t, served, outward, "331 go on\r\n")
			expectText(t, inward, client, "331 go on\r\n")
		})
	}
}

func TestDialGivesUpInTime(t *testing.T) {
	h := newHost(t)
	h.run("iptables -w -A INPUT -p tcp -j DROP")
	server := netip.MustParseAddrPort("127.0.0.1:21")
	giveUp := func(t *testing.T, ctx context.Context, timeout time.Duration) {
		t.Helper()
		err := h.do(func() error {
			_, err := Dial(ctx, Request{Server: server, Timeout: timeout})
			return err
		})
		if want := "dial 127.0.0.1:21: context deadline exceeded"; !errors.Is(err, context.DeadlineExceeded) || err.Error() != want {
			t.Fatalf("got error  %v\nwant %s", err, want)
		}
	}
	const often = 100 // several timers could be the first to say so
	t.Run("of the request", func(t *testing.T) {
		for range often {
			giveUp(t, t.Context(), time.Millisecond)
		}
	})
	t.Run("of the context", func(t *testing.T) {
		for range often {
			ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
			giveUp(t, ctx, 0)
			cancel()
		}
	})
}

func TestDialAvoidsPorts(t *testing.T) {
	h := newHost(t)
	h.must(h.do(func() error {
		return os.WriteFile("/proc/sys/net/ipv4/ip_local_port_range", []byte("40000 40007"), 0)
	}))
	l := h.listen(netip.MustParseAddrPort("127.0.0.1:21"), false)
	source := netip.MustParseAddr("127.0.0.2")
	request := Request{Server: localAddr(l), Source: source, Avoid: []uint16{40000, 40001, 40002, 40003, 40005, 40006, 40007}}

	only := h.dial(request)
	if got := near(only); got != netip.AddrPortFrom(source, 40004) {
		t.Errorf("dialed from %s, want the one port that is left, 40004", got)
	}
	err := h.do(func() error {
		_, err := Dial(t.Context(), request)
		return err
	})
	if !errors.Is(err, unix.EADDRINUSE) && !errors.Is(err, errAvoided) {
		t.Errorf("dialed with every port in use or avoided: error %v", err)
	}
	request.Avoid = nil
	h.dial(request) // what was held is free again
}
