package alg_test

import (
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ftpalg/alg"
	"ftpalg/alg/algtest"
)

func TestUnreachableServerIsA421(t *testing.T) {
	onBench(t, fronting(), testSettings(), func(b *bench) {
		b.kernel.Refuse()
		client := b.connect(clientHost, outside)
		client.hears("421 The FTP server cannot be reached: connection refused.")
		client.hearsEnd()
	})
}

func TestStraightConnectionIsRefused(t *testing.T) {
	onBench(t, alg.Service{Name: "lan"}, testSettings(), func(b *bench) {
		theirs, ours := algtest.Pipe(netip.AddrPortFrom(clientHost, 60001), outside)
		b.arrivals.Deliver(alg.Arrival{Conn: ours, Reached: outside, Direct: true})
		client := newPeer(t, "client", theirs)
		client.hears("421 This is a gateway; connect to the FTP server itself.")
		client.hearsEnd()
	})
}

func TestSessionLimits(t *testing.T) {
	s := testSettings()
	s.Sessions, s.SessionsPerClient = 3, 2
	onBench(t, fronting(), s, func(b *bench) {
		b.session()
		first, server := b.session()
		b.connect(clientHost, outside).hears("421 Too many sessions from your address, try again later.")
		b.connect(netip.MustParseAddr("203.0.113.11"), outside)
		synctest.Wait()
		b.connect(netip.MustParseAddr("203.0.113.12"), outside).hears("421 Too many sessions, try again later.")
		first.Close()
		server.Close()
		synctest.Wait()
		b.session2(t)
	})
}

func TestOneIPv6ClientIsItsWholeNetwork(t *testing.T) {
	s := testSettings()
	s.SessionsPerClient = 1
	svc := alg.Service{Name: "dmz", Source: alg.Source{Client: true}}
	far := netip.MustParseAddrPort("[2001:db8:2::20]:21")
	onBench(t, svc, s, func(b *bench) {
		b.connect(netip.MustParseAddr("2001:db8:1::10"), far)
		b.kernel.Server()
		b.connect(netip.MustParseAddr("2001:db8:1::ffff:11"), far).hears("421 Too many sessions from your address, try again later.")
		b.connect(netip.MustParseAddr("2001:db8:1:1::10"), far)
		b.kernel.Server() // another /64 is another client
	})
}

func TestAnnouncementsThatAwaitAnAnswerAreLimited(t *testing.T) {
	const most = 16
	onBench(t, fronting(), testSettings(), func(b *bench) {
		client, server := b.session()
		for range most + 1 {
			client.say("PORT 203,0,113,10,195,81")
		}
		for range most {
			if line, err := server.r.ReadString('\n'); err != nil || !strings.HasPrefix(line, "PORT 198,18,1,1,") {
				t.Fatalf("the server heard %q, %v", line, err)
			}
		}
		server.hearsNothing()
		if n := len(b.kernel.Standing()); n != most {
			t.Errorf("%d pinholes are open, want %d", n, most)
		}
		server.say("200 ok")
		client.hears("200 ok")
		if line, err := server.r.ReadString('\n'); err != nil || !strings.HasPrefix(line, "PORT 198,18,1,1,") {
			t.Errorf("after one answer the server heard %q, %v", line, err)
		}
	})
}

func TestEncryptedSessionMayBeSilentForTwoHours(t *testing.T) {
	onBench(t, fronting(), testSettings(), func(b *bench) {
		client, server := b.session()
		client.say("AUTH TLS")
		server.hears("AUTH TLS")
		server.say("234 go")
		client.hears("234 go")
		time.Sleep(2*time.Hour + 3*time.Minute)
		if len(b.gateway.Sessions()) != 1 {
			t.Error("the session ended early")
		}
		time.Sleep(2 * time.Minute)
		client.hearsEnd() // without a word: it would fall into the encrypted stream
		server.hearsEnd()
	})
}

// session2 takes a session past the servers that a test left unanswered.
func (b *bench) session2(t *testing.T) {
	t.Helper()
	newPeer(t, "server", b.kernel.Server())
	b.session()
}

func TestIdleSessionEndsButNotDuringATransfer(t *testing.T) {
	onBench(t, fronting(), testSettings(), func(b *bench) {
		client, server := b.session()
		client.say("RETR x")
		server.hears("RETR x")
		server.say("150 opening")
		client.hears("150 opening")
		time.Sleep(3 * time.Hour)
		server.say("226 done")
		client.hears("226 done")
		time.Sleep(14 * time.Minute)
		if len(b.gateway.Sessions()) != 1 {
			t.Error("the session ended early")
		}
		time.Sleep(2 * time.Minute)
		client.hears("421 Nothing was said for too long.")
		client.hearsEnd()
		server.hearsEnd()
	})
}

// chatter says more than anybody reads, until the connection ends.
func chatter(server *peer) {
	for {
		if _, err := server.Write([]byte("200 more\r\n")); err != nil {
			return
		}
	}
}

func TestClientThatReadsNothingHarmsNobodyElse(t *testing.T) {
	onBench(t, fronting(), testSettings(), func(b *bench) {
		_, chatty := b.session()
		done := make(chan struct{})
		go func() {
			defer close(done)
			chatter(chatty)
		}()
		client, server := b.session()
		client.say("NOOP")
		server.hears("NOOP")
		server.say("200 ok")
		client.hears("200 ok")
		time.Sleep(time.Hour) // the silent one is idle: nothing of it moves
		<-done
	})
}

func TestLongLineIsRefusedAndTheSessionLives(t *testing.T) {
	onBench(t, fronting(), testSettings(), func(b *bench) {
		client, server := b.session()
		client.say("NOOP "+strings.Repeat("x", 20000), "NOOP")
		client.hears("500 Command line too long.")
		server.hears("NOOP")
		server.say("200 " + strings.Repeat("y", 20000))
		client.hears("200 " + strings.Repeat("y", 20000))
	})
}

func TestOtherProtocolEndsTheSession(t *testing.T) {
	onBench(t, fronting(), testSettings(), func(b *bench) {
		client, server := b.session()
		client.say("POST / HTTP/1.1", "PORT 203,0,113,10,195,81")
		client.hears("500 This is FTP.")
		client.hearsEnd()
		server.hearsEnd()
	})
}

func TestDrainWaitsForTransfers(t *testing.T) {
	onBench(t, fronting(), testSettings(), func(b *bench) {
		idle, _ := b.session()
		busy, server := b.session()
		busy.say("RETR x")
		server.hears("RETR x")
		server.say("150 opening")
		busy.hears("150 opening")
		drained := make(chan struct{})
		go func() { b.gateway.Drain(t.Context()); close(drained) }()
		idle.hears("421 The gateway is shutting down.")
		idle.hearsEnd()
		time.Sleep(time.Minute)
		server.say("226 done")
		busy.hears("226 done")
		busy.hears("421 The gateway is shutting down.")
		<-drained
	})
}

// Clients that do not read may not hold up the end, however many they are.
func TestDrainGivesUpOnAllThatDoNotReadTogether(t *testing.T) {
	onBench(t, fronting(), testSettings(), func(b *bench) {
		for range 10 {
			_, chatty := b.session()
			go chatter(chatty)
		}
		synctest.Wait()
		began := time.Now()
		b.gateway.Drain(t.Context())
		if took := time.Since(began); took > time.Second {
			t.Errorf("it took %s", took)
		}
	})
}

// One client's sessions leave ports for everybody else.
func TestOneClientHasItsShareOfTheDataPorts(t *testing.T) {
	s := testSettings()
	s.PromisesPerClient = 2
	onBench(t, fronting(), s, func(b *bench) {
		pasv := func(client, server *peer, want string) {
			t.Helper()
			client.say("PASV")
			server.hears("PASV")
			server.say("227 (198,18,1,20,19,136)")
			if line, err := client.r.ReadString('\n'); err != nil || !strings.HasPrefix(line, want) {
				t.Errorf("the client heard %q, %v; want %q", line, err, want)
			}
		}
		var greedy [3]struct{ client, server *peer }
		for i := range greedy {
			greedy[i].client, greedy[i].server = b.session()
		}
		pasv(greedy[0].client, greedy[0].server, "227 ")
		pasv(greedy[1].client, greedy[1].server, "227 ")
		pasv(greedy[2].client, greedy[2].server, "425 Your address has too many data connections")
		other := b.connect(netip.MustParseAddr("203.0.113.11"), outside)
		server := newPeer(t, "server", b.kernel.Server())
		server.say("220 ready")
		other.hears("220 ready")
		pasv(other, server, "227 ")
		greedy[0].client.Abort()
		synctest.Wait()
		pasv(greedy[2].client, greedy[2].server, "227 ")
	})
}
