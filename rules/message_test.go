package rules

import (
	"net/netip"
	"testing"
)

func TestWhatIsWrittenIsRead(t *testing.T) {
	for _, to := range []addresses{
		{netip.MustParseAddr("198.18.1.20"), netip.MustParseAddr("203.0.113.10")},
		{netip.MustParseAddr("2001:db8:2::20"), netip.MustParseAddr("2001:db8:1::10")},
	} {
		s := newMasterEntry(to, 7)
		var p packet
		for n := range 3 {
			p.reset()
			s.deleteMessage(&p)
			if got := s.createMessage(&p, DefaultExpectationMark); got != uint32(2*n+2) {
				t.Errorf("message %d, want %d: numbers go on from packet to packet", got, 2*n+2)
			}
		}
		var flows []flow
		eachMessage(p.bytes, func(_ uint16, _ uint32, body []byte) {
			if f, ok := parseFlow(body[4:]); ok {
				flows = append(flows, f)
			}
		})
		if len(flows) != 1 || flows[0].orig != s.orig || flows[0].reply != s.reply || flows[0].mark != DefaultExpectationMark || !flows[0].assured {
			t.Errorf("read %+v of %+v", flows, s)
		}
		if len(flows) == 1 && !isMasterEntry(flows[0], DefaultExpectationMark) {
			t.Errorf("a shadow is not recognised: %+v", flows[0])
		}
	}
}

func TestOnlyShadowsAreTakenForShadows(t *testing.T) {
	tuples := func(src, dst, back, seen string) flow {
		return flow{mark: DefaultExpectationMark,
			orig:  tuple{netip.MustParseAddrPort(src), netip.MustParseAddrPort(dst)},
			reply: tuple{netip.MustParseAddrPort(back), netip.MustParseAddrPort(seen)}}
	}
	shadow := tuples("127.1.2.3:4", "127.5.6.7:8", "198.18.1.20:0", "203.0.113.10:1")
	unmarked := shadow
	unmarked.mark = DefaultPinholeMark
	for name, f := range map[string]flow{
		"a data connection":   tuples("203.0.113.10:40000", "203.0.113.1:50000", "198.18.1.20:30000", "203.0.113.10:40000"),
		"one on the loopback": tuples("127.0.0.1:40000", "127.0.0.1:21", "127.0.0.1:21", "127.0.0.1:40000"),
		"another's mark":      unmarked,
	} {
		if isMasterEntry(f, DefaultExpectationMark) {
			t.Errorf("%s is taken for a shadow", name)
		}
	}
	if !isMasterEntry(shadow, DefaultExpectationMark) {
		t.Error("a shadow is not taken for one")
	}
}

func FuzzParseFlow(f *testing.F) {
	var p packet
	s := newMasterEntry(addresses{netip.MustParseAddr("198.18.1.20"), netip.MustParseAddr("203.0.113.10")}, 7)
	s.createMessage(&p, DefaultExpectationMark)
	f.Add(p.bytes)
	f.Add(p.bytes[headerLength:])
	f.Fuzz(func(t *testing.T, b []byte) {
		eachMessage(b, func(_ uint16, _ uint32, body []byte) { parseFlow(body) })
		if flow, ok := parseFlow(b); ok && (!flow.orig.src.IsValid() || !flow.reply.src.IsValid()) {
			t.Errorf("%x: %+v", b, flow)
		}
	})
}
