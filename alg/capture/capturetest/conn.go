package capturetest

import (
	"net/netip"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

// Conn is one TCP connection on a Tape.
type Conn struct {
	tape           *Tape
	Client, Server netip.AddrPort
	// next are the sequence numbers that client and server send next.
	next [2]uint32
}

// Conn returns a connection of which nothing has passed yet. The first
// sequence numbers are near their end, so that they wrap around.
func (t *Tape) Conn(client, server string) *Conn {
	return &Conn{
		tape: t, Client: netip.MustParseAddrPort(client), Server: netip.MustParseAddrPort(server),
		next: [2]uint32{0xffffff00, 0xfffffff0},
	}
}

// Begin sets the first sequence numbers.
func (c *Conn) Begin(client, server uint32) *Conn {
	c.next = [2]uint32{client, server}
	return c
}

// Make returns the next segment of a side, which it takes as sent: the server's
// if server, else the client's. Nothing is recorded.
func (c *Conn) Make(server bool, text string) Segment {
	s := Segment{From: c.Client, To: c.Server, Seq: c.next[0], Ack: c.next[1], ACK: true, Payload: []byte(text)}
	side := 0
	if server {
		s.From, s.To, s.Seq, s.Ack, side = c.Server, c.Client, c.next[1], c.next[0], 1
	}
	c.next[side] += uint32(len(text))
	return s
}

// Record records a segment and returns its frame number.
func (c *Conn) Record(s Segment) int { return c.tape.Add(c.tape.Segment(s)) }

// SYN sends the client's first segment. Sent again, it is the same.
func (c *Conn) SYN() int {
	s := c.Make(false, "")
	s.SYN, s.ACK, s.Ack = true, false, 0
	return c.Record(s)
}

// Opening returns the SYN and the SYN ACK, which it takes as sent.
func (c *Conn) Opening() (syn, synACK Segment) {
	syn = c.Make(false, "")
	syn.SYN, syn.ACK, syn.Ack = true, false, 0
	c.next[0]++
	synACK = c.Make(true, "")
	synACK.SYN = true
	c.next[1]++
	return syn, synACK
}

// Open passes the three segments that open the connection.
func (c *Conn) Open() *Conn {
	syn, synACK := c.Opening()
	c.Record(syn)
	c.Record(synACK)
	c.Record(c.Make(false, ""))
	return c
}

// ClientSays has the client say text, in one segment; it returns its frame number.
func (c *Conn) ClientSays(text string) int { return c.Record(c.Make(false, text)) }

// ServerSays has the server say text, in one segment; it returns its frame number.
func (c *Conn) ServerSays(text string) int { return c.Record(c.Make(true, text)) }

// Refuse has the server answer the SYN with a RST.
func (c *Conn) Refuse() int {
	s := c.Make(true, "")
	s.RST, s.Seq, s.Ack = true, 0, c.next[0]+1
	return c.Record(s)
}

// Reset has a side break the connection off.
func (c *Conn) Reset(server bool) int {
	s := c.Make(server, "")
	s.RST = true
	return c.Record(s)
}

// Close passes the segments of an orderly end, the server's first.
func (c *Conn) Close() {
	for side, server := range []bool{1: false, 0: true} {
		s := c.Make(server, "")
		s.FIN = true
		c.Record(s)
		c.next[1-side]++
	}
	c.Record(c.Make(true, ""))
}

// Unreachable has a router say that the connection's first segment is
// prohibited.
func (c *Conn) Unreachable(router string) int {
	s := c.Make(false, "")
	s.SYN, s.ACK = true, false
	quoted := gopacket.Payload(c.tape.Segment(s))
	from := netip.MustParseAddr(router)
	if from.Is4() {
		code := layers.CreateICMPv4TypeCode(layers.ICMPv4TypeDestinationUnreachable, layers.ICMPv4CodeCommAdminProhibited)
		return c.tape.Add(c.tape.packet(from, c.Client.Addr(), layers.IPProtocolICMPv4, &layers.ICMPv4{TypeCode: code}, quoted))
	}
	code := layers.CreateICMPv6TypeCode(layers.ICMPv6TypeDestinationUnreachable, layers.ICMPv6CodeAdminProhibited)
	return c.tape.Add(c.tape.packet(from, c.Client.Addr(), layers.IPProtocolICMPv6, &layers.ICMPv6{TypeCode: code},
		gopacket.Payload{0, 0, 0, 0}, quoted))
}
