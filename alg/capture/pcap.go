package capture

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"
)

// The magic numbers of pcap files (draft-ietf-opsawg-pcap section 4), and of
// one with longer packet headers that some systems wrote.
const (
	magicMicro    = 0xa1b2c3d4
	magicNano     = 0xa1b23c4d
	magicModified = 0xa1b2cd34
)

// pcap reads the packets of a pcap file.
type pcap struct {
	order binary.ByteOrder
	unit  time.Duration
	link  LinkType
	// header is the length of a packet's header, in bytes.
	header int
	head   [24]byte
}

// newPcap reads a file's header, whose first four bytes are magic.
func newPcap(in *counter, magic []byte) (*pcap, error) {
	p := &pcap{order: binary.LittleEndian, unit: time.Microsecond, header: 16}
	number := p.order.Uint32(magic)
	if number&0xff == 0xa1 {
		p.order = binary.BigEndian
		number = p.order.Uint32(magic)
	}
	switch number {
	case magicMicro:
	case magicNano:
		p.unit = time.Nanosecond
	case magicModified:
		p.header = 24
	default:
		return nil, ErrFormat
	}
	head := make([]byte, 24)
	if err := in.full(head); err != nil {
		return nil, fmt.Errorf("%w: the header of the file is cut short", ErrFormat)
	}
	// The upper bits tell of frame check sequences, which are behind the IP
	// packet and in nobody's way.
	p.link = LinkType(p.order.Uint32(head[20:]))
	return p, nil
}

func (p *pcap) next(r *Reader) (Frame, error) {
	head := p.head[:p.header]
	if err := r.in.full(head); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return Frame{}, errCut
		}
		return Frame{}, err
	}
	data, err := r.packet(p.order.Uint32(head[8:]))
	if err != nil {
		return Frame{}, err
	}
	fraction := time.Duration(p.order.Uint32(head[4:])) * p.unit
	return Frame{
		Time: time.Unix(int64(p.order.Uint32(head)), 0).Add(fraction),
		Link: p.link, Data: data, Length: length(p.order.Uint32(head[12:]), data),
	}, nil
}

// length returns the length that a packet had on the wire: at least what was
// recorded of it.
func length(said uint32, data []byte) int { return max(int(min(said, maxFrame)), len(data)) }
