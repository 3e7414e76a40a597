package alg_test

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"ftpalg/alg"
	"ftpalg/alg/algtest"
	"ftpalg/alg/expect"
)

var dataHost = netip.AddrPortFrom(clientHost, 40001)

// onRelay runs f with a session whose PASV was promised, and the port at which
// its data connection is awaited.
func onRelay(t *testing.T, f func(b *bench, client, server *peer, p *algtest.DataPort)) {
	t.Helper()
	s := onePort(testSettings())
	s.Relay = true
	onBench(t, fronting(), s, func(b *bench) {
		client, server := b.session()
		passive(client, server)
		f(b, client, server, b.kernel.Ports()[0])
	})
}

// arrive connects to the port as the promised host, and returns that end and
// the target's.
func arrive(t *testing.T, p *algtest.DataPort) (client, target *algtest.Conn) {
	t.Helper()
	client, err := p.Arrive(dataHost)
	if err != nil {
		t.Fatal(err)
	}
	return client, p.Target()
}

// sends writes text and ends the stream, and fails unless it comes out at the
// other end of the gateway with its end.
func sends(t *testing.T, from, to *algtest.Conn, text string) {
	t.Helper()
	go func() {
		io.WriteString(from, text)
		from.CloseWrite()
	}()
	got, err := io.ReadAll(to)
	if err != nil || string(got) != text {
		t.Fatalf("%d bytes came out, %v; want %d", len(got), err, len(text))
	}
}

func TestRelayCarriesBothDirectionsAndCountsThemExactly(t *testing.T) {
	onRelay(t, func(b *bench, client, server *peer, p *algtest.DataPort) {
		both(client, server, "RETR x", "150 here")
		data, target := arrive(t, p)
		if got := target.RemoteAddr().String(); got != "198.18.1.1:40001" {
			t.Errorf("the server sees %s", got)
		}
		// One end at a time: what the server says last still arrives.
		sends(t, data, target, "up")
		sends(t, target, data, strings.Repeat("down", 1<<20))
		synctest.Wait()
		b.watcher.saw(t, "began 1 203.0.113.10:60001 -> 198.18.1.20:21", "announced PASV replaced  after 0s")
		server.say("226 done")
		client.hears("226 done")
		b.watcher.saw(t,
			`transfer RETR "x" by "" as A over PASV, complete true after 0s, client 2 server 4194304 counted true`,
			"promise 1 PASV used")
		b.standing()
	})
}

func TestRelayLetsInThePromisedHostOnce(t *testing.T) {
	onRelay(t, func(b *bench, client, server *peer, p *algtest.DataPort) {
		stranger, err := p.Arrive(netip.MustParseAddrPort("203.0.113.66:4000"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := stranger.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("the stranger read %v", err)
		}
		data, target := arrive(t, p)
		synctest.Wait()
		if _, err := p.Arrive(dataHost); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("a second connection: %v", err)
		}
		sends(t, target, data, "down")
		data.Close()
	})
}

func TestRelayPassesAResetOnAsAReset(t *testing.T) {
	for name, of := range map[string]func(data, target *algtest.Conn) (cut, other *algtest.Conn){
		"the client's": func(data, target *algtest.Conn) (*algtest.Conn, *algtest.Conn) { return data, target },
		"the server's": func(data, target *algtest.Conn) (*algtest.Conn, *algtest.Conn) { return target, data },
	} {
		t.Run(name, func(t *testing.T) {
			onRelay(t, func(b *bench, client, server *peer, p *algtest.DataPort) {
				data, target := arrive(t, p)
				cut, other := of(data, target)
				io.WriteString(cut, "half a fi")
				synctest.Wait()
				cut.Abort()
				if _, err := io.ReadAll(other); !errors.Is(err, syscall.ECONNRESET) {
					t.Errorf("the other side read %v", err)
				}
			})
		})
	}
}

func TestRelayResetsAClientWhoseServerCannotBeReached(t *testing.T) {
	onRelay(t, func(b *bench, client, server *peer, p *algtest.DataPort) {
		b.kernel.FailDial = func(expect.Expectation) error { return syscall.ECONNREFUSED }
		data, err := p.Arrive(dataHost)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := data.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("it read %v", err)
		}
		if log := b.log.of("data_unreachable"); !strings.Contains(log, "connection refused") || !strings.Contains(log, "session=1") {
			t.Errorf("logged %q", log)
		}
	})
}

func TestRelayThatNobodyUsesEndsWithItsPromise(t *testing.T) {
	onRelay(t, func(b *bench, client, server *peer, p *algtest.DataPort) {
		time.Sleep(2 * time.Minute)
		if _, err := p.Arrive(dataHost); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("after two minutes: %v", err)
		}
		b.standing()
	})
}

func TestKillCutsWhatIsRelayed(t *testing.T) {
	onRelay(t, func(b *bench, client, server *peer, p *algtest.DataPort) {
		both(client, server, "RETR x", "150 here")
		data, target := arrive(t, p)
		synctest.Wait()
		b.gateway.Kill(1)
		for _, c := range []*algtest.Conn{data, target} {
			if _, err := io.ReadAll(c); !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("it read %v", err)
			}
		}
	})
}

// The data of a transfer goes on when its control connection ends, as it does
// where the kernel forwards it.
func TestRelayOutlivesItsSession(t *testing.T) {
	onRelay(t, func(b *bench, client, server *peer, p *algtest.DataPort) {
		both(client, server, "RETR x", "150 here")
		data, target := arrive(t, p)
		client.Close()
		server.Close()
		synctest.Wait()
		sends(t, target, data, strings.Repeat("down", 100000))
		data.Close()
	})
}

func TestRelayOfWhichNothingIsLeftEnds(t *testing.T) {
	for name, c := range map[string]struct {
		begin func(data *algtest.Conn, client, server *peer)
		ends  bool
	}{
		"a pause in a transfer": {func(*algtest.Conn, *peer, *peer) {}, false},
		"half closed":           {func(data *algtest.Conn, _, _ *peer) { data.CloseWrite() }, true},
		"its session has ended": {func(_ *algtest.Conn, client, server *peer) { client.Close(); server.Close() }, true},
	} {
		t.Run(name, func(t *testing.T) {
			onRelay(t, func(b *bench, client, server *peer, p *algtest.DataPort) {
				both(client, server, "RETR x", "150 here")
				_, target := arrive(t, p)
				c.begin(target, client, server)
				time.Sleep(10 * time.Minute)
				d, known := b.gateway.Data(1)
				if ended := !known || d.State == alg.DataClosed; ended != c.ends {
					t.Errorf("after ten minutes it has ended: %v", ended)
				}
			})
		})
	}
}

func TestRelayWritesDownWhatASlowTransferHasCarried(t *testing.T) {
	onRelay(t, func(b *bench, client, server *peer, p *algtest.DataPort) {
		both(client, server, "RETR x", "150 here")
		data, target := arrive(t, p)
		go io.Copy(io.Discard, data)
		block := make([]byte, 8<<10)
		for range 60 {
			target.Write(block)
			time.Sleep(time.Second)
		}
		d, ok := b.gateway.Data(1)
		if !ok || !d.Relayed || d.State != alg.DataConnected || d.FromServer < 50*uint64(len(block)) {
			t.Errorf("after a minute: %+v", d)
		}
	})
}

func TestRelayTakesNoWordOfTheKernelForItsOwn(t *testing.T) {
	onRelay(t, func(b *bench, client, server *peer, p *algtest.DataPort) {
		b.gateway.Connected(1)
		b.gateway.Carried(1, 9999, 9999)
		b.gateway.Disconnected(1, 9999, 9999, true)
		data, target := arrive(t, p)
		sends(t, data, target, "up")
		if d, _ := b.gateway.Data(1); d.State != alg.DataConnected || d.FromServer != 0 {
			t.Errorf("it is %+v", d)
		}
	})
}

// An active server connects, sends a small file and says so before the relay
// has had its turn: the client still waits for it.
func TestRelayCarriesWhatCameBeforeTheServersFinalReply(t *testing.T) {
	onRelay(t, func(b *bench, client, server *peer, p *algtest.DataPort) {
		client.say("RETR x")
		server.hears("RETR x")
		server.say("150 here", "226 done")
		client.hears("150 here")
		client.hears("226 done")
		data, target := arrive(t, p)
		sends(t, target, data, "small")
		data.Close()
		synctest.Wait()
		b.standing()
	})
}

func TestRelayOfASlowClientIsCountedToItsEnd(t *testing.T) {
	onRelay(t, func(b *bench, client, server *peer, p *algtest.DataPort) {
		both(client, server, "RETR x", "150 here")
		data, target := arrive(t, p)
		go func() {
			target.Write(make([]byte, 100000))
			target.CloseWrite()
		}()
		server.say("226 done")
		client.hears("226 done")
		time.Sleep(time.Minute)
		b.watcher.saw(t, "began 1 203.0.113.10:60001 -> 198.18.1.20:21", "announced PASV replaced  after 0s", "promise 1 PASV used")
		io.Copy(io.Discard, data)
		data.Close()
		b.watcher.saw(t, `transfer RETR "x" by "" as A over PASV, complete true after 0s, client 0 server 100000 counted true`)
	})
}

func TestNoReplyOvertakesTheDataConnectionToTheClient(t *testing.T) {
	s := onePort(testSettings())
	s.Relay = true
	onBench(t, fronting(), s, func(b *bench) {
		b.kernel.FailDial = func(expect.Expectation) error { time.Sleep(time.Second); return nil }
		client, server := b.session()
		client.say("PORT 203,0,113,10,195,81")
		server.hears("PORT 198,18,1,1,199,56")
		both(client, server, "NOOP", "200 ok")
		client.say("RETR x")
		server.hears("RETR x")
		data, err := b.kernel.Ports()[0].Arrive(ftpServer)
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		server.say("150 here", "226 done")
		client.hears("150 here")
		client.hears("226 done")
		if took := time.Since(began); took != time.Second {
			t.Errorf("the reply came after %s, the connection after 1s", took)
		}
		data.Close()
	})
}

func TestDrainLetsWhatIsRelayedArrive(t *testing.T) {
	onRelay(t, func(b *bench, client, server *peer, p *algtest.DataPort) {
		both(client, server, "RETR x", "150 here")
		data, target := arrive(t, p)
		go func() {
			target.Write(make([]byte, 200000))
			target.CloseWrite()
		}()
		synctest.Wait()
		b.stopServing()
		drained := make(chan bool)
		go func() {
			b.gateway.Drain(t.Context())
			close(drained)
		}()
		server.say("226 done")
		client.hears("226 done")
		client.hears("421 The gateway is shutting down.")
		time.Sleep(time.Minute)
		if got, err := io.ReadAll(data); err != nil || len(got) != 200000 {
			t.Errorf("%d bytes came out, %v", len(got), err)
		}
		data.Close()
		<-drained
		b.serve() // for the end of the bench
	})
}

// A port of the range may be another program's at this moment: the next one is
// tried, and only those.
func TestRelayTriesAnotherPortWhereOneIsInUse(t *testing.T) {
	s := testSettings()
	s.Relay = true
	onBench(t, fronting(), s, func(b *bench) {
		var tried []netip.AddrPort
		b.kernel.FailOpen = func(e expect.Expectation) error {
			tried = append(tried, e.Reached)
			if len(tried) <= 2 {
				return &os.SyscallError{Syscall: "bind", Err: syscall.EADDRINUSE}
			}
			return nil
		}
		client, server := b.session()
		client.say("PASV")
		server.hears("PASV")
		server.say("227 (198,18,1,20,19,136)")
		synctest.Wait()
		if len(tried) != 3 {
			t.Fatalf("tried %v", tried)
		}
		port := tried[2].Port()
		client.hears(fmt.Sprintf("227 (203,0,113,1,%d,%d)", port>>8, port&0xff))
		if len(tried) != 3 || tried[0] == tried[1] || tried[1] == tried[2] || tried[0] == tried[2] {
			t.Errorf("tried %v", tried)
		}
		b.kernel.FailOpen = func(e expect.Expectation) error {
			tried = append(tried, e.Reached)
			return syscall.EACCES
		}
		tried = nil
		client.say("EPSV")
		server.hears("EPSV")
		server.say("229 ok (|||5000|)")
		client.hears("425 The data connection cannot be opened at the gateway.")
		if len(tried) != 1 {
			t.Errorf("tried %v after another error", tried)
		}
	})
}

func TestAQuickStreamThatPausesIsReadToItsLastByte(t *testing.T) {
	onRelay(t, func(b *bench, client, server *peer, p *algtest.DataPort) {
		data, target := arrive(t, p)
		const quick = 64 << 20
		go io.Copy(target, io.LimitReader(zeros{}, quick))
		if n, err := io.Copy(io.Discard, io.LimitReader(data, quick)); n != quick {
			t.Fatalf("%d bytes came out, %v", n, err)
		}
		for _, text := range []string{"a word", "and another one"} {
			io.WriteString(target, text)
			got := make([]byte, len(text))
			data.SetReadDeadline(time.Now().Add(time.Second))
			if _, err := io.ReadFull(data, got); err != nil || string(got) != text {
				t.Errorf("behind a quick stream comes %q, %v; want %q", got, err, text)
			}
		}
		sends(t, target, data, "the end")
		data.Close()
		synctest.Wait()
		if d, _ := b.gateway.Session(1); d.Data[0].FromServer != quick+28 {
			t.Errorf("%d bytes are counted", d.Data[0].FromServer)
		}
	})
}

// zeros is a stream of them.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }
