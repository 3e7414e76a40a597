// Package capturetest writes captures for tests: TCP connections packet by
// packet, in every link type and file format that a capture can have.
package capturetest

import (
	"net"
	"net/netip"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

// Packet is one IP packet and when it passed.
type Packet struct {
	Time time.Time
	Data []byte
}

// Tape is a capture that is being made.
type Tape struct {
	Packets []Packet
	now     time.Time
	id      uint16
}

// Begin is when the first packet of a Tape passes.
var Begin = time.Date(2024, 5, 1, 12, 0, 0, 0, time.UTC)

// step is the time between two packets.
const step = 5 * time.Millisecond

// NewTape returns an empty Tape.
func NewTape() *Tape { return &Tape{now: Begin} }

// Pause lets time pass.
func (t *Tape) Pause(d time.Duration) { t.now = t.now.Add(d) }

// Add records a packet and returns its frame number.
func (t *Tape) Add(data []byte) int {
	t.Packets = append(t.Packets, Packet{t.now, data})
	t.now = t.now.Add(step)
	return len(t.Packets)
}

// Segment is one TCP segment.
type Segment struct {
	From, To                netip.AddrPort
	Seq, Ack                uint32
	SYN, ACK, FIN, RST, URG bool
	Payload                 []byte
}

// Segment returns a segment as an IP packet.
func (t *Tape) Segment(s Segment) []byte {
	t.id++
	tcp := &layers.TCP{
		SrcPort: layers.TCPPort(s.From.Port()), DstPort: layers.TCPPort(s.To.Port()), Seq: s.Seq, Ack: s.Ack,
		SYN: s.SYN, ACK: s.ACK, FIN: s.FIN, RST: s.RST, URG: s.URG, Window: 65000,
	}
	if s.URG {
		tcp.Urgent = uint16(len(s.Payload))
	}
	return t.packet(s.From.Addr(), s.To.Addr(), layers.IPProtocolTCP, tcp, gopacket.Payload(s.Payload))
}

// packet returns a transport header and its payload behind an IP header.
func (t *Tape) packet(from, to netip.Addr, p layers.IPProtocol, transport gopacket.SerializableLayer, rest ...gopacket.SerializableLayer) []byte {
	ip := ipHeader(from, to, p, t.id)
	if c, ok := transport.(interface {
		SetNetworkLayerForChecksum(gopacket.NetworkLayer) error
	}); ok {
		must(c.SetNetworkLayerForChecksum(ip.(gopacket.NetworkLayer)))
	}
	return serialize(append([]gopacket.SerializableLayer{ip, transport}, rest...)...)
}

func ipHeader(from, to netip.Addr, p layers.IPProtocol, id uint16) gopacket.SerializableLayer {
	if from.Is4() {
		return &layers.IPv4{
			Version: 4, TTL: 64, Id: id, Protocol: p, SrcIP: net.IP(from.AsSlice()), DstIP: net.IP(to.AsSlice()),
		}
	}
	return &layers.IPv6{
		Version: 6, HopLimit: 64, NextHeader: p, SrcIP: net.IP(from.AsSlice()), DstIP: net.IP(to.AsSlice()),
	}
}

// serialize joins layers, with their lengths and checksums put right.
func serialize(all ...gopacket.SerializableLayer) []byte {
	b := gopacket.NewSerializeBuffer()
	must(gopacket.SerializeLayers(b, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, all...))
	return append([]byte(nil), b.Bytes()...)
}

// must stops a test that asks for a packet which cannot be.
func must(err error) {
	if err != nil {
		panic(err)
	}
}
