package e2e

import (
	"cmp"
	"fmt"
	"io"
	"math/rand/v2"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"ftpalg/deploy/lab"
	"ftpalg/deploy/lab/ftp"
)

// setting returns a number of the environment.
func setting(t *testing.T, name, otherwise string) int {
	t.Helper()
	n, err := strconv.Atoi(cmp.Or(os.Getenv(name), otherwise))
	try(t, err)
	return n
}

// transferring is how many clients transfer at one time.
const transferring = 64

// Many sessions are held while some of them transfer, and none of them notices
// an upgrade. FTPALG_SESSIONS is how many.
func TestManySessionsAreHeldWhileSomeTransfer(t *testing.T) {
	s, g := newCrowd(t)
	held := s.hold(t, setting(t, "FTPALG_SESSIONS", "1000"))
	began := time.Now()
	s.transferAtOnce(t)
	t.Logf("%d transfers beside %d sessions took %s", transferring*len(allModes()), len(held), time.Since(began))
	before := g.opener(t)
	began = time.Now()
	_, err := g.ask("upgrade")
	try(t, err)
	t.Logf("an upgrade with %d sessions took %s", len(held), time.Since(began))
	g.hasSucceeded(t, before)
	s.transferAtOnce(t)
	for n, c := range held {
		if r, err := c.Cmd("NOOP"); err != nil || r.Code != 200 {
			t.Fatalf("session %d of %d: %s, %v", n, len(held), r, err)
		}
	}
	for _, c := range held {
		c.Close()
	}
	within(t, waitTimeout, "all have gone", func() error {
		if n := len(g.sessions(t)); n > 0 {
			return fmt.Errorf("%d sessions", n)
		}
		return nil
	})
	g.closedAgain(t)
	g.stopSuccessor(t)
}

// crowd is a scene whose server has room for many.
type crowd struct{ *scene }

func newCrowd(t *testing.T) (*crowd, *gateway) {
	t.Helper()
	s := newHosts(t, lab.Inbound)
	server := &ftp.Server{
		Files: ftp.NewFiles(map[string]ftp.Content{"file": ftp.Random(1, 100_000)}, "discard"), Listen: s.Server.Listen, Dial: s.Server.Dial,
	}
	// One host plays many clients, whose ports would not come again so soon.
	_, err := s.Client.Command(t.Context(), "sysctl", "-w", "net.ipv4.tcp_max_tw_buckets=0").Output()
	try(t, err)
	l, err := s.Server.Listen("tcp", netip.AddrPortFrom(s.Own, 21).String())
	try(t, err)
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	t.Cleanup(func() {
		server.Close()
		try(t, <-served)
	})
	g := startGateway(t, s.Gateway, settings{
		listeners: "[{name: crowd, listen: 203.0.113.1:21, server: 198.18.1.20:21}]", passive: "40000-49999", active: "50000-59999",
		limits: "{sessions: 10000, sessions_per_client: 10000, promises_per_client: 9000}", log: "{level: info, format: text}",
	})
	return &crowd{s}, g
}

// hold opens sessions and leaves them idle.
func (s *crowd) hold(t *testing.T, n int) (held []*ftp.Client) {
	t.Helper()
	const atOnce = 8
	var opening sync.WaitGroup
	var mu sync.Mutex
	var failed error
	for k := range atOnce {
		opening.Go(func() {
			for i := k; i < n; i += atOnce {
				c, err := s.login(t)
				mu.Lock()
				if err != nil {
					failed = err
					mu.Unlock()
					return
				}
				held = append(held, c)
				mu.Unlock()
			}
		})
	}
	opening.Wait()
	try(t, failed)
	t.Cleanup(func() {
		for _, c := range held {
			c.Close()
		}
	})
	return held
}

func (s *crowd) login(t *testing.T) (*ftp.Client, error) {
	c, err := ftp.Connect(t.Context(), netip.AddrPortFrom(s.Contact, 21).String(),
		ftp.Options{Dial: s.Client.Dial, Listen: s.Client.Listen, Timeout: waitTimeout})
	if err != nil {
		return nil, err
	}
	if err := c.Login("anonymous", "e2e@example.net"); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// transferAtOnce has some clients transfer side by side, in every mode.
func (s *crowd) transferAtOnce(t *testing.T) {
	t.Helper()
	var transfers sync.WaitGroup
	failed := make(chan error, transferring)
	for range transferring {
		transfers.Go(func() {
			c, err := s.login(t)
			if err != nil {
				failed <- err
				return
			}
			defer c.Close()
			for _, m := range allModes() {
				if got, err := c.Retrieve(m, "file", io.Discard); err != nil || got.Bytes != 100_000 {
					failed <- fmt.Errorf("%s: %d bytes, %w", m, got.Bytes, err)
					return
				}
			}
			failed <- c.Quit()
		})
	}
	transfers.Wait()
	for range transferring {
		if err := <-failed; err != nil {
			t.Error(err)
		}
	}
}

// Logins, transfers, aborts, vanishing clients and upgrades at random, for a long
// time: what the gateway uses comes back to where it was. FTPALG_SOAK is for how
// many seconds.
func TestASoakLeavesNothingBehind(t *testing.T) {
	s, g := newCrowd(t)
	seconds := setting(t, "FTPALG_SOAK", "10")
	s.misbehave(t, time.Now().Add(3*time.Second)) // until everything has been used once
	s.settled(t, g)
	before := usage(t, g)
	s.misbehave(t, time.Now().Add(time.Duration(seconds)*time.Second))
	s.settled(t, g)
	var after resources
	within(t, waitTimeout, "descriptors and threads are what they were", func() error {
		after = usage(t, g)
		if after.descriptors > before.descriptors+8 || after.threads > before.threads+16 {
			return fmt.Errorf("before %+v, after %+v", before, after)
		}
		return nil
	})
	t.Logf("before %+v, after %d s %+v", before, seconds, after)
	// The heap follows what was alive, so there is some play in it.
	if after.kilobytes > before.kilobytes+before.kilobytes/2 {
		t.Errorf("resident memory was %d KB and is %d KB", before.kilobytes, after.kilobytes)
	}
	g.stop(t)
	showWarnings(t, g)
}

// showWarnings shows what a failed test's gateway has warned of first.
func showWarnings(t *testing.T, g *gateway) {
	t.Helper()
	shown := 0
	for line := range strings.Lines(g.log(t)) {
		if t.Failed() && shown < 10 && !strings.Contains(line, "level=INFO") {
			t.Log(line)
			shown++
		}
	}
}

// resources are what a gateway's two processes use.
type resources struct{ descriptors, threads, kilobytes int }

func usage(t *testing.T, g *gateway) (r resources) {
	t.Helper()
	for _, process := range []int{g.opener(t), g.worker(t)} {
		all, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", process))
		try(t, err)
		r.descriptors += len(all)
		var n int
		_, err = fmt.Sscan(ofProcess(t, process, "Threads"), &n)
		try(t, err)
		r.threads += n
		_, err = fmt.Sscan(ofProcess(t, process, "VmRSS"), &n)
		try(t, err)
		r.kilobytes += n
	}
	return r
}

// settled waits until no session, pinhole or rule is left.
func (s *crowd) settled(t *testing.T, g *gateway) {
	t.Helper()
	within(t, 2*waitTimeout, "all have gone", func() error {
		if n := len(g.sessions(t)); n > 0 {
			return fmt.Errorf("%d sessions", n)
		}
		return nil
	})
	g.closedAgain(t)
}

// pace is how long each client waits before it comes back. Faster ones would use
// the same ports again while their last packets are still under way.
const pace = 40 * time.Millisecond

// misbehave has clients do everything that clients do, until then.
func (s *crowd) misbehave(t *testing.T, until time.Time) {
	t.Helper()
	var clients sync.WaitGroup
	var served, failed sync.Map
	for k := range 16 {
		clients.Go(func() {
			for n := 0; time.Now().Before(until); n++ {
				time.Sleep(pace)
				if err := s.oneClient(t, allModes()[rand.IntN(4)], rand.IntN(8)); err != nil {
					failed.Store(fmt.Sprintf("%d %d", k, n), err)
				} else {
					served.Store(fmt.Sprintf("%d %d", k, n), true)
				}
			}
		})
	}
	clients.Wait()
	good := 0
	served.Range(func(_, _ any) bool { good++; return true })
	failed.Range(func(who, err any) bool {
		t.Errorf("client %s: %v", who, err)
		return true
	})
	if good < 50 {
		t.Errorf("only %d clients were served", good)
	}
}

// oneClient is one client of some kind. What it does itself is no error.
func (s *crowd) oneClient(t *testing.T, m ftp.Mode, kind int) error {
	c, err := s.login(t)
	if err != nil {
		return err
	}
	defer c.Close()
	switch kind {
	case 0: // leaves in the middle of a transfer
		data, err := c.Open(m, "RETR file")
		if err != nil {
			return err
		}
		c.Close()
		return data.Close()
	case 1: // leaves promises behind
		_, err := c.Cmd("EPSV")
		return err
	case 2: // closes the data connection early
		data, err := c.Open(m, "RETR file")
		if err != nil {
			return err
		}
		data.Read(make([]byte, 1))
		return data.Close()
	case 3: // resets
		c.Control().(interface{ SetLinger(int) error }).SetLinger(0)
		return nil
	case 4: // uploads
		_, err = c.Store(m, "discard/x", ftp.Random(2, 50_000))
		return err
	case 5: // says nonsense
		if err := c.Send("\x00\xff\r\r\nXYZZY\r\nPORT 1,2,3\r\n"); err != nil {
			return err
		}
		_, err := c.Read()
		return err
	}
	got, err := c.Retrieve(m, "file", io.Discard)
	if err == nil && got.Bytes != 100_000 {
		err = fmt.Errorf("%s: %d bytes", m, got.Bytes)
	}
	return err
}
