package alg_test

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ftpalg/alg"
	"ftpalg/alg/algtest"
	"ftpalg/alg/nat"
)

// A session that ran under two gateways is known by the second as by the one.
func TestHandoverKeepsWhatIsKnownOfASession(t *testing.T) {
	onBench(t, fronting(), onePort(testSettings()), func(b *bench) {
		client, server := b.session()
		both(client, server, "USER j\xf6rg", "331 and?")
		passive(client, server)
		both(client, server, "RETR caf\xe9", "150 here")
		b.gateway.Connected(1)
		b.gateway.Carried(1, 10, 20)
		before, _ := b.gateway.Session(1)
		counters, ports := b.gateway.Counters(), b.gateway.Ports()
		b.handOver()
		after, ok := b.gateway.Session(1)
		if got, want := fmt.Sprintf("%+v", after), fmt.Sprintf("%+v", before); !ok || !sameButPointers(got, want) {
			t.Errorf("after the handover the session is\n%s\nbefore\n%s", got, want)
		}
		if a, b := after.Transfer, before.Transfer; a == nil || a.Command != b.Command || a.File != b.File || !a.Began.Equal(b.Began) {
			t.Errorf("the running transfer is %+v, was %+v", after.Transfer, before.Transfer)
		}
		if got := b.gateway.Counters(); got != counters {
			t.Errorf("counted %+v, before %+v", got, counters)
		}
		if got := b.gateway.Ports(); got != ports {
			t.Errorf("ports %+v, before %+v", got, ports)
		}
		b.watcher.saw(t, "began 1 203.0.113.10:60001 -> 198.18.1.20:21", "announced PASV replaced  after 0s")
		server.say("226 done")
		client.hears("226 done")
		b.gateway.Disconnected(1, 52, 5052, true)
		b.watcher.saw(t, "promise 1 PASV used",
			`transfer RETR "caf\xe9" by "j\xf6rg" as A over PASV, complete true after 0s, client 52 server 5052 counted true`)
		both(client, server, "QUIT", "221 bye")
		if p := b.gateway.Ports(); p.Passive.Resting != 1 {
			t.Errorf("ports %+v, want one resting", p)
		}
		b.handOver()
		if p := b.gateway.Ports(); p.Passive.Resting != 1 {
			t.Errorf("after the second handover %+v, want one resting", p)
		}
	})
}

// sameButPointers compares two texts of %+v, in which pointers differ.
func sameButPointers(a, b string) bool {
	cut := func(s string) string {
		before, rest, _ := strings.Cut(s, "Transfer:0x")
		_, after, _ := strings.Cut(rest, " ")
		return before + after
	}
	return cut(a) == cut(b)
}

// A port that is leased to a session is not leased again by the successor, and
// no number of a session or pinhole is given twice.
func TestHandoverKeepsPortsAndNumbers(t *testing.T) {
	onBench(t, fronting(), onePort(testSettings()), func(b *bench) {
		client, server := b.session()
		passive(client, server)
		client.say("PORT 203,0,113,10,195,81")
		b.handOver()
		server.hears("PORT 198,18,1,1,199,56")
		b.standing("session 1 PASV: 203.0.113.10 -> 203.0.113.1:50000 => 198.18.1.20:5000 as 198.18.1.1",
			"session 1 PORT: 198.18.1.20 -> 198.18.1.1:51000 => 203.0.113.10:50001 as 203.0.113.1")
		server.say("200 ok")
		client.hears("200 ok")
		b.standing("session 1 PORT: 198.18.1.20 -> 198.18.1.1:51000 => 203.0.113.10:50001 as 203.0.113.1")
		client.say("PORT 203,0,113,10,195,82")
		client.hears("425 No data port is free, try again later.")
		time.Sleep(2 * time.Minute)
		b.standing()
	})
}

// What ended sessions have counted stays counted.
func TestHandoverKeepsTheCountersOfEndedSessions(t *testing.T) {
	onBench(t, fronting(), testSettings(), func(b *bench) {
		client, server := b.session()
		both(client, server, "NOOP", "200 ok")
		client.Close()
		server.Close()
		synctest.Wait()
		b.handOver()
		if c := b.gateway.Counters(); c.ClientLines != 1 || c.ServerLines != 2 {
			t.Errorf("counted %+v", c)
		}
		b.session()
		if all := b.gateway.Sessions(); len(all) != 1 || all[0].Session != 2 {
			t.Errorf("the next session is %+v, want number 2", all)
		}
	})
}

// The framing that the client's first line has decided stays in force.
func TestHandoverKeepsTheFraming(t *testing.T) {
	onBench(t, fronting(), testSettings(), func(b *bench) {
		client, server := b.session()
		both(client, server, "NOOP", "200 ok")
		b.handOver()
		client.Write([]byte("STOR x\nPORT 1,2,3,4,5,6\r\n"))
		client.hears("500 Command line with a bare LF inside.")
		b.handOver()
		long := strings.Repeat("x", 5000)
		client.Write([]byte(long))
		client.hears("500 Command line too long.")
		b.handOver()
		client.Write([]byte(long + "\r\nNOOP\r\n"))
		server.hears("NOOP")
		client.hearsNothing()
	})
}

// A client that has stopped reading does not hold up the handover, and gets
// every byte once it reads again.
func TestParkingDoesNotWaitForAPeerThatDoesNotRead(t *testing.T) {
	for name, rest := range map[string]func(*bench){
		"handed over": (*bench).handOver,
		"parked":      func(b *bench) { b.gateway.Park(); b.gateway.Unpark() },
	} {
		t.Run(name, func(t *testing.T) {
			onBench(t, fronting(), testSettings(), func(b *bench) {
				client, server := b.session()
				const lines = 4000
				go func() {
					for i := range lines {
						fmt.Fprintf(server, "200 line %d of very many\r\n", i)
					}
				}()
				synctest.Wait()
				for range 3 {
					rest(b)
					synctest.Wait()
				}
				for i := range lines {
					client.hears(fmt.Sprintf("200 line %d of very many", i))
				}
			})
		})
	}
}

// The client of a server that has gone keeps its last while, not a new one.
func TestHandoverKeepsTheEndOfASession(t *testing.T) {
	onBench(t, fronting(), testSettings(), func(b *bench) {
		client, server := b.session()
		server.say("221 bye")
		server.Close()
		client.hears("221 bye")
		client.hearsEnd()
		time.Sleep(6 * time.Second)
		b.handOver()
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if n := len(b.gateway.Sessions()); n != 0 {
			t.Errorf("%d session is left", n)
		}
	})
}

// Lines that wait for the server's greeting wait on.
func TestHandoverBeforeTheGreeting(t *testing.T) {
	onBench(t, fronting(), testSettings(), func(b *bench) {
		client := b.connect(clientHost, outside)
		server := newPeer(t, "server", b.kernel.Server())
		client.say("USER joe", "PASS secret")
		synctest.Wait()
		b.handOver()
		server.hearsNothing()
		server.say("220 ready")
		client.hears("220 ready")
		server.hears("USER joe")
		server.hears("PASS secret")
	})
}

// An encrypted session is handed over as the bytes that it is.
func TestHandoverOfAnOpaqueSession(t *testing.T) {
	onBench(t, fronting(), testSettings(), func(b *bench) {
		client, server := b.session()
		both(client, server, "AUTH TLS", "234 go on")
		b.handOver()
		client.Write([]byte("\x16\x03\x01PASV\r\n"))
		server.hears("\x16\x03\x01PASV")
		server.say("227 (198,18,1,20,19,136)")
		client.hears("227 (198,18,1,20,19,136)")
	})
}

func TestRestoreRefusesWhatItCannotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := alg.New(alg.Options{Kernel: algtest.NewKernel(netip.Addr{}), Settings: testSettings()})
		var version *alg.VersionError
		if err := g.Restore(alg.Snapshot{Version: 99}, nil, nil); !errors.As(err, &version) || version.Version != 99 {
			t.Errorf("version 99: %v", err)
		}
		one := alg.Snapshot{Version: alg.SnapshotVersion, Sessions: make([]alg.SessionSnapshot, 1)}
		if err := g.Restore(one, nil, nil); err == nil {
			t.Error("a session without connections was restored")
		}
	})
}

// A session whose listener the successor does not have is told so.
func TestHandoverToAGatewayWithoutTheListener(t *testing.T) {
	onBench(t, fronting(), testSettings(), func(b *bench) {
		client, _ := b.session()
		b.service.Name = "another"
		b.handOver()
		client.hears("421 The gateway no longer has this service.")
		client.hearsEnd()
	})
}

// Ports in quarantine rest on.
func TestPoolRestores(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := nat.Range{Low: 50000, High: 50001}
		p := nat.NewPool(time.Minute)
		p.Restore([]uint16{50000}, []nat.RestingPort{{Port: 50001, Since: time.Now().Add(-50 * time.Second)}, {Port: 50000}})
		if got, want := p.Level(r), (nat.Level{Total: 2, Leased: 1, Resting: 1}); got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
		time.Sleep(10 * time.Second)
		if got, want := p.Level(r), (nat.Level{Total: 2, Leased: 1, Free: 1}); got != want {
			t.Errorf("ten seconds later %+v, want %+v", got, want)
		}
	})
}
