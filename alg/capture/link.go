package capture

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/google/gopacket/layers"
)

// The link types that gopacket does not know, or whose frames it cannot read
// in all their forms (https://www.tcpdump.org/linktypes.html).
const (
	linkNull      LinkType = 0
	linkEthernet  LinkType = 1
	linkRawBSD    LinkType = 12
	linkRawOther  LinkType = 14
	linkPPPHDLC   LinkType = 50
	linkPPPoE     LinkType = 51
	linkRaw       LinkType = 101
	linkCiscoHDLC LinkType = 104
	linkDot11     LinkType = 105
	linkLoop      LinkType = 108
	linkSLL       LinkType = 113
	linkPPI       LinkType = 192
	linkIPv4      LinkType = 228
	linkIPv6      LinkType = 229
	linkNFLOG     LinkType = 239
	linkSLL2      LinkType = 276
)

var errShort = errors.New("shorter than its header")

// link decodes a frame of a link type.
func (d *decoder) link(t LinkType, b []byte) error {
	switch t {
	case linkRawBSD, linkRawOther, linkRaw, linkIPv4, linkIPv6:
		return d.ip(b)
	case linkNull, linkLoop:
		return d.behind(b, 4, d.ip)
	case linkPPPHDLC:
		return d.behind(b, 0, layersPPP(d))
	case linkPPPoE:
		return d.pppoe(b)
	case linkCiscoHDLC:
		return d.typed(b, 2, 4)
	case linkSLL:
		return d.typed(b, 14, 16)
	case linkSLL2:
		return d.typed(b, 0, 20)
	case linkPPI:
		return d.ppi(b)
	case linkNFLOG:
		return d.nflog(b)
	case linkDot11:
		// Gopacket takes the last four bytes for a check sequence, which many
		// captures lack. Where they have it, the IP header tells its own length.
		return layers.LinkTypeIEEE802_11.Decode(append(b, 0, 0, 0, 0), d)
	}
	if t > 255 {
		return fmt.Errorf("%w: %d", errLink, t)
	}
	if _, known := knownLink[layers.LinkType(t)]; !known {
		return fmt.Errorf("%w: %d", errLink, t)
	}
	if len(b) == 0 {
		return errShort
	}
	return layers.LinkType(t).Decode(b, d)
}

// knownLink holds the link types that gopacket itself decodes.
var knownLink = map[layers.LinkType]struct{}{
	layers.LinkTypeEthernet: {}, layers.LinkTypePPP: {}, layers.LinkTypeFDDI: {}, layers.LinkTypePFLog: {},
	layers.LinkTypeIEEE80211Radio: {}, layers.LinkTypePrismHeader: {}, layers.LinkTypeLinuxUSB: {},
}

// behind decodes what follows a header of n bytes.
func (d *decoder) behind(b []byte, n int, next func([]byte) error) error {
	if len(b) <= n {
		return errShort
	}
	return next(b[n:])
}

// layersPPP returns gopacket's decoder of PPP.
func layersPPP(d *decoder) func([]byte) error {
	return func(b []byte) error {
		if len(b) < 4 {
			return errShort
		}
		return layers.LinkTypePPP.Decode(b, d)
	}
}

// ip decodes a packet whose version is in its first four bits.
func (d *decoder) ip(b []byte) error {
	if len(b) == 0 {
		return errShort
	}
	switch b[0] >> 4 {
	case 4:
		return layers.LayerTypeIPv4.Decode(b, d)
	case 6:
		return layers.LayerTypeIPv6.Decode(b, d)
	}
	return fmt.Errorf("IP version %d", b[0]>>4)
}

// typed decodes what follows a header of n bytes that has an EtherType at an
// offset.
func (d *decoder) typed(b []byte, at, n int) error {
	if len(b) <= n {
		return errShort
	}
	d.last = &payload{data: b[n:]}
	return d.NextDecoder(layers.EthernetType(binary.BigEndian.Uint16(b[at:])))
}

// pppoe decodes a PPPoE session packet (RFC 2516 section 4), as much of it as
// was recorded.
func (d *decoder) pppoe(b []byte) error {
	const header = 6
	if len(b) <= header || b[1] != 0 {
		return errShort
	}
	length := min(int(binary.BigEndian.Uint16(b[4:])), len(b)-header)
	return layersPPP(d)(b[header : header+length : header+length])
}

// ppi decodes a frame with per-packet information in front, whose header names
// another link type.
func (d *decoder) ppi(b []byte) error {
	if len(b) < 8 {
		return errShort
	}
	inner := binary.LittleEndian.Uint32(b[4:])
	if LinkType(inner) == linkPPI {
		return errDepth
	}
	return d.behind(b, int(binary.LittleEndian.Uint16(b[2:])), func(b []byte) error {
		return d.link(LinkType(inner), b)
	})
}

// nflog decodes what iptables' NFLOG recorded: attributes, one of which is the
// packet. Their lengths are in the byte order of the machine that wrote them.
func (d *decoder) nflog(b []byte) error {
	const payload = 9 // NFULA_PAYLOAD in linux/netfilter/nfnetlink_log.h
	if len(b) < 4 {
		return errShort
	}
	for b = b[4:]; len(b) >= 4; {
		length, kind := int(binary.LittleEndian.Uint16(b)), binary.LittleEndian.Uint16(b[2:])&0x7fff
		if length < 4 || length > len(b) {
			length, kind = int(binary.BigEndian.Uint16(b)), binary.BigEndian.Uint16(b[2:])&0x7fff
		}
		if length < 4 || length > len(b) {
			return errShort
		}
		if kind == payload {
			return d.ip(b[4:length:length])
		}
		b = b[min((length+3)&^3, len(b)):]
	}
	return errShort
}
