package capturetest

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
)

// Format is how a capture file is written.
type Format struct {
	Name  string
	Write func(packets []Packet, l Link, snap int) []byte
}

// Formats lists the file formats.
var Formats = []Format{
	{"pcap", func(p []Packet, l Link, snap int) []byte {
		return pcap(p, l, snap, binary.LittleEndian, 0xa1b2c3d4, 1000)
	}},
	{"pcap, big-endian", func(p []Packet, l Link, snap int) []byte {
		return pcap(p, l, snap, binary.BigEndian, 0xa1b2c3d4, 1000)
	}},
	{"pcap, ns", func(p []Packet, l Link, snap int) []byte { return pcap(p, l, snap, binary.LittleEndian, 0xa1b23c4d, 1) }},
	{"pcap, ns, big-endian", func(p []Packet, l Link, snap int) []byte {
		return pcap(p, l, snap, binary.BigEndian, 0xa1b23c4d, 1)
	}},
	{"pcapng", func(p []Packet, l Link, snap int) []byte { return section(p, l, snap, binary.LittleEndian) }},
	{"pcapng, big-endian", func(p []Packet, l Link, snap int) []byte { return section(p, l, snap, binary.BigEndian) }},
	{"pcapng, two sections", func(p []Packet, l Link, snap int) []byte {
		half := len(p) / 2
		return append(section(p[:half], l, snap, binary.LittleEndian), section(p[half:], l, snap, binary.BigEndian)...)
	}},
	{"pcap, gzip", func(p []Packet, l Link, snap int) []byte { return Gzip(Pcap(p, l, snap)) }},
}

// Pcap writes packets as a little-endian pcap file with microseconds, cut to
// snap bytes of each frame; 0 cuts nothing.
func Pcap(packets []Packet, l Link, snap int) []byte {
	return pcap(packets, l, snap, binary.LittleEndian, 0xa1b2c3d4, 1000)
}

// Gzip packs a file.
func Gzip(file []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write(file)
	must(err)
	must(w.Close())
	return b.Bytes()
}

func pcap(packets []Packet, l Link, snap int, o binary.AppendByteOrder, magic uint32, unit int64) []byte {
	b := o.AppendUint32(nil, magic)
	b = o.AppendUint16(b, 2)
	b = o.AppendUint16(b, 4)
	for _, v := range []uint32{0, 0, snapOr(snap), uint32(l.Type)} {
		b = o.AppendUint32(b, v)
	}
	for _, p := range packets {
		frame := l.Frame(p.Data)
		kept := cut(frame, snap)
		b = o.AppendUint32(b, uint32(p.Time.Unix()))
		b = o.AppendUint32(b, uint32(int64(p.Time.Nanosecond())/unit))
		b = o.AppendUint32(b, uint32(len(kept)))
		b = o.AppendUint32(b, uint32(len(frame)))
		b = append(b, kept...)
	}
	return b
}

// section writes a pcapng section: two interfaces, of which the first is never
// used, a block that nobody knows, and the packets.
func section(packets []Packet, l Link, snap int, o binary.AppendByteOrder) []byte {
	head := o.AppendUint32(nil, 0x1a2b3c4d)
	head = o.AppendUint16(head, 1)
	head = o.AppendUint16(head, 0)
	head = o.AppendUint64(head, ^uint64(0))
	b := block(o, 0x0a0d0d0a, head)
	b = append(b, block(o, 1, iface(o, 147, 0, 6))...)
	b = append(b, block(o, 0x0bad, []byte("unknown"))...)
	b = append(b, block(o, 1, iface(o, l.Type, snapOr(snap), 9))...)
	for _, p := range packets {
		frame := l.Frame(p.Data)
		kept := cut(frame, snap)
		at := uint64(p.Time.UnixNano())
		body := o.AppendUint32(nil, 1)
		for _, v := range []uint32{uint32(at >> 32), uint32(at), uint32(len(kept)), uint32(len(frame))} {
			body = o.AppendUint32(body, v)
		}
		b = append(b, block(o, 6, append(body, kept...))...)
	}
	return b
}

// iface is the body of an interface description with a resolution.
func iface(o binary.AppendByteOrder, link uint16, snap uint32, resolution byte) []byte {
	b := o.AppendUint16(nil, link)
	b = o.AppendUint32(o.AppendUint16(b, 0), snap)
	b = o.AppendUint16(o.AppendUint16(b, 9), 1)
	b = append(b, resolution, 0, 0, 0)
	return o.AppendUint32(b, 0)
}

func block(o binary.AppendByteOrder, kind uint32, body []byte) []byte {
	for len(body)%4 != 0 {
		body = append(body, 0)
	}
	total := uint32(len(body) + 12)
	b := o.AppendUint32(o.AppendUint32(nil, kind), total)
	return o.AppendUint32(append(b, body...), total)
}

func cut(frame []byte, snap int) []byte {
	if snap > 0 && len(frame) > snap {
		return frame[:snap]
	}
	return frame
}

func snapOr(snap int) uint32 {
	if snap > 0 {
		return uint32(snap)
	}
	return 262144
}
