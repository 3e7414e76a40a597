package transparent

import (
	"io"
	"net"
	"net/netip"
	"testing"
	"time"
)

// edge is a client, a gateway and a server in a row. The gateway forwards
// nothing by itself.
type edge struct {
	client, gateway, server *host
}

// family holds what differs between IPv4 and IPv6.
type family struct {
	name                    string
	client, gateway, server netip.Addr
	listener                netip.Addr // the wildcard
	iptables, ip            string
}

var families = [...]family{
	{"IPv4", netip.MustParseAddr("198.18.0.10"), netip.MustParseAddr("198.18.0.1"), netip.MustParseAddr("198.18.1.20"),
		netip.IPv4Unspecified(), "iptables", "ip -4"},
	{"IPv6", netip.MustParseAddr("2001:db8:0:a::10"), netip.MustParseAddr("2001:db8:0:a::1"), netip.MustParseAddr("2001:db8:0:b::20"),
		netip.IPv6Unspecified(), "ip6tables", "ip -6"},
}

// ftp is the port that the server listens on, inner the gateway's.
const (
	ftp   = 21
	inner = 2121
)

func newEdge(t *testing.T) edge {
	t.Helper()
	e := edge{newHost(t), newHost(t), newHost(t)}
	e.client.wire("eth0", e.gateway, "clients")
	e.gateway.wire("servers", e.server, "eth0")
	e.client.run(`
		ip addr add 198.18.0.10/24 dev eth0
		ip addr add 2001:db8:0:a::10/64 dev eth0 nodad
		ip route add default via 198.18.0.1`)
	e.gateway.run(`
		ip addr add 198.18.0.1/24 dev clients
		ip addr add 2001:db8:0:a::1/64 dev clients nodad
		ip addr add 198.18.1.1/24 dev servers
		ip addr add 2001:db8:0:b::1/64 dev servers nodad`)
	e.server.run(`
		ip addr add 198.18.1.20/24 dev eth0
		ip addr add 2001:db8:0:b::20/64 dev eth0 nodad
		ip route add default via 198.18.1.1`)
	e.client.run("ip -6 route add default via 2001:db8:0:a::1")
	e.server.run("ip -6 route add default via 2001:db8:0:b::1")
	return e
}

// tproxy makes the gateway take over control connections (kernel
// Documentation/networking/tproxy.rst).
func (e edge) tproxy(f family) {
	e.gateway.run(f.iptables + " -w -t mangle -A PREROUTING -p tcp -m socket --transparent -j MARK --set-mark 1\n" +
		f.iptables + " -w -t mangle -A PREROUTING -i clients -p tcp --dport 21 -m mark ! --mark 1 -j TPROXY --on-port 2121 --tproxy-mark 1\n" +
		f.ip + " rule add fwmark 1 lookup 100\n" +
		f.ip + " route add local default dev lo table 100")
}

// redirect does the same by translating the destination.
func (e edge) redirect(f family) {
	e.gateway.run(f.iptables + " -w -t nat -A PREROUTING -i clients -p tcp --dport 21 -j REDIRECT --to-ports 2121")
}

// listen opens a listener on h that ends with the test.
func (h *host) listen(addr netip.AddrPort, transparent bool) *net.TCPListener {
	h.t.Helper()
	var l *net.TCPListener
	h.must(h.do(func() (err error) {
		l, err = Listen(h.t.Context(), addr, transparent)
		return err
	}))
	h.t.Cleanup(func() { l.Close() })
	return l
}

// dial opens a connection from h that ends with the test.
func (h *host) dial(r Request) *Conn {
	h.t.Helper()
	r.Timeout = patience
	var c *Conn
	h.must(h.do(func() (err error) {
		c, err = Dial(h.t.Context(), r)
		return err
	}))
	h.own(c)
	return c
}

// accept takes one connection from l.
func (h *host) accept(l *net.TCPListener) *Conn {
	h.t.Helper()
	l.SetDeadline(deadline())
	tcp, err := l.AcceptTCP()
	h.must(err)
	c, err := Made(tcp)
	h.must(err)
	h.own(c)
	return c
}

// own closes c with the test and bounds what it waits for.
func (h *host) own(c *Conn) {
	c.SetDeadline(deadline())
	h.t.Cleanup(func() { c.Close() })
}

// pair returns the two ends of a connection on the loopback interface of h.
func (h *host) pair() (dialed, accepted *Conn) {
	h.t.Helper()
	l := h.listen(netip.MustParseAddrPort("127.0.0.1:0"), false)
	dialed = h.dial(Request{Server: localAddr(l)})
	return dialed, h.accept(l)
}

func localAddr(l net.Listener) netip.AddrPort {
	return unmap(l.Addr().(*net.TCPAddr).AddrPort())
}

func near(c net.Conn) netip.AddrPort { return unmap(c.LocalAddr().(*net.TCPAddr).AddrPort()) }

func far(c net.Conn) netip.AddrPort { return unmap(c.RemoteAddr().(*net.TCPAddr).AddrPort()) }

// patience is how long a test waits for what must come.
const patience = 10 * time.Second

func deadline() time.Time { return time.Now().Add(patience) }

// expectText writes text to one end and reads it at another.
func expectText(t *testing.T, from, to net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(from, text); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len(text))
	if _, err := io.ReadFull(to, got); err != nil || string(got) != text {
		t.Fatalf("got %q, %v; want %q", got, err, text)
	}
}
