package capture

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

// decoder takes frames apart. Gopacket's decoders do it, one layer after the
// other; the decoder is the builder that they report to, which stops at the
// first TCP segment or ICMP message.
type decoder struct {
	fragments fragments

	frame Frame
	last  gopacket.Layer
	depth int
	// src, dst and proto are those of the innermost IP header; length is that
	// of its payload as the header has it, held what was recorded of that.
	src, dst     netip.Addr
	length, held int
	found        any // segment or unreachable
}

// maxDepth bounds the layers of one frame.
const maxDepth = 24

var (
	errLink  = errors.New("a link type that cannot be decoded")
	errDepth = errors.New("too many layers")
)

// decode returns the segment or the unreachable in a frame, nil if there is
// none. What it returns aliases the frame. Whatever is in the frame, it
// returns.
func (d *decoder) decode(f Frame) (found any, err error) {
	*d = decoder{fragments: d.fragments, frame: f}
	defer func() {
		// Gopacket's own packets recover too: its decoders trust lengths.
		if r := recover(); r != nil {
			found, err = nil, fmt.Errorf("decode: %v", r)
		}
	}()
	err = d.link(f.Link, f.Data)
	return d.found, err
}

// AddLayer implements gopacket.PacketBuilder.
func (d *decoder) AddLayer(l gopacket.Layer) {
	d.last = l
	switch l := l.(type) {
	case *layers.IPv4:
		d.network(l.SrcIP, l.DstIP, int(l.Length)-len(l.Contents), len(l.Payload))
	case *layers.IPv6:
		d.network(l.SrcIP, l.DstIP, int(l.Length), len(l.Payload))
		if l.Length == 0 || l.HopByHop != nil {
			// A jumbogram, or a header that gopacket has taken off already.
			d.length = len(l.Payload)
		}
	case *layers.TCP:
		d.tcp(l)
	}
}

// network notes the addresses of an IP header.
func (d *decoder) network(src, dst []byte, length, held int) {
	d.src, _ = netip.AddrFromSlice(src)
	d.dst, _ = netip.AddrFromSlice(dst)
	d.src, d.dst = d.src.Unmap(), d.dst.Unmap()
	d.length, d.held = max(length, held), held
}

// tcp notes a segment. Options that cannot be read do not matter here.
func (d *decoder) tcp(l *layers.TCP) {
	header := int(l.DataOffset) * 4
	if len(l.Contents) < 20 || header < 20 || !d.src.IsValid() {
		return
	}
	// What was taken off between the IP header and this one counts no more.
	length := d.length - (d.held - len(l.Contents) - len(l.Payload)) - header
	var f flags
	for i, set := range [...]bool{l.FIN, l.SYN, l.RST, l.PSH, l.ACK} {
		if set {
			f |= 1 << i
		}
	}
	d.found = segment{
		frame: d.frame.Number, time: d.frame.Time,
		src: netip.AddrPortFrom(d.src, uint16(l.SrcPort)), dst: netip.AddrPortFrom(d.dst, uint16(l.DstPort)),
		seq: l.Seq, ack: l.Ack, flags: f,
		payload: l.Payload, missing: max(0, length-len(l.Payload)),
	}
}

// NextDecoder implements gopacket.PacketBuilder.
func (d *decoder) NextDecoder(next gopacket.Decoder) error {
	if d.found != nil || d.last == nil {
		return nil
	}
	payload := d.last.LayerPayload()
	if len(payload) == 0 {
		return nil
	}
	if d.depth++; d.depth > maxDepth {
		return errDepth
	}
	switch l := d.last.(type) {
	case *layers.IPv4:
		if l.Flags&layers.IPv4MoreFragments != 0 || l.FragOffset != 0 {
			return d.fragment(fragment{
				key:    datagram{d.src, d.dst, uint32(l.Id), l.Protocol},
				offset: int(l.FragOffset) * 8, more: l.Flags&layers.IPv4MoreFragments != 0, data: payload,
			})
		}
	case *layers.IPv6Fragment:
		return d.fragment(fragment{
			key:    datagram{d.src, d.dst, l.Identification, l.NextHeader},
			offset: int(l.FragmentOffset) * 8, more: l.MoreFragments, data: payload,
		})
	case *layers.ICMPv4:
		d.icmpv4(l, payload)
		return nil
	case *layers.ICMPv6:
		d.icmpv6(l, payload)
		return nil
	}
	return d.dispatch(next, payload)
}

// dispatch has the payload decoded, by our own decoder where gopacket's has
// none or a poor one.
func (d *decoder) dispatch(next gopacket.Decoder, payload []byte) error {
	switch t := next.(type) {
	case layers.EthernetType:
		switch t {
		case layers.EthernetTypePPPoESession:
			return d.pppoe(payload)
		case 0x9100, 0x9200: // tags of the time before IEEE 802.1ad
			return layers.EthernetTypeDot1Q.Decode(payload, d)
		}
	case layers.IPProtocol:
		if t == layers.IPProtocolUDP {
			return d.udp(payload)
		}
	case gopacket.LayerType:
		if t == layers.LayerTypeUDP {
			return d.udp(payload)
		}
	}
	return next.Decode(payload, d)
}

// udp looks into the tunnels that run over UDP, and at no other datagram.
func (d *decoder) udp(payload []byte) error {
	u := &layers.UDP{}
	if err := u.DecodeFromBytes(payload, d); err != nil {
		return err
	}
	switch next := u.NextLayerType(); next {
	case layers.LayerTypeVXLAN, layers.LayerTypeGeneve, layers.LayerTypeGTPv1U:
		d.last = u
		return next.Decode(u.Payload, d)
	}
	return nil
}

// fragment adds a fragment, and goes on with the datagram if it is whole.
func (d *decoder) fragment(f fragment) error {
	whole := d.fragments.add(f, d.frame.Time)
	if whole == nil {
		return nil
	}
	d.length, d.held = len(whole), len(whole)
	d.last = nil
	d.depth++
	return d.dispatch(f.key.proto, whole)
}

// The rest of gopacket.PacketBuilder asks for what is not needed here.

func (d *decoder) SetLinkLayer(gopacket.LinkLayer)               {}
func (d *decoder) SetNetworkLayer(gopacket.NetworkLayer)         {}
func (d *decoder) SetTransportLayer(gopacket.TransportLayer)     {}
func (d *decoder) SetApplicationLayer(gopacket.ApplicationLayer) {}
func (d *decoder) SetErrorLayer(gopacket.ErrorLayer)             {}
func (d *decoder) SetTruncated()                                 {}
func (d *decoder) DumpPacketData()                               {}
func (d *decoder) DecodeOptions() *gopacket.DecodeOptions        { return &gopacket.NoCopy }
