package alg_test

import (
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"ftpalg/alg/algtest"
	"ftpalg/alg/dialogue"
	"ftpalg/alg/expect"
)

// step is one thing that happens to a gateway. Session, promise and amount
// choose among what there is.
type step struct {
	what            string
	session, choice int
}

// steps are what may happen, with the lines of either side.
var (
	commands = []string{
		"USER joe", "PASS x", "PASV", "EPSV", "EPSV ALL", "PORT 203,0,113,10,195,81", "EPRT |1|203.0.113.10|50002|", "PORT 198,51,100,7,195,81",
		"RETR x", "STOR x", "LIST", "ABOR", "NOOP", "REIN", "AUTH TLS", "PORT 1,2", "XYZZY \xff\x00", "QUIT",
	}
	replies = []string{
		"200 ok", "227 ok (198,18,1,20,19,136)", "227 ok (198,18,1,20,0,22)", "229 ok (|||5001|)", "150 here", "226 done", "426 cut", "425 no",
		"230 in", "331 and?", "530 no", "500 what?", "220 again", "221 bye", "234 TLS", "227-two\r\n227 (198,18,1,20,19,137)", "999", "150 again",
	}
	happenings = []string{
		"begin", "command", "command", "command", "reply", "reply", "reply", "passive", "passive", "active", "active", "transfer", "transfer",
		"time", "time", "connected", "connected", "disconnected", "hand over", "client ends", "server ends", "refuse", "admit",
	}
)

// Whatever happens, and in whatever order: each open pinhole belongs to a session
// that is live, no port is promised twice, the gateway and the kernel agree
// on what is open, and at the end nothing is.
func TestWhateverHappensGatewayAndKernelAgree(t *testing.T) {
	for name, c := range map[string]playing{
		"forwarded": {}, "relayed": {relay: true}, "made passive": {relay: true, convert: dialogue.ConvertPassive}, "made active": {relay: true, convert: dialogue.ConvertActive},
	} {
		t.Run(name, func(t *testing.T) { agree(t, c) })
	}
}

// playing is a setting of the model.
type playing struct {
	relay   bool
	convert dialogue.Convert
}

func agree(t *testing.T, c playing) {
	promised := 0
	rapid.Check(t, func(rt *rapid.T) {
		plan := rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) step {
			return step{rapid.SampledFrom(happenings).Draw(rt, "what"), rapid.IntRange(0, 7).Draw(rt, "session"), rapid.IntRange(0, 999).Draw(rt, "choice")}
		}), 50, 150).Draw(rt, "steps")
		var disagreement string
		s := testSettings()
		s.PassivePorts.High, s.ActivePorts.High = s.PassivePorts.Low+3, s.ActivePorts.Low+3
		s.PromisesPerClient, s.Relay = 6, c.relay
		onBench(t, converting(c.convert), s, func(b *bench) {
			m := &model{bench: b, stays: c.relay}
			defer func() { promised += m.promised }()
			for _, one := range plan {
				m.happens(one)
				synctest.Wait()
				if disagreement = m.disagreement(); disagreement != "" {
					disagreement = fmt.Sprintf("after %+v: %s", one, disagreement)
					return
				}
			}
		})
		if disagreement != "" {
			rt.Fatal(disagreement)
		}
	})
	if promised < 100 || c.convert == dialogue.ConvertNothing && promised < 500 {
		t.Errorf("only %d pinholes were opened: this shows little", promised)
	}
}

// model plays the peers of a gateway.
type model struct {
	*bench
	sessions []*pairOfPeers
	refuses  bool
	promised int
	// stays says that nothing is handed over: what is relayed stays with the process
	// that has begun it, whose end is not played here.
	stays bool
}

// pairOfPeers are the far ends of one session.
type pairOfPeers struct{ client, server *algtest.Conn }

func (m *model) happens(s step) {
	if s.what == "begin" || len(m.sessions) == 0 {
		m.begin()
		return
	}
	of := m.sessions[s.session%len(m.sessions)]
	switch s.what {
	case "command":
		say(of.client, commands[s.choice%len(commands)])
	case "reply":
		say(of.server, replies[s.choice%len(replies)])
	case "passive":
		say(of.client, []string{"PASV", "EPSV"}[s.choice%2])
		say(of.server, []string{"227 ok (198,18,1,20,19,136)", "229 ok (|||5001|)"}[s.choice%2])
	case "active":
		say(of.client, []string{"PORT 203,0,113,10,195,81", "EPRT |1|203.0.113.10|50002|"}[s.choice%2])
		say(of.server, "200 ok")
	case "transfer":
		say(of.client, "RETR x")
		say(of.server, "150 here")
		say(of.server, []string{"226 done", "426 cut", "150 still"}[s.choice%3])
	case "time":
		time.Sleep(time.Duration(s.choice*s.choice) * time.Millisecond) // up to 17 minutes
	case "connected", "disconnected":
		open := m.kernel.Standing()
		if len(open) == 0 {
			return
		}
		id := open[s.choice%len(open)].ID
		if s.what == "connected" {
			m.gateway.Connected(id)
		} else {
			m.gateway.Disconnected(id, 10, 20, s.choice%2 == 0)
		}
	case "hand over":
		if !m.stays {
			m.handOver()
		}
	case "client ends":
		end(of.client, s.choice)
	case "server ends":
		end(of.server, s.choice)
	case "refuse":
		m.refuses = true
	case "admit":
		m.refuses = false
	}
}

// say has a peer say a line, if it still can.
func say(c *algtest.Conn, line string) {
	io.WriteString(c, line+"\r\n")
	synctest.Wait()
}

// end ends a connection in one of the ways there are.
func end(c *algtest.Conn, how int) {
	switch how % 3 {
	case 0:
		c.CloseWrite()
	case 1:
		c.Close()
	case 2:
		c.Abort()
	}
}

// begin begins a session, whose peers read all that they are sent.
func (m *model) begin() {
	m.kernel.FailOpen = func(expect.Expectation) error {
		if m.refuses {
			return io.ErrUnexpectedEOF
		}
		m.promised++
		return nil
	}
	if len(m.sessions) >= 8 {
		return
	}
	client := m.connect(clientHost, outside).Conn
	go io.Copy(io.Discard, client)
	synctest.Wait()
	server := m.kernel.Server()
	go io.Copy(io.Discard, server)
	io.WriteString(server, "220 ready\r\n")
	m.sessions = append(m.sessions, &pairOfPeers{client, server})
}

// disagreement says what must not be, "" if all is well.
func (m *model) disagreement() string {
	open := m.kernel.Standing()
	var live []uint64
	for _, s := range m.gateway.Sessions() {
		live = append(live, s.Session)
	}
	told := map[netip.AddrPort]expect.ID{}
	for _, e := range open {
		if !slices.Contains(live, e.Session) {
			return fmt.Sprintf("%s is open, and there are the sessions %v", e, live)
		}
		if other, twice := told[e.Reached]; twice {
			return fmt.Sprintf("%s is promised to %d, too", e, other)
		}
		told[e.Reached] = e.ID
		if e.From != clientHost && e.From != ftpServer.Addr() {
			return e.String() + " admits somebody else"
		}
		if !e.Target.IsValid() {
			continue // both hosts are waited for
		}
		if e.Target.Port() < 1024 || e.From != clientHost && e.From != ftpServer.Addr() || e.Target.Addr() != clientHost && e.Target.Addr() != ftpServer.Addr() {
			return e.String() + " must not be open"
		}
	}
	var text strings.Builder
	for _, e := range m.gateway.Pinholes() {
		if !slices.ContainsFunc(open, func(o expect.Expectation) bool { return o.ID == e.ID }) {
			fmt.Fprintf(&text, "the gateway takes %s for open, and it is not; ", e)
		}
	}
	return text.String()
}
