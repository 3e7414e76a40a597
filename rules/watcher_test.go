package rules

import (
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"ftpalg/alg/expect"
	"ftpalg/rules/ctnetlink"
	"ftpalg/rules/expectation"
	"ftpalg/rules/rule"
)

// following hands the events of connections on.
func following(o Options) (Options, <-chan Event) {
	events := make(chan Event, 1000)
	o.Connections = func(e Event) {
		if e.Kind != Carrying { // however long it takes
			events <- e
		}
	}
	return o, events
}

// followingEach is following with events of its own for each ten promises.
func followingEach(o Options, tens int) (Options, []chan Event) {
	events := make([]chan Event, tens)
	for i := range events {
		events[i] = make(chan Event, 1000)
	}
	o.Connections = func(e Event) {
		if e.Kind != Carrying {
			events[e.Pinhole.ID/10] <- e
		}
	}
	return o, events
}

func nextEvent(t *testing.T, events <-chan Event) Event {
	t.Helper()
	select {
	case e := <-events:
		return e
	case <-time.After(comes):
		t.Fatal("no event came")
		return Event{}
	}
}

// In both paths the use of a pinhole is told, and the end of its connection
// with what that carried.
func TestConnectionsAreFollowedToTheirEnd(t *testing.T) {
	const size = 100_000
	for _, path := range []Path{IPTables, Conntrack} {
		t.Run(path.String(), func(t *testing.T) {
			e := onKernel(t)
			write(t, "netfilter/nf_conntrack_acct", "1")
			o, events := following(Options{Path: path})
			m := startManager(t, o, Static{})
			for _, p := range passages() {
				connecting, listening := p.hosts(e)
				accepted := listen(t, listening, p.Target.String(), nil)
				mustOpen(t, m, p.Expectation)
				c := dial(t, connecting, p.from, p.Reached.String(), comes)
				if c == nil {
					t.Fatalf("%s: refused", p.name)
				}
				if got := nextEvent(t, events); got.Kind != Connected || got.Pinhole.ID != p.ID {
					t.Fatalf("%s: event %s of %d, want connected", p.name, got.Kind, got.Pinhole.ID)
				}
				eventually(t, "nothing stands in the kernel for a used promise", func() bool { return len(m.Rules(p.ID)) == 0 })
				if all := m.Pinholes(); len(all) != 1 || all[0].State != Used {
					t.Errorf("%s: pinholes %v, want one, used", p.name, all)
				}
				other := arrived(t, accepted)
				go func() { other.Write(make([]byte, size)); other.Close() }()
				io.Copy(io.Discard, c)
				c.Close()
				got := nextEvent(t, events)
				if got.Kind != Disconnected || got.Pinhole.ID != p.ID {
					t.Fatalf("%s: event %s of %d, want disconnected", p.name, got.Kind, got.Pinhole.ID)
				}
				if tr := got.Traffic; !tr.Counted || tr.Received < size || tr.Received > 2*size || tr.Sent == 0 || tr.Sent > size || tr.Duration <= 0 || tr.Duration > time.Minute {
					t.Errorf("%s: traffic %+v, want %d bytes and their headers received", p.name, tr, size)
				}
				m.Close(p.ID)
				eventually(t, "the promise is forgotten", func() bool { return len(m.Pinholes()) == 0 })
			}
		})
	}
}

// A connection goes on when its master entry has gone, and so does its reckoning
// when the process that promised it has stopped.
func TestAConnectionOutlivesItsShadow(t *testing.T) {
	e := onKernel(t)
	m, err := New(Options{Path: Conntrack})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Start(t.Context(), Static{}); err != nil {
		t.Fatal(err)
	}
	p := passages()[1]
	accepted := listen(t, e.server, p.Target.String(), nil)
	mustOpen(t, m, p.Expectation)
	c := dial(t, e.client, p.from, p.Reached.String(), comes)
	other := arrived(t, accepted)
	if c == nil || other == nil {
		t.Fatal("refused")
	}
	if err := m.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if text := listed(t); strings.Contains(text, "helper=ftp") {
		t.Errorf("a master entry is left:\n%s", text)
	}
	if _, err := c.Write([]byte("x")); err != nil {
		t.Error(err)
	}
	other.SetReadDeadline(time.Now().Add(comes))
	if n, err := other.Read(make([]byte, 1)); n != 1 {
		t.Errorf("the connection ended with its master entry: %v", err)
	}
}

// While nobody reads, the kernel has room for few events. What was lost is
// looked up: no promise stays open that was used, no end is missed.
func TestLostEventsAreLookedUp(t *testing.T) {
	for _, path := range []Path{IPTables, Conntrack} {
		t.Run(path.String(), func(t *testing.T) {
			e := onKernel(t)
			events, stall, lost := make(chan Event, 1000), make(chan struct{}), 0
			m := startManager(t, Options{Path: path, EventBuffer: 8 << 10, Connections: func(e Event) {
				<-stall
				events <- e
			}}, Static{})
			const many = 50
			p := passages()[0]
			accepted := listen(t, e.server, p.Target.String(), nil)
			for n := range many { // first, since who opens hears what has come
				p.ID, p.Reached = expect.ID(n+1), netip.AddrPortFrom(p.Reached.Addr(), uint16(30000+n))
				mustOpen(t, m, p.Expectation)
			}
			var ends []net.Conn
			for n := range many {
				c := dial(t, e.client, p.from, netip.AddrPortFrom(p.Reached.Addr(), uint16(30000+n)).String(), comes)
				if c == nil {
					t.Fatal("refused")
				}
				ends = append(ends, c, arrived(t, accepted))
			}
			close(stall)
			told := map[EventKind]map[expect.ID]bool{Connected: {}, Disconnected: {}}
			tell := func(kind EventKind) {
				for len(told[kind]) < many {
					var got Event
					select {
					case got = <-events:
					case <-time.After(comes):
						t.Fatalf("%s was told of %d of %d", kind, len(told[kind]), many)
					}
					switch got.Kind {
					case EventsLost:
						if lost++; got.Err != nil {
							t.Errorf("resync: %v", got.Err)
						}
					case Connected, Disconnected:
						if told[got.Kind][got.Pinhole.ID] {
							t.Errorf("promise %d was told %s twice", got.Pinhole.ID, got.Kind)
						}
						told[got.Kind][got.Pinhole.ID] = true
					}
				}
			}
			tell(Connected)
			for _, c := range ends {
				c.Close()
			}
			tell(Disconnected)
			if lost == 0 {
				t.Error("no event was lost: nothing was tried")
			}
		})
	}
}

// Packets that somebody makes up to belong to a master entry reach no helper: they
// could have it replace our expectation by what they say.
func TestNoPacketBelongsToAShadow(t *testing.T) {
	e := onKernel(t)
	m := startManager(t, Options{Path: Conntrack}, Static{})
	p := passages()[0] // what the target sees is the client
	listen(t, e.server, p.Target.String(), nil)
	mustOpen(t, m, p.Expectation)
	sh(t, "iptables -t raw -A PREROUTING -p tcp --sport 0")
	t.Cleanup(func() { sh(t, "iptables -t raw -F") })
	before := sh(t, "conntrack -L expect 2>/dev/null | cut -d' ' -f2-")
	flows := must(ctnetlink.Dump(DefaultExpectationMark))
	master := flows[slices.IndexFunc(flows, func(f ctnetlink.Flow) bool { return expectation.IsMasterEntry(f, DefaultExpectationMark) })]
	kinds := []byte{0x02, 0x12, 0x10, 0x18, 0x11, 0x10, 0x18, 0x04} // SYN, SYN ACK, ACK, PSH ACK, FIN ACK, …, RST
	for _, flags := range kinds {
		on(t, e.server, func() { sendRaw(t, master.Reply, flags, "227 Entering Passive Mode (198,18,1,20,117,49)\r\n") })
	}
	eventually(t, "the packets have arrived", func() bool {
		return strings.Contains(sh(t, "iptables-save -c -t raw"), "["+strconv.Itoa(len(kinds))+":")
	})
	if after := sh(t, "conntrack -L expect 2>/dev/null | cut -d' ' -f2-"); before != after {
		t.Errorf("before:\n%safter:\n%s", before, after)
	}
	for _, f := range must(ctnetlink.Dump(DefaultExpectationMark)) {
		if expectation.IsMasterEntry(f, DefaultExpectationMark) && f.TCP != 0 {
			t.Errorf("a packet moved a master entry to TCP state %d", f.TCP)
		}
	}
	if dial(t, e.client, p.from, p.Reached.String(), comes) == nil {
		t.Error("the promise did not survive")
	}
}

// sendRaw sends one TCP segment with its checksum.
func sendRaw(t *testing.T, as ctnetlink.Tuple, flags byte, payload string) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_RAW, unix.IPPROTO_TCP)
	if err != nil {
		t.Error(err)
		return
	}
	defer unix.Close(fd)
	segment := make([]byte, 20, 20+len(payload))
	binary.BigEndian.PutUint16(segment, as.Src.Port())
	binary.BigEndian.PutUint16(segment[2:], as.Dst.Port())
	binary.BigEndian.PutUint32(segment[4:], 1000)
	binary.BigEndian.PutUint32(segment[8:], 1000)
	segment[12], segment[13] = 5<<4, flags
	binary.BigEndian.PutUint16(segment[14:], 0xffff)
	segment = append(segment, payload...)
	binary.BigEndian.PutUint16(segment[16:], checksum(as, segment))
	if err := unix.Sendto(fd, segment, 0, &unix.SockaddrInet4{Addr: as.Dst.Addr().As4()}); err != nil {
		t.Error(err)
	}
}

// checksum is TCP's over IPv4 (RFC 9293 section 3.1).
func checksum(as ctnetlink.Tuple, segment []byte) uint16 {
	src, dst := as.Src.Addr().As4(), as.Dst.Addr().As4()
	all := slices.Concat(src[:], dst[:], []byte{0, unix.IPPROTO_TCP}, binary.BigEndian.AppendUint16(nil, uint16(len(segment))), segment)
	if len(all)%2 != 0 {
		all = append(all, 0)
	}
	var sum uint32
	for i := 0; i < len(all); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(all[i:]))
	}
	for sum > 0xffff {
		sum = sum&0xffff + sum>>16
	}
	return ^uint16(sum)
}

// The entry of an ended connection is in the way of a later one from the same
// source port to the same target: the later one's first packet uses the
// promise up, and is dropped. It happens once in some ten thousand transfers.
func TestAnEarlierConnectionIsNotInTheWay(t *testing.T) {
	for _, seen := range []bool{false, true} {
		t.Run("its end was seen: "+strconv.FormatBool(seen), func(t *testing.T) {
			e := onKernel(t)
			all := passages()
			o, events := followingEach(Options{Path: Conntrack}, len(all))
			m := startManager(t, o, Static{})
			for i, p := range all {
				t.Run(p.name, func(t *testing.T) {
					t.Parallel()
					p.comesAgain(t, e, m, i, seen, events[i])
				})
			}
		})
	}
}

// comesAgain makes three connections from the same port to the same target,
// with promises of the ten-th ten. If it shall be seen, the end of each is
// waited for.
func (p passage) comesAgain(t *testing.T, e edge, m *Manager, ten int, seen bool, events <-chan Event) {
	connecting, listening := p.hosts(e)
	accepted := listen(t, listening, p.Target.String(), nil)
	from := netip.AddrPortFrom(p.From, uint16(45000+ten)).String()
	for n := range 3 {
		p.ID = expect.ID(10*ten + n + 1)
		if rule.TranslatedTarget(p.Expectation) {
			p.Reached = netip.AddrPortFrom(p.Reached.Addr(), uint16(51000+10*ten+n))
		}
		mustOpen(t, m, p.Expectation)
		c := dial(t, connecting, from, p.Reached.String(), comes)
		if c == nil {
			t.Fatalf("connection %d did not come through", n)
		}
		for nextEvent(t, events).Kind != Connected {
		}
		arrived(t, accepted).Close() // this end will wait, the other's port is free
		io.Copy(io.Discard, c)
		c.Close()
		if seen {
			for nextEvent(t, events).Kind != Disconnected {
			}
		}
		m.Close(p.ID)
	}
}

// Only what has ended may be deleted for a promise.
func TestALiveConnectionIsLeftAlone(t *testing.T) {
	e := onKernel(t)
	m := startManager(t, Options{Path: Conntrack}, Static{})
	p := passages()[0]
	accepted := listen(t, e.server, p.Target.String(), nil)
	mustOpen(t, m, p.Expectation)
	c := dial(t, e.client, p.from, p.Reached.String(), comes)
	other := arrived(t, accepted)
	p.ID, p.Reached = 2, netip.MustParseAddrPort("203.0.113.1:50101")
	mustOpen(t, m, p.Expectation)
	p.pass(t, e, accepted)
	if c == nil || other == nil {
		t.Fatal("refused")
	}
	c.Write([]byte("x"))
	other.SetReadDeadline(time.Now().Add(comes))
	if n, err := other.Read(make([]byte, 1)); n != 1 {
		t.Errorf("the first connection was cut: %v", err)
	}
}
