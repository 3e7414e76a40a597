package capture

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// The blocks of a pcapng file that matter here (draft-ietf-opsawg-pcapng
// section 4); every other one is passed over.
const (
	blockSection   = 0x0a0d0d0a
	blockInterface = 1
	blockPacket    = 2 // obsolete
	blockSimple    = 3
	blockEnhanced  = 6

	byteOrderMagic = 0x1a2b3c4d
)

// pcapng reads the packets of a pcapng file, of all its sections.
type pcapng struct {
	order      binary.ByteOrder
	interfaces []iface
	head       [28]byte
}

// maxInterfaces bounds the interfaces of a section.
const maxInterfaces = 1 << 16

func (p *pcapng) next(r *Reader) (Frame, error) {
	for {
		head := p.head[:8]
		r.begun = r.in.offset
		if err := r.in.full(head); err != nil {
			if errors.Is(err, io.ErrUnexpectedEOF) {
				return Frame{}, errCut
			}
			return Frame{}, err
		}
		if binary.BigEndian.Uint32(head) == blockSection {
			if err := p.section(r, head); err != nil {
				return Frame{}, fmt.Errorf("section header: %w", cut(err))
			}
			continue
		}
		if p.order == nil {
			return Frame{}, errors.New("there is no section header")
		}
		f, found, err := p.block(r, p.order.Uint32(head), p.order.Uint32(head[4:]))
		if err != nil || found {
			return f, err
		}
	}
}

// section reads the rest of a section header block: its byte order is that of
// everything behind it.
func (p *pcapng) section(r *Reader, head []byte) error {
	length := [4]byte(head[4:])
	magic := p.head[8:12]
	if err := r.in.full(magic); err != nil {
		return err
	}
	p.order = binary.LittleEndian
	if p.order.Uint32(magic) != byteOrderMagic {
		p.order = binary.BigEndian
	}
	if p.order.Uint32(magic) != byteOrderMagic {
		return errors.New("no byte-order magic")
	}
	total := p.order.Uint32(length[:])
	if total < 28 || total%4 != 0 {
		return fmt.Errorf("a block of %d bytes", total)
	}
	p.interfaces = nil
	return r.in.skip(int64(total) - 12)
}

// block reads the rest of a block behind type and length, and returns the
// packet in it, if found.
func (p *pcapng) block(r *Reader, kind, total uint32) (f Frame, found bool, err error) {
	if total < 12 || total%4 != 0 {
		return f, false, fmt.Errorf("a block of %d bytes", total)
	}
	body := total - 12
	switch kind {
	case blockInterface:
		return f, false, p.addInterface(r, body)
	case blockEnhanced, blockPacket:
		f, err = p.enhanced(r, kind, body)
	case blockSimple:
		f, err = p.simple(r, body)
	default:
		return f, false, r.in.skip(int64(body) + 4)
	}
	return f, true, cut(err)
}

func (p *pcapng) addInterface(r *Reader, body uint32) error {
	if body < 8 || body > maxFrame || len(p.interfaces) == maxInterfaces {
		return fmt.Errorf("interface %d: a description of %d bytes", len(p.interfaces), body)
	}
	b, err := r.packet(body)
	if err != nil {
		return err
	}
	p.interfaces = append(p.interfaces, newInterface(p.order, b))
	return r.in.skip(4)
}

// enhanced reads the body of an enhanced packet block, or of the packet block
// that came before it and differs in the width of two fields.
func (p *pcapng) enhanced(r *Reader, kind, body uint32) (Frame, error) {
	if body < 20 {
		return Frame{}, fmt.Errorf("a packet block of %d bytes", body)
	}
	head := p.head[8:28]
	if err := r.in.full(head); err != nil {
		return Frame{}, cut(err)
	}
	number := p.order.Uint32(head)
	if kind == blockPacket {
		number = uint32(p.order.Uint16(head))
	}
	i, err := p.at(number)
	if err != nil {
		return Frame{}, err
	}
	captured := p.order.Uint32(head[12:])
	if captured > body-20 {
		return Frame{}, fmt.Errorf("%d bytes of a packet in a block of %d", captured, body)
	}
	data, err := r.packet(captured)
	if err != nil {
		return Frame{}, err
	}
	count := uint64(p.order.Uint32(head[4:]))<<32 | uint64(p.order.Uint32(head[8:]))
	return Frame{
		Time: i.time(count), Link: i.link, Data: data, Length: length(p.order.Uint32(head[16:]), data),
	}, r.in.skip(int64(body-20-captured) + 4)
}

// simple reads the body of a simple packet block: a packet of the section's
// first interface, without a time.
func (p *pcapng) simple(r *Reader, body uint32) (Frame, error) {
	if body < 4 {
		return Frame{}, fmt.Errorf("a packet block of %d bytes", body)
	}
	head := p.head[8:12]
	if err := r.in.full(head); err != nil {
		return Frame{}, cut(err)
	}
	i, err := p.at(0)
	if err != nil {
		return Frame{}, err
	}
	said := p.order.Uint32(head)
	captured := min(said, body-4)
	if i.snap > 0 {
		captured = min(captured, i.snap)
	}
	data, err := r.packet(captured)
	if err != nil {
		return Frame{}, err
	}
	return Frame{Link: i.link, Data: data, Length: length(said, data)}, r.in.skip(int64(body-4-captured) + 4)
}

func (p *pcapng) at(number uint32) (*iface, error) {
	if int64(number) >= int64(len(p.interfaces)) {
		return nil, fmt.Errorf("a packet of interface %d, where %d are described", number, len(p.interfaces))
	}
	return &p.interfaces[number], nil
}
