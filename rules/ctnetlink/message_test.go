package ctnetlink

import (
	"ftpalg/rules/rule"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// entry appends a message with everything that is read of an entry.
func entry(p *Packet, orig, reply Tuple, mark uint32) uint32 {
	return p.Message(FlowNew, unix.NLM_F_CREATE, rule.FamilyOf(orig.Src.Addr()), func() {
		p.Tuple(CTATupleOrig, orig)
		p.Tuple(CTATupleReply, reply)
		p.Uint32(CTAStatus, StatusConfirmed|StatusSeenReply|StatusAssured)
		p.Uint32(CTATimeout, Seconds(90*time.Second))
		p.Uint32(CTAMark, mark)
		p.Nested(CTAHelp, func() { p.Text(CTAHelpName, "ftp") })
	})
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	for _, want := range []Flow{
		{Orig: tupleOf("198.18.1.20:1", "203.0.113.10:2"), Reply: tupleOf("203.0.113.10:2", "198.18.1.20:3"), Mark: 0x8000000, Assured: true, Timeout: 90 * time.Second},
		{Orig: tupleOf("[2001:db8:2::20]:1", "[2001:db8:1::10]:2"), Reply: tupleOf("[2001:db8:1::10]:2", "[2001:db8:2::20]:3"), Mark: 7, Assured: true, Timeout: 90 * time.Second},
	} {
		var p Packet
		for n := range 3 {
			p.Reset()
			DeleteFlow(&p, want.Orig, 0)
			if got := entry(&p, want.Orig, want.Reply, want.Mark); got != uint32(2*n+2) {
				t.Errorf("message %d, want %d: numbers go on from packet to packet", got, 2*n+2)
			}
		}
		var flows []Flow
		eachMessage(p.bytes, func(_ uint16, _ uint32, body []byte) {
			if f, ok := parseFlow(body[4:]); ok {
				flows = append(flows, f)
			}
		})
		if len(flows) != 1 || flows[0] != want {
			t.Errorf("read %+v, want %+v", flows, want)
		}
	}
}

func TestAnExpectationIsRead(t *testing.T) {
	want := Expected{Master: tupleOf("127.1.2.3:4", "127.5.6.7:8"), Tuple: tupleOf("203.0.113.10:0", "203.0.113.1:50000"), Timeout: 60 * time.Second}
	var p Packet
	p.Message(ExpectNew, 0, rule.IPv4, func() {
		p.Tuple(CTAExpectMaster, want.Master)
		p.Tuple(CTAExpectTuple, want.Tuple)
		p.Uint32(CTAExpectTimeout, Seconds(want.Timeout))
	})
	eachMessage(p.bytes, func(_ uint16, _ uint32, body []byte) {
		if got, ok := parseExpected(body[4:]); !ok || got != want {
			t.Errorf("read %+v, %t, want %+v", got, ok, want)
		}
		if _, ok := parseExpected(body[4 : len(body)-8]); !ok {
			t.Error("without a timeout it is not read")
		}
		if _, ok := parseExpected(nil); ok {
			t.Error("nothing is read as an expectation")
		}
	})
}

func tupleOf(src, dst string) Tuple {
	return Tuple{Src: netip.MustParseAddrPort(src), Dst: netip.MustParseAddrPort(dst)}
}

func FuzzParseFlow(f *testing.F) {
	var p Packet
	entry(&p, tupleOf("198.18.1.20:1", "203.0.113.10:2"), tupleOf("203.0.113.10:2", "198.18.1.20:3"), 7)
	f.Add(p.bytes)
	f.Add(p.bytes[headerLength:])
	f.Fuzz(func(t *testing.T, b []byte) {
		eachMessage(b, func(_ uint16, _ uint32, body []byte) { parseFlow(body) })
		if flow, ok := parseFlow(b); ok && (!flow.Orig.Src.IsValid() || !flow.Reply.Src.IsValid()) {
			t.Errorf("%x: %+v", b, flow)
		}
		if x, ok := parseExpected(b); ok && (!x.Master.Src.IsValid() || !x.Tuple.Src.IsValid()) {
			t.Errorf("%x: %+v", b, x)
		}
	})
}
