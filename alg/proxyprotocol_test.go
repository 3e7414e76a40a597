package alg_test

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"ftpalg/alg"
	"ftpalg/alg/algtest"
)

// theBalancer stands before the gateway in these tests, and names clients by a line
// of two addresses.
var theBalancer = netip.MustParseAddr("198.18.9.7")

// readNames reads such a line; "nobody" stands for the balancer itself.
func readNames(c alg.Conn) (client, reached netip.AddrPort, err error) {
	var line []byte
	for one := make([]byte, 1); ; {
		if _, err := c.Read(one); err != nil {
			return client, reached, err
		}
		if one[0] == '\n' {
			break
		}
		line = append(line, one[0])
	}
	from, to, _ := strings.Cut(string(line), " ")
	if from == "nobody" {
		return client, reached, nil
	}
	if client, err = netip.ParseAddrPort(from); err != nil {
		return client, reached, err
	}
	reached, err = netip.ParseAddrPort(to)
	return client, reached, err
}

func behindBalancer() alg.Service {
	svc := fronting()
	svc.Proxy = &alg.ProxyProtocol{
		Accept: []netip.Prefix{netip.PrefixFrom(theBalancer, 32)}, Read: readNames, Data: true,
		Header: func(client, reached netip.AddrPort) []byte { return fmt.Appendf(nil, "%s at %s\n", client, reached) },
	}
	return svc
}

// arrivesFor has the balancer connect, and say for whom.
func (b *bench) arrivesFor(names string) *peer {
	b.t.Helper()
	client := b.connect(theBalancer, outside)
	io.WriteString(client, names+"\n")
	return client
}

func TestTheClientIsWhomTheBalancerNames(t *testing.T) {
	onBench(t, behindBalancer(), onePort(testSettings()), func(b *bench) {
		client := b.arrivesFor("203.0.113.10:4711 203.0.113.80:21")
		server := newPeer(t, "server", b.kernel.Server())
		server.hearsHeader(t, "203.0.113.10:4711 at 203.0.113.80:21\n")
		server.say("220 ready")
		client.hears("220 ready")
		client.say("PASV")
		server.hears("PASV")
		server.say("227 (198,18,1,20,19,136)")
		client.hears("227 (203,0,113,80,195,80)")
		b.standing("session 1 PASV: 198.18.9.7 -> 203.0.113.1:50000 => 198.18.1.20:5000 as 198.18.1.1, relayed")
		port := b.kernel.Ports()[0]
		arrive := func(from netip.Addr, names string) *algtest.Conn {
			t.Helper()
			c, err := port.Arrive(netip.AddrPortFrom(from, 40001))
			if err != nil {
				t.Fatal(err)
			}
			io.WriteString(c, names+"\n")
			return c
		}
		for _, other := range []*algtest.Conn{
			arrive(theBalancer, "203.0.113.11:4712 203.0.113.80:50000"), // of another client
			arrive(clientHost, "203.0.113.10:4712 203.0.113.80:50000"),  // who says so itself
			arrive(theBalancer, "nobody"),
		} {
			if _, err := other.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("somebody else's data connection goes on: %v", err)
			}
		}
		data := arrive(theBalancer, "203.0.113.10:4713 203.0.113.80:50000")
		target := port.Target()
		head := make([]byte, len("203.0.113.10:40001 at 203.0.113.80:50000\n"))
		if _, err := io.ReadFull(target, head); err != nil || string(head) != "203.0.113.10:40001 at 203.0.113.80:50000\n" {
			t.Errorf("the server's data connection begins with %q, %v", head, err)
		}
		sends(t, data, target, "up")
		sends(t, target, data, "down")
		if got := b.kernel.Dials()[0].Named.String(); got != "203.0.113.10:4711" {
			t.Errorf("the opener is told of %s", got)
		}
	})
}

// hearsHeader reads what is no line of FTP.
func (p *peer) hearsHeader(t *testing.T, want string) {
	t.Helper()
	got := make([]byte, len(want))
	if _, err := io.ReadFull(p.r, got); err != nil || string(got) != want {
		t.Fatalf("%s heard %q, %v; want %q", p.name, got, err, want)
	}
}

func TestLimitsAreThoseOfTheClientsBehindABalancer(t *testing.T) {
	s := testSettings()
	s.SessionsPerClient = 1
	onBench(t, behindBalancer(), s, func(b *bench) {
		for i := range 3 {
			b.arrivesFor(fmt.Sprintf("203.0.113.%d:4711 203.0.113.80:21", 10+i))
			newPeer(t, "server", b.kernel.Server())
		}
		b.arrivesFor("203.0.113.10:4712 203.0.113.80:21").hears("421 Too many sessions from your address, try again later.")
	})
}

func TestABalancerThatDoesNotSpeakIsClosed(t *testing.T) {
	onBench(t, behindBalancer(), testSettings(), func(b *bench) {
		silent, other := b.connect(theBalancer, outside), b.arrivesFor("USER joe")
		other.hearsEnd()
		began := time.Now()
		silent.hearsEnd()
		if waited := time.Since(began); waited > 10*time.Second {
			t.Errorf("its header was awaited for %s", waited)
		}
		synctest.Wait()
		b.watcher.saw(t, "turned away from legacy: proxy_header", "turned away from legacy: proxy_header")
		// It may be itself who connects, to see whether we live.
		b.arrivesFor("nobody")
		newPeer(t, "server", b.kernel.Server())
	})
}
