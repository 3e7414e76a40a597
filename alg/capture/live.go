package capture

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/google/gopacket/pcapgo"
)

// Live reads the packets that pass an interface.
type Live struct {
	handle *pcapgo.EthernetHandle
	name   string
	link   LinkType
	frames chan Frame
	failed error
	ctx    context.Context
}

// liveSnap is the most bytes taken of a packet: offloading joins segments to
// nearly 64 KB.
const liveSnap = 1 << 17

// OpenLive opens an interface, which needs CAP_NET_RAW, until ctx ends. The
// handle cannot be interrupted while it waits for a packet, so the goroutine
// that reads from it ends with the first packet behind ctx's end.
func OpenLive(ctx context.Context, name string) (*Live, error) {
	h, err := pcapgo.NewEthernetHandle(name)
	if err != nil {
		return nil, fmt.Errorf("open interface %s: %w", name, err)
	}
	if err := h.SetCaptureLength(liveSnap); err != nil {
		h.Close()
		return nil, fmt.Errorf("open interface %s: %w", name, err)
	}
	l := &Live{handle: h, name: name, link: linkOf(name), frames: make(chan Frame, 1024), ctx: ctx}
	go l.read()
	return l, nil
}

// read passes packets on until there are no more.
func (l *Live) read() {
	defer l.handle.Close()
	defer close(l.frames)
	for number := uint64(1); ; number++ {
		data, info, err := l.handle.ReadPacketData()
		if err != nil {
			l.failed = fmt.Errorf("read from interface %s: %w", l.name, err)
			return
		}
		f := Frame{Number: number, Time: info.Timestamp, Link: l.link, Data: data[:len(data):len(data)], Length: info.Length}
		select {
		case l.frames <- f:
		case <-l.ctx.Done():
			return
		}
	}
}

// Next returns the next packet; io.EOF once the context has ended.
func (l *Live) Next() (Frame, error) {
	select {
	case f, ok := <-l.frames:
		if !ok && l.failed != nil {
			return Frame{}, l.failed
		}
		if ok {
			return f, nil
		}
	case <-l.ctx.Done():
	}
	return Frame{}, io.EOF
}

// linkOf returns the link type of what a packet socket reads from an
// interface: tunnels and the like have no link layer (ARPHRD_* in
// linux/if_arp.h).
func linkOf(name string) LinkType {
	text, err := os.ReadFile("/sys/class/net/" + name + "/type")
	if err != nil {
		return linkEthernet
	}
	switch strings.TrimSpace(string(text)) {
	case "512", "768", "769", "776", "778", "823", "65534": // PPP, IPIP, IP6IP6, SIT, GRE, GRE over IPv6, none
		return linkRaw
	}
	return linkEthernet
}
