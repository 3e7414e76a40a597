package alg_test

import (
	"bufio"
	"context"
	"encoding/json"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ftpalg/alg"
	"ftpalg/alg/algtest"
	"ftpalg/alg/nat"
)

// The hosts of these tests: a client outside, a gateway with two addresses,
// a server inside.
var (
	clientHost = netip.MustParseAddr("203.0.113.10")
	outside    = netip.MustParseAddrPort("203.0.113.1:21")
	inside     = netip.MustParseAddr("198.18.1.1")
	ftpServer  = netip.MustParseAddrPort("198.18.1.20:21")

	clientHost6 = netip.MustParseAddr("2001:db8:1::10")
	outside6    = netip.MustParseAddrPort("[2001:db8:1::1]:21")
	inside6     = netip.MustParseAddr("2001:db8:2::1")
	ftpServer6  = netip.MustParseAddrPort("[2001:db8:2::20]:21")
)

func testSettings() alg.Settings {
	return alg.Settings{
		PassivePorts: nat.Range{Low: 50000, High: 50099}, ActivePorts: nat.Range{Low: 51000, High: 51099},
		PinholeTimeout: time.Minute, ConnectTimeout: 10 * time.Second, IdleTimeout: 15 * time.Minute,
		Sessions: 100, SessionsPerClient: 10, CommandLine: 4096,
	}
}

// bench is a gateway with one listener in a synctest bubble.
type bench struct {
	t        *testing.T
	kernel   *algtest.Kernel
	gateway  *alg.Gateway
	arrivals *algtest.Acceptor
	watcher  watcher
	log      logged
	port     uint16
	options  alg.Options
	service  alg.Service
	stop     func()     // ends Serve
	served   chan error // what Serve has returned
}

// logged is what a gateway logs, trace included, as text and without times.
type logged struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logged) logger() *slog.Logger {
	timeless := func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: alg.LevelTrace, ReplaceAttr: timeless}))
}

// of returns the lines of an event so far.
func (l *logged) of(event string) string {
	synctest.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	var b strings.Builder
	for line := range strings.Lines(l.text.String()) {
		if strings.Contains(line, " event="+event+" ") {
			b.WriteString(line)
		}
	}
	return b.String()
}

// onBench runs f in a bubble, then ends everything and waits for it.
func onBench(t *testing.T, svc alg.Service, s alg.Settings, f func(*bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := &bench{t: t, kernel: algtest.NewKernel(inside), port: 60000}
		b.options = alg.Options{Kernel: b.kernel, Log: b.log.logger(), Observer: b.watcher.observer(), Settings: s,
			ReadLowWater: func(c alg.Conn, bytes int) error { return c.(*algtest.Conn).SetReadLowWater(bytes) }}
		b.service = svc
		b.gateway = alg.New(b.options)
		b.serve()
		defer b.end()
		f(b)
	})
}

// serve starts to serve the gateway's one listener.
func (b *bench) serve() {
	ctx, stop := context.WithCancel(b.t.Context())
	b.arrivals, b.stop, b.served = algtest.NewAcceptor(), stop, make(chan error, 1)
	go func() { b.served <- b.gateway.Serve(ctx, func() alg.Service { return b.service }, b.arrivals) }()
}

// stopServing ends Serve and waits for it.
func (b *bench) stopServing() {
	b.stop()
	if err := <-b.served; err != nil {
		b.t.Errorf("Serve: %v", err)
	}
}

// handOver has another gateway take over the sessions, by way of a snapshot in
// JSON.
func (b *bench) handOver() {
	b.t.Helper()
	b.stopServing()
	snapshot, connections := b.gateway.Park()
	text, err := json.Marshal(snapshot)
	if err != nil {
		b.t.Fatal(err)
	}
	var read alg.Snapshot
	if err := json.Unmarshal(text, &read); err != nil {
		b.t.Fatal(err)
	}
	successor := alg.New(b.options)
	service := func(listener string) (alg.Service, bool) { return b.service, listener == b.service.Name }
	if err := successor.Restore(read, connections, service); err != nil {
		b.t.Fatal(err)
	}
	b.gateway.Leave()
	b.gateway = successor
	successor.Unpark()
	b.serve()
}

// end ends the gateway, whatever state the test left it in.
func (b *bench) end() {
	b.stopServing()
	over, cancel := context.WithCancel(context.Background())
	cancel()
	b.gateway.Drain(over)
	if left := b.kernel.Standing(); len(left) > 0 {
		b.t.Errorf("after the end these stand open: %v", left)
	}
	if left := b.gateway.Sessions(); len(left) > 0 {
		b.t.Errorf("after the end these sessions are left: %v", left)
	}
}

func fronting() alg.Service { return alg.Service{Name: "legacy", Server: ftpServer} }

// peer plays one side of a control connection.
type peer struct {
	*algtest.Conn
	t    *testing.T
	name string
	r    *bufio.Reader
}

func newPeer(t *testing.T, name string, c *algtest.Conn) *peer {
	return &peer{Conn: c, t: t, name: name, r: bufio.NewReader(c)}
}

// say writes lines, each ended with CRLF, in one piece.
func (p *peer) say(lines ...string) {
	p.t.Helper()
	if _, err := p.Write([]byte(strings.Join(lines, "\r\n") + "\r\n")); err != nil {
		p.t.Fatalf("%s cannot say %q: %v", p.name, lines, err)
	}
}

// hears reads one line and compares it.
func (p *peer) hears(want string) {
	p.t.Helper()
	if got := p.next(); got != want+"\r\n" {
		p.t.Fatalf("%s heard %q, want %q", p.name, got, want)
	}
}

// next reads one line.
func (p *peer) next() string {
	p.t.Helper()
	p.SetReadDeadline(time.Now().Add(time.Hour))
	got, err := p.r.ReadString('\n')
	if err != nil {
		p.t.Fatalf("%s heard %q, %v", p.name, got, err)
	}
	return got
}

// hearsNothing fails if anything has come, or comes before all is idle.
func (p *peer) hearsNothing() {
	p.t.Helper()
	synctest.Wait()
	p.SetReadDeadline(time.Now().Add(time.Nanosecond)) // a passed deadline would hide what has come
	defer p.SetReadDeadline(time.Time{})
	if b, err := p.r.Peek(1); err == nil {
		rest, _ := p.r.Peek(p.r.Buffered())
		p.t.Fatalf("%s heard %q%q, want nothing", p.name, b, rest)
	}
}

// hearsEnd fails unless the stream ends.
func (p *peer) hearsEnd() {
	p.t.Helper()
	p.SetReadDeadline(time.Now().Add(time.Hour))
	if line, err := p.r.ReadString('\n'); err == nil || line != "" {
		p.t.Fatalf("%s heard %q, %v; want the end", p.name, line, err)
	}
}

// connect opens a control connection from host.
func (b *bench) connect(host netip.Addr, reached netip.AddrPort) *peer {
	b.port++
	theirs, ours := algtest.Pipe(netip.AddrPortFrom(host, b.port), reached)
	b.arrivals.Deliver(alg.Arrival{Conn: ours, Reached: reached})
	return newPeer(b.t, "client", theirs)
}

// session opens a control connection and answers it as the server, greeting
// included.
func (b *bench) session() (client, server *peer) {
	b.t.Helper()
	client = b.connect(clientHost, outside)
	server = newPeer(b.t, "server", b.kernel.Server())
	server.say("220 ready")
	client.hears("220 ready")
	return client, server
}

// standing fails unless exactly these expectations stand.
func (b *bench) standing(want ...string) {
	b.t.Helper()
	synctest.Wait()
	var got []string
	for _, e := range b.kernel.Standing() {
		got = append(got, e.String())
	}
	if g, w := strings.Join(got, "\n"), strings.Join(want, "\n"); g != w {
		b.t.Fatalf("these stand open:\n%s\nwant:\n%s", g, w)
	}
}
