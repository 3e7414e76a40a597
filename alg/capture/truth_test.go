package capture_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ftpalg/alg/capture/capturetest"
)

// script is a random session whose announcements are known.
type script struct {
	conn     *capturetest.Conn
	segments []capturetest.Segment
	// said is what client and server said so far, in bytes.
	said [2]int
	told []told
	// whole says that the recording has the SYNs.
	whole bool
	// rand decides all.
	rand *rand.Rand
}

// undisturbed is how many segments must come in order where a recording begins
// in the middle: nobody can know what was to come before them.
const undisturbed = 12

// open adds the three segments that open the connection.
func (s *script) open() {
	syn, ack := s.conn.Opening()
	s.segments = append(s.segments, syn, ack, s.conn.Make(false, ""))
	s.whole = true
}

// told is an announcement whose line ends behind a number of bytes of a side.
type told struct {
	server bool
	end    int
	line   string
}

// say adds what a side says, cut into segments at random.
func (s *script) say(server bool, text string) {
	side := 0
	if server {
		side = 1
	}
	s.said[side] += len(text)
	for text != "" {
		n := len(text)
		if s.rand.IntN(4) == 0 {
			n = 1 + s.rand.IntN(n)
		}
		s.segments = append(s.segments, s.conn.Make(server, text[:n]))
		text = text[n:]
		if s.rand.IntN(3) == 0 {
			s.segments = append(s.segments, s.conn.Make(!server, "")) // an acknowledgment
		}
	}
}

func (s *script) announce(server bool, text, line string) {
	s.say(server, text)
	side := 0
	if server {
		side = 1
	}
	s.told = append(s.told, told{server, s.said[side], line})
}

// run writes a session of some commands.
func (s *script) run(commands int) {
	s.say(true, "220-Hello\r\n220 there\r\n")
	s.say(false, "USER anna\r\n")
	s.say(true, "331 Password\r\n")
	s.say(false, "PASS x\r\n")
	s.say(true, "230 Logged in\r\n")
	for range commands {
		port := 1024 + s.rand.IntN(60000)
		six := fmt.Sprintf("%d,%d", port/256, port%256)
		switch s.rand.IntN(9) {
		case 0:
			s.say(false, "PASV\r\n")
			s.announce(true, "227 Entering Passive Mode (203,0,113,1,"+six+")\r\n", fmt.Sprintf("PASV 203.0.113.1:%d", port))
		case 1:
			s.say(false, "EPSV\r\n")
			s.announce(true, fmt.Sprintf("229 Ok (|||%d|)\r\n", port), fmt.Sprintf("EPSV %s:%d", s.conn.Server.Addr(), port))
		case 2:
			s.announce(false, "PORT 198,51,100,7,"+six+"\r\n", fmt.Sprintf("PORT 198.51.100.7:%d", port))
			s.say(true, "200 PORT ok\r\n")
		case 3:
			s.announce(false, fmt.Sprintf("EPRT |1|192.0.2.99|%d|\r\n", port), fmt.Sprintf("EPRT 192.0.2.99:%d", port))
			s.say(true, "500 no third parties\r\n")
		case 4: // two lines in one go
			s.announce(false, "TYPE I\r\nPORT 10,1,2,3,"+six+"\r\n", fmt.Sprintf("PORT 10.1.2.3:%d", port))
			s.say(true, "200 Type\r\n200 Port\r\n")
		case 5: // a multi-line 227 counts at its last line
			s.say(false, "PASV\r\n")
			s.announce(true, "227-Here it comes\r\n227 =10,0,0,5,"+six+"\r\n", fmt.Sprintf("PASV 10.0.0.5:%d", port))
		case 6: // text, not an announcement
			s.say(false, "HELP\r\n")
			s.say(true, "214-Help\r\n227 Entering Passive Mode (1,2,3,4,"+six+")\r\n214 End\r\n")
		case 7:
			s.say(false, "RETR 227 Entering Passive Mode (1,2,3,4,"+six+")\r\n")
			s.say(true, "150 Opening\r\n")
			s.say(true, "226 Done\r\n")
		case 8:
			s.say(false, "NOOP\r\n")
			s.say(true, "200 Zzz\r\n")
		}
	}
	s.say(false, "QUIT\r\n")
	s.say(true, "221 Bye\r\n")
}

// disturb records the segments out of order, twice, and cut differently, as
// networks do; nothing is lost in the end.
func (s *script) disturb() {
	var out []capturetest.Segment
	for i, seg := range s.segments {
		out = append(out, seg)
		if s.rand.IntN(6) == 0 { // sent again, from somewhere before to somewhere within
			out = append(out, again(s.segments[:i+1], seg, s.rand))
		}
	}
	for i := range out {
		if !s.whole && i < undisturbed {
			continue
		}
		if s.rand.IntN(5) == 0 {
			j := min(len(out)-1, i+1+s.rand.IntN(6))
			moved := out[i]
			out = slices.Insert(slices.Delete(out, i, i+1), j, moved)
		}
	}
	s.segments = out
}

// again returns a segment that repeats bytes of earlier segments of the same
// side, up to the end of the latest one.
func again(earlier []capturetest.Segment, latest capturetest.Segment, r *rand.Rand) capturetest.Segment {
	reach := 1 + r.IntN(4)
	for i := len(earlier) - 2; i >= 0 && reach > 0; i-- {
		e := earlier[i]
		if e.From == latest.From && e.Seq+uint32(len(e.Payload)) == latest.Seq && len(e.Payload) > 0 {
			keep := 1 + r.IntN(len(e.Payload))
			latest.Payload = append(slices.Clone(e.Payload[len(e.Payload)-keep:]), latest.Payload...)
			latest.Seq -= uint32(keep)
			reach--
		}
	}
	return latest
}

// frames returns, for each byte of a side's stream, the frame by which it and
// all before it had been recorded.
func frames(recorded []capturetest.Segment, numbers []int, server bool, conn *capturetest.Conn, start uint32, length int) []int {
	first := make([]int, length)
	from := conn.Client
	if server {
		from = conn.Server
	}
	for i, seg := range recorded {
		if seg.From != from {
			continue
		}
		for j := range seg.Payload {
			at := int(int32(seg.Seq + uint32(j) - start))
			if at >= 0 && at < length && first[at] == 0 {
				first[at] = numbers[i]
			}
		}
	}
	for i := 1; i < length; i++ {
		first[i] = max(first[i], first[i-1])
	}
	return first
}

// TestAgainstKnownTruth interleaves sessions that the network has disturbed:
// every announcement must be found, in the right frame, and no other.
func TestAgainstKnownTruth(t *testing.T) {
	for seed := range uint64(40) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { truth(t, seed, 12) })
	}
}

func truth(t *testing.T, seed uint64, sessions int) {
	r := rand.New(rand.NewPCG(seed, 1))
	tape := capturetest.NewTape()
	scripts := make([]*script, sessions)
	for i := range scripts {
		c := tape.Conn(fmt.Sprintf("198.51.100.7:%d", 20000+i), fmt.Sprintf("203.0.113.%d:%d", 1+i%5, 21+r.IntN(5000)))
		c.Begin(r.Uint32(), 0xffffffff-uint32(r.IntN(200)))
		s := &script{conn: c, rand: r}
		if i%2 == 0 {
			s.open()
		}
		s.run(5 + r.IntN(30))
		s.disturb()
		scripts[i] = s
	}
	want, file := play(tape, scripts, r)
	got := inspect(t, file)
	sortLines(want)
	lines := make([]string, len(got.findings))
	for i, f := range got.findings {
		a := got.announcements[i]
		lines[i] = fmt.Sprintf("%06d %s %s", f.Frame, a.Session.Client, f.Line)
	}
	sortLines(lines)
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Errorf("%d sessions of %d, (-want +got):\n%s", got.stats.Sessions, sessions, diff)
	}
}

func sortLines(lines []string) { slices.SortFunc(lines, strings.Compare) }

// play records the scripts, interleaved, and returns what is to be found.
func play(tape *capturetest.Tape, scripts []*script, r *rand.Rand) (want []string, file []byte) {
	numbers := make([][]int, len(scripts))
	starts := make([][2]uint32, len(scripts))
	var turns []int
	for i, s := range scripts {
		starts[i] = s.starts()
		for range s.segments {
			turns = append(turns, i)
		}
	}
	r.Shuffle(len(turns), func(i, j int) { turns[i], turns[j] = turns[j], turns[i] })
	for _, i := range turns {
		s := scripts[i]
		numbers[i] = append(numbers[i], s.conn.Record(s.segments[len(numbers[i])]))
	}
	for i, s := range scripts {
		byteFrames := [2][]int{
			frames(s.segments, numbers[i], false, s.conn, starts[i][0], s.said[0]),
			frames(s.segments, numbers[i], true, s.conn, starts[i][1], s.said[1]),
		}
		for _, told := range s.told {
			side := 0
			if told.server {
				side = 1
			}
			want = append(want, fmt.Sprintf("%06d %s %s", byteFrames[side][told.end-1], s.conn.Client, told.line))
		}
	}
	return want, capturetest.Pcap(tape.Packets, capturetest.Ethernet, 0)
}

// starts returns the sequence numbers of the first bytes of both sides.
func (s *script) starts() (out [2]uint32) {
	end := [2]uint32{s.conn.Make(false, "").Seq, s.conn.Make(true, "").Seq}
	for side := range out {
		out[side] = end[side] - uint32(s.said[side])
	}
	return out
}
