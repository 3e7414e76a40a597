package capture

import (
	"context"
	"fmt"
	"io"
	"os"
	"reflect"
	"strings"
	"syscall"
	"time"

	"github.com/google/gopacket/pcapgo"
)

// Live reads the packets that pass an interface.
type Live struct {
	ctx    context.Context
	handle *pcapgo.EthernetHandle
	name   string
	link   LinkType
	frames uint64
}

const (
	// liveSnap is the most bytes taken of a packet: offloading joins segments
	// to nearly 64 KB.
	liveSnap = 1 << 17
	// liveBuffer is what the kernel holds for us, in bytes; its default is
	// three such packets.
	liveBuffer = 16 << 20
)

// OpenLive opens an interface, which needs CAP_NET_RAW, until ctx ends.
func OpenLive(ctx context.Context, name string) (*Live, error) {
	h, err := pcapgo.NewEthernetHandle(name)
	if err != nil {
		return nil, fmt.Errorf("open interface %s: %w", name, err)
	}
	if err := tune(h); err != nil {
		h.Close()
		return nil, fmt.Errorf("open interface %s: %w", name, err)
	}
	return &Live{ctx: ctx, handle: h, name: name, link: linkOf(name)}, nil
}

// tune sets what the handle has no function for: a buffer that bears a burst,
// and an end of waiting, so that the end of a context is noticed.
func tune(h *pcapgo.EthernetHandle) error {
	fd := int(reflect.ValueOf(h).Elem().FieldByName("fd").Int())
	if syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_RCVBUFFORCE, liveBuffer) != nil {
		// Without CAP_NET_ADMIN as much as net.core.rmem_max allows.
		if err := syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_RCVBUF, liveBuffer); err != nil {
			return err
		}
	}
	wait := syscall.Timeval{Usec: 200_000}
	if err := syscall.SetsockoptTimeval(fd, syscall.SOL_SOCKET, syscall.SO_RCVTIMEO, &wait); err != nil {
		return err
	}
	return h.SetCaptureLength(liveSnap)
}

// Next returns the next packet; io.EOF once the context has ended. While none
// passes it returns a Frame with no Number, which only tells the time.
func (l *Live) Next() (Frame, error) {
	if l.ctx.Err() == nil {
		data, info, err := l.handle.ZeroCopyReadPacketData()
		switch {
		case err == nil:
			l.frames++
			return Frame{
				Number: l.frames, Time: info.Timestamp, Link: l.link,
				Data: data[:len(data):len(data)], Length: info.Length,
			}, nil
		case isTimeout(err):
			return Frame{Time: time.Now()}, nil
		default:
			return Frame{}, fmt.Errorf("read from interface %s: %w", l.name, err)
		}
	}
	return Frame{}, io.EOF
}

// isTimeout reports whether nothing passed for a while. The handle's errors
// carry the kernel's only as text.
func isTimeout(err error) bool {
	return strings.HasSuffix(err.Error(), syscall.EAGAIN.Error()) || strings.HasSuffix(err.Error(), syscall.EINTR.Error())
}

// Dropped returns how many packets the kernel had no room for since it was
// last asked.
func (l *Live) Dropped() uint64 {
	s, err := l.handle.Stats()
	if err != nil {
		return 0
	}
	return uint64(s.Drops)
}

// Close closes the interface.
func (l *Live) Close() { l.handle.Close() }

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
