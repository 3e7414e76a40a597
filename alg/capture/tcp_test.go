package capture_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ftpalg/alg/capture"
	"ftpalg/alg/capture/capturetest"
)

func TestEveryFormOfAPacket(t *testing.T) {
	for _, wrap := range capturetest.Wraps {
		t.Run(wrap.Name, func(t *testing.T) {
			tape, want := twoFamilies()
			wrapped := capturetest.NewTape()
			frames := make(map[uint64]uint64)
			for i, p := range tape.Packets {
				for _, part := range wrap.Do(p.Data) {
					frames[uint64(i+1)] = uint64(wrapped.Add(part)) // the last one completes it
				}
			}
			for i := range want {
				want[i].Frame = frames[want[i].Frame]
			}
			got := inspect(t, capturetest.Pcap(wrapped.Packets, capturetest.Ethernet, 0))
			if diff := cmp.Diff(want, got.findings); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// line is one announcement of a test below.
func line(session, frame int, text string) finding {
	return finding{uint64(session), uint64(frame), text}
}

const announced, heard = "227 (203,0,113,1,195,80)\r\n", "PASV 203.0.113.1:50000"

func TestHabitsOfTCP(t *testing.T) {
	const client, server = "198.51.100.7:40001", "203.0.113.1:21"
	tests := map[string]func(*capturetest.Tape) []finding{
		"the ends are used again": func(tape *capturetest.Tape) (want []finding) {
			for session := 1; session < 4; session++ {
				c := login(tape.Conn(client, server).Begin(1000, 1000))
				c.ClientSays("PASV\r\n")
				want = append(want, line(session, c.ServerSays(announced), heard))
				c.Close()
			}
			return want
		},
		"the ends are used again without an end": func(tape *capturetest.Tape) (want []finding) {
			for session := 1; session < 4; session++ {
				c := login(tape.Conn(client, server).Begin(uint32(session)<<30, 77))
				c.ClientSays("PASV\r\n")
				want = append(want, line(session, c.ServerSays(announced), heard))
			}
			return want
		},
		"SYNs sent again": func(tape *capturetest.Tape) []finding {
			c := tape.Conn(client, server)
			c.SYN()
			c.SYN()
			login(c)
			c.ClientSays("PASV\r\n")
			return []finding{line(1, c.ServerSays(announced), heard)}
		},
		"keepalive probes": func(tape *capturetest.Tape) []finding {
			c := login(tape.Conn(client, server))
			probe := c.Make(false, "")
			probe.Seq, probe.Payload = probe.Seq-1, []byte{0}
			c.Record(probe)
			c.ClientSays("PA")
			probe.Seq += 2
			c.Record(probe)
			c.ClientSays("SV\r\n")
			return []finding{line(1, c.ServerSays(announced), heard)}
		},
		"a keepalive probe begins the recording": func(tape *capturetest.Tape) []finding {
			c := tape.Conn(client, server)
			c.Record(c.Make(true, ""))
			probe := c.Make(false, "")
			probe.Seq, probe.Payload = probe.Seq-1, []byte{0}
			c.Record(probe)
			c.Record(c.Make(true, ""))
			frame := c.ClientSays("PORT 198,51,100,7,19,137\r\n")
			c.ServerSays("200 ok\r\n")
			return []finding{line(1, frame, "PORT 198.51.100.7:5001")}
		},
		"urgent data": func(tape *capturetest.Tape) []finding {
			c := login(tape.Conn(client, server))
			abort := c.Make(false, "\xff\xf4\xff\xf2")
			abort.URG = true
			c.Record(abort)
			c.ClientSays("ABOR\r\n")
			c.ServerSays("226 nothing to abort\r\n")
			c.ClientSays("PASV\r\n")
			return []finding{line(1, c.ServerSays(announced), heard)}
		},
		"what a bare LF ends": func(tape *capturetest.Tape) []finding {
			c := tape.Conn(client, server).Open()
			c.ServerSays("220 ready\n")
			c.ClientSays("USER a\n")
			c.ServerSays("331 p\n")
			c.ClientSays("PASV\n")
			return []finding{line(1, c.ServerSays("227 (203,0,113,1,195,80)\n"), heard)}
		},
		"pipelined": func(tape *capturetest.Tape) []finding {
			c := tape.Conn(client, server).Open()
			c.ServerSays("220 ready\r\n")
			c.ClientSays("USER a\r\nPASS b\r\nPASV\r\nPASV\r\n")
			frame := c.ServerSays("331 p\r\n230 in\r\n" + announced + "227 (203,0,113,1,195,81)\r\n")
			return []finding{line(1, frame, heard), line(1, frame, "PASV 203.0.113.1:50001")}
		},
		"a banner of many segments": func(tape *capturetest.Tape) []finding {
			c := tape.Conn(client, server).Open()
			for i := range 100 {
				c.ServerSays(fmt.Sprintf("220-%d %s\r\n", i, strings.Repeat("welcome ", 20)))
			}
			c.ServerSays("220 ready\r\n")
			c.ClientSays("FEAT\r\n")
			c.ServerSays("211-Features\r\n EPSV\r\n211 End\r\n")
			c.ClientSays("PASV\r\n")
			return []finding{line(1, c.ServerSays(announced), heard)}
		},
		"the server is reset and the client goes on elsewhere": func(tape *capturetest.Tape) []finding {
			c := login(tape.Conn(client, server))
			c.ClientSays("PASV\r\n")
			first := c.ServerSays(announced)
			c.Reset(true)
			d := login(tape.Conn("198.51.100.7:40002", server))
			d.ClientSays("EPSV\r\n")
			return []finding{line(1, first, heard), line(2, d.ServerSays("229 (|||50000|)\r\n"), "EPSV 203.0.113.1:50000")}
		},
	}
	for name, play := range tests {
		t.Run(name, func(t *testing.T) {
			tape := capturetest.NewTape()
			want := play(tape)
			got := inspect(t, capturetest.Pcap(tape.Packets, capturetest.Ethernet, 0))
			if diff := cmp.Diff(want, got.findings); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// A hostile sender leaves gaps, opens connections and never ends a line.
func TestMemoryIsBounded(t *testing.T) {
	tape := capturetest.NewTape()
	a := capture.NewAnalyzer(capture.Options{})
	number := uint64(0)
	send := func(data []byte) {
		number++
		a.Add(capture.Frame{Number: number, Time: capturetest.Begin, Link: 101, Data: data, Length: len(data)})
	}
	body := strings.Repeat("x", 1400)
	for i := range 3000 {
		c := tape.Conn(fmt.Sprintf("198.51.100.%d:%d", i%250, 1024+i), "203.0.113.1:21")
		syn, answer := c.Opening()
		send(tape.Segment(syn))
		send(tape.Segment(answer))
		c.Make(false, "x") // never comes
		for range 60 {
			send(tape.Segment(c.Make(false, body)))
		}
	}
	if held := a.Held(); held > 80<<20 {
		t.Errorf("%d MB are held", held>>20)
	}
	if s := a.Stats(); s.Evicted == 0 {
		t.Errorf("nothing was forgotten: %+v", s)
	}
	a.Finish()
	if held := a.Held(); held != 0 {
		t.Errorf("%d bytes are held in the end", held)
	}
}
