package dialogue

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"

	"ftpalg/alg/wire"
)

// insideAddress is what a disorderly server announces again and again.
const insideAddress = "192,0,2,20"

// disorder plays a client and a server that answers any command with any
// codes, any number of times.
type disorder struct {
	d        *Dialogue
	r        *rand.Rand
	log      []string
	announce *Announcement
}

func newDisorder(seed uint64) *disorder {
	p := &disorder{
		d: New(Policy{}, netip.MustParseAddr("203.0.113.10"), netip.MustParseAddr("192.0.2.20")),
		r: rand.New(rand.NewPCG(seed, 1)),
	}
	p.server("220 ready")
	return p
}

// client says one line.
func (p *disorder) client(text string) {
	p.log = append(p.log, "C: "+text)
	p.d.Command(wire.Line{Bytes: []byte(text + "\r\n"), Begins: true, Ends: true})
}

// server says one line and returns what the client gets of it.
func (p *disorder) server(text string) string {
	p.log = append(p.log, "S: "+text)
	line := []byte(text + "\r\n")
	v := p.d.Reply(wire.Line{Bytes: line, Begins: true, Ends: true})
	p.announce = nil
	out := ""
	switch v.Action {
	case Pass:
		out = string(v.Before) + string(line)
	case Announce:
		p.announce = v.Announcement
		out = string(v.Announcement.Rewrite(append([]byte(nil), v.Before...), line, netip.MustParseAddrPort("203.0.113.1:50000")))
	}
	return out + string(v.Answer)
}

// anyCode returns a code that ends no PASV: those of 400 and above do.
func (p *disorder) anyCode() int {
	codes := []int{110, 125, 150, 200, 202, 211, 213, 220, 225, 226, 227, 229, 230, 250, 257, 314, 331, 350, 426}
	return codes[p.r.IntN(len(codes))]
}

func (p *disorder) anyReply() string {
	code := p.anyCode()
	switch code {
	case wire.Code227Passive:
		return fmt.Sprintf("227 Entering Passive Mode (%s,100,%d)", insideAddress, p.r.IntN(256))
	case wire.Code229Extended:
		return fmt.Sprintf("229 Extended (|||%d|)", 2000+p.r.IntN(1000))
	}
	return fmt.Sprintf("%d text", code)
}

func (p *disorder) anyCommand() string {
	commands := []string{"NOOP", "CWD x", "TYPE I", "RETR a", "STOR a", "STAT", "ABOR", "LIST", "PORT 203,0,113,10,200,10", "LPSV", "SIZE a"}
	return commands[p.r.IntN(len(commands))]
}

// TestDisorderlyServer holds that no inside address passes while a PASV or
// EPSV awaits its reply, whatever the server says in between, and that after
// all of it the next PASV and the next transfer are understood.
func TestDisorderlyServer(t *testing.T) {
	for seed := range uint64(20000) {
		p := newDisorder(seed)
		for range 1 + p.r.IntN(3) {
			p.disorderlyRound(t)
		}
		p.orderlyTransfer(t)
		if t.Failed() {
			t.Fatalf("seed %d:\n%s", seed, strings.Join(p.log, "\n"))
		}
	}
}

// disorderlyRound has the client say some commands and a PASV or EPSV among
// them, and the server anything.
func (p *disorder) disorderlyRound(t *testing.T) {
	for range p.r.IntN(4) {
		p.client(p.anyCommand())
		if p.r.IntN(2) == 0 {
			p.server(p.anyReply())
		}
	}
	p.client([]string{"PASV", "EPSV"}[p.r.IntN(2)])
	for range p.r.IntN(5) {
		got := p.server(p.anyReply())
		if strings.Contains(got, insideAddress) {
			t.Errorf("the client got %q", got)
		}
		if p.announce != nil {
			return
		}
	}
}

// orderlyTransfer holds that a PASV and a transfer are followed from the
// first reply to the last.
func (p *disorder) orderlyTransfer(t *testing.T) {
	p.client("PASV")
	got := p.server("227 Entering Passive Mode (" + insideAddress + ",100,200)")
	if p.announce == nil || strings.Contains(got, insideAddress) {
		t.Errorf("the last PASV got %q", got)
	}
	p.client("RETR last")
	p.server("150 here")
	if !p.d.Transferring() {
		t.Error("the last transfer has not begun")
	}
	p.server("226 done")
	p.client("TYPE A")
	p.server("200 ok")
	if p.d.Transferring() {
		t.Error("the last transfer has not ended")
	}
	p.client("EPSV")
	if p.server("229 Extended (|||2000|)"); p.announce == nil {
		t.Error("the last EPSV announced nothing")
	}
}
