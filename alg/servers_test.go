package alg_test

import (
	"fmt"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"

	"ftpalg/alg"
)

// farm are the addresses of several servers.
func farm(n int) (all []netip.AddrPort) {
	for i := range n {
		all = append(all, netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 18, 1, byte(20 + i)}), 21))
	}
	return all
}

// onFarm runs f with a gateway before three servers.
func onFarm(t *testing.T, balance alg.Balance, f func(b *bench, servers *alg.Servers)) {
	t.Helper()
	svc := fronting()
	svc.Servers = alg.NewServers(balance, farm(3), nil)
	onBench(t, svc, testSettings(), func(b *bench) { f(b, svc.Servers) })
}

// greeted begins a session whose server greets, and returns the server's
// address. It lasts until the client closes.
func (b *bench) greeted(host string) (client *peer, server netip.AddrPort) {
	client = b.connect(netip.MustParseAddr(host), outside)
	s := newPeer(b.t, "server", b.kernel.Server())
	s.say("220 ready")
	client.hears("220 ready")
	go func() {
		s.hearsEnd()
		s.Close()
	}()
	dials := b.kernel.Dials()
	return client, dials[len(dials)-1].Server
}

func TestServersTakeTurns(t *testing.T) {
	onFarm(t, alg.RoundRobin, func(b *bench, servers *alg.Servers) {
		var got []netip.AddrPort
		for range 6 {
			client, server := b.greeted("203.0.113.10")
			got = append(got, server)
			client.Close()
			synctest.Wait()
		}
		if want := append(farm(3), farm(3)...); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("sessions went to %v", got)
		}
		for _, i := range servers.Infos("legacy") {
			if i.Sessions != 0 || !i.Up {
				t.Errorf("%+v after all have ended", i)
			}
		}
	})
}

func TestServerWithTheFewestSessionsIsNext(t *testing.T) {
	onFarm(t, alg.LeastSessions, func(b *bench, servers *alg.Servers) {
		at := map[netip.AddrPort][]*peer{}
		for range 9 {
			client, server := b.greeted("203.0.113.10")
			at[server] = append(at[server], client)
		}
		for server, clients := range at {
			if len(clients) != 3 {
				t.Errorf("%s has %d of 9 sessions", server, len(clients))
			}
		}
		free := farm(3)[1]
		for _, c := range at[free][:2] {
			c.Close()
		}
		synctest.Wait()
		for range 2 {
			if _, server := b.greeted("203.0.113.10"); server != free {
				t.Errorf("the next went to %s, and %s had fewer sessions", server, free)
			}
		}
	})
}

func TestClientComesBackToItsServer(t *testing.T) {
	onFarm(t, alg.BySource, func(b *bench, servers *alg.Servers) {
		used := map[netip.AddrPort]bool{}
		home := map[string]netip.AddrPort{}
		host := func(i int) string { return fmt.Sprintf("203.0.113.%d", 10+i) }
		for i := range 60 {
			client, server := b.greeted(host(i % 30))
			client.Close()
			synctest.Wait()
			if was, again := home[host(i%30)]; again && was != server {
				t.Errorf("%s went to %s and then to %s", host(i%30), was, server)
			}
			home[host(i%30)], used[server] = server, true
		}
		if len(used) != 3 {
			t.Errorf("30 clients use %d of 3 servers", len(used))
		}
		// One that goes moves its own clients only.
		gone := farm(3)[0]
		b.gateway.NoteServer("legacy", servers, gone, syscall.ECONNREFUSED)
		for i := range 30 {
			client, server := b.greeted(host(i))
			client.Close()
			synctest.Wait()
			if was := home[host(i)]; server == gone || was != gone && server != was {
				t.Errorf("%s went from %s to %s when %s had gone", host(i), was, server, gone)
			}
		}
	})
}

func TestServerThatSendsAwayIsLeftOut(t *testing.T) {
	onFarm(t, alg.RoundRobin, func(b *bench, servers *alg.Servers) {
		client := b.connect(clientHost, outside)
		first := newPeer(t, "server", b.kernel.Server())
		first.say("421 Too many users.")
		first.hearsEnd()
		second := newPeer(t, "server", b.kernel.Server())
		second.Close() // without a word
		third := newPeer(t, "server", b.kernel.Server())
		third.say("120 wait", "220-Welcome", "220 ready")
		client.hears("120 wait")
		client.hears("220-Welcome")
		client.hears("220 ready")
		client.say("PASV")
		third.hears("PASV")
		third.say("227 (198,18,1,22,19,136)")
		if _, err := client.r.ReadString('\n'); err != nil { // a port of its own choice
			t.Error(err)
		}
		if got := b.kernel.Standing(); len(got) != 1 || got[0].Target != netip.MustParseAddrPort("198.18.1.22:5000") {
			t.Errorf("open are %v", got)
		}
		var up []bool
		for _, i := range servers.Infos("legacy") {
			up = append(up, i.Up)
		}
		if fmt.Sprint(up) != "[false false true]" {
			t.Errorf("servers up: %v", up)
		}
		if log := b.log.of("server_down"); !strings.Contains(log, "the server greets with 421") {
			t.Errorf("logged %q", log)
		}
		for range 2 { // the others are left out
			if _, server := b.greeted("203.0.113.11"); server != farm(3)[2] {
				t.Errorf("a session went to %s", server)
			}
		}
		b.gateway.NoteServer("legacy", servers, farm(3)[1], nil)
		if log := b.log.of("server_up"); !strings.Contains(log, "198.18.1.21:21") {
			t.Errorf("logged %q", log)
		}
	})
}

// With source: client a server may turn one client away (its address is
// banned, or has too many sessions): the others must not lose the server by it.
func TestServerThatTurnsOneClientAwayStaysForOthers(t *testing.T) {
	svc := fronting()
	svc.Source.Client = true
	svc.Servers = alg.NewServers(alg.RoundRobin, farm(2), nil)
	onBench(t, svc, testSettings(), func(b *bench) {
		client := b.connect(clientHost, outside)
		first := newPeer(t, "server", b.kernel.Server())
		first.say("421 There are too many connections from your internet address.")
		first.hearsEnd()
		second := newPeer(t, "server", b.kernel.Server())
		second.say("220 ready")
		client.hears("220 ready")
		for _, i := range svc.Servers.Infos("legacy") {
			if !i.Up {
				t.Errorf("left out for everybody: %+v", i)
			}
		}
	})
}

func TestNoServerIs421(t *testing.T) {
	onFarm(t, alg.RoundRobin, func(b *bench, servers *alg.Servers) {
		client := b.connect(clientHost, outside)
		for range 3 { // each is asked once
			newPeer(t, "server", b.kernel.Server()).Close()
		}
		client.hears("421 The FTP server cannot be reached: it serves nobody.")
		synctest.Wait()
		if n := len(b.kernel.Dials()); n != 3 {
			t.Errorf("%d dials", n)
		}
	})
}

func TestReloadKeepsWhatIsKnownOfServers(t *testing.T) {
	onFarm(t, alg.RoundRobin, func(b *bench, servers *alg.Servers) {
		b.gateway.NoteServer("legacy", servers, farm(3)[0], syscall.ECONNREFUSED)
		client, _ := b.greeted("203.0.113.10")
		next := alg.NewServers(alg.BySource, farm(4)[:4], servers)
		infos := next.Infos("legacy")
		if infos[0].Up || infos[1].Sessions != 1 || !infos[3].Up || infos[3].Sessions != 0 {
			t.Errorf("after a reload: %+v", infos)
		}
		client.Close()
		synctest.Wait()
		if n := next.Infos("legacy")[1].Sessions; n != 0 {
			t.Errorf("%d sessions are left", n)
		}
	})
}
