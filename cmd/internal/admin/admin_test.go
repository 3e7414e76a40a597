package admin

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"ftpalg/alg"
	"ftpalg/alg/expect"
	"ftpalg/cmd/internal/api"
)

type fakeSource struct {
	missing []string
	reload  error
	upgrade error
	closed  bool
	killed  []uint64
}

func (f *fakeSource) Status() api.Status {
	return api.Status{Version: "1", Ready: len(f.missing) == 0, Missing: f.missing}
}
func (f *fakeSource) Sessions() []api.Session {
	return []api.Session{{Session: 7, Client: netip.MustParseAddrPort("203.0.113.10:60000")}}
}
func (f *fakeSource) Pinholes() []api.Pinhole {
	return []api.Pinhole{{Session: 7, Mode: "PASV", Expires: time.Unix(1, 0).UTC()}}
}
func (f *fakeSource) Session(n uint64) (api.SessionDetail, bool) {
	return api.SessionDetail{
		SessionInfo: api.Session{Session: n},
		Dialogue:    []alg.Line{{From: alg.FromClient, Text: "PASS ****"}},
		Data:        []alg.DataConnection{{Pinhole: 3, Mode: expect.EPSV, State: alg.DataConnected}},
	}, n == 7
}
func (f *fakeSource) Kill(n uint64) bool {
	f.killed = append(f.killed, n)
	return n == 7
}
func (f *fakeSource) Bans() []api.Ban         { return nil }
func (f *fakeSource) LiftBan(netip.Addr) bool { return false }
func (f *fakeSource) Reload() error           { return f.reload }
func (f *fakeSource) TakeSessions(yes bool)   { f.closed = !yes }
func (f *fakeSource) Upgrade(bool) error      { return f.upgrade }

// serveOn serves src until the test ends.
func serveOn(t *testing.T, s *Server) {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- s.Serve() }()
	t.Cleanup(func() {
		s.Close()
		if err := <-done; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
}

func socket(t *testing.T, src Source) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "run", "admin.sock")
	l, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	serveOn(t, NewServer(l, src, nil))
	return path
}

func TestClientReadsWhatTheServerShows(t *testing.T) {
	c := NewClient(socket(t, &fakeSource{}))
	if s, err := c.Status(); err != nil || !s.Ready || s.Version != "1" {
		t.Errorf("Status is %+v, %v", s, err)
	}
	if s, err := c.Sessions(); err != nil || len(s) != 1 || s[0].Session != 7 || s[0].Client.Port() != 60000 {
		t.Errorf("Sessions are %+v, %v", s, err)
	}
	if p, err := c.Pinholes(); err != nil || len(p) != 1 || p[0].Mode != "PASV" || !p[0].Expires.Equal(time.Unix(1, 0)) {
		t.Errorf("Pinholes are %+v, %v", p, err)
	}
	if err := c.Reload(); err != nil {
		t.Errorf("Reload: %v", err)
	}
}

func TestTheGatewayIsToldWhetherToTakeSessions(t *testing.T) {
	src := &fakeSource{}
	c := NewClient(socket(t, src))
	for _, yes := range []bool{false, true, false} {
		if err := c.TakeSessions(yes); err != nil || src.closed == yes {
			t.Errorf("TakeSessions(%v): %v; closed %v", yes, err, src.closed)
		}
	}
}

func TestOneSessionIsShownAndKilled(t *testing.T) {
	src := &fakeSource{}
	c := NewClient(socket(t, src))
	s, err := c.Session(7)
	if err != nil || s.Session != 7 || len(s.Dialogue) != 1 || s.Dialogue[0].Text != "PASS ****" ||
		len(s.Data) != 1 || s.Data[0].Mode != expect.EPSV || s.Data[0].State != alg.DataConnected {
		t.Errorf("Session is %+v, %v", s, err)
	}
	if err := c.Kill(7); err != nil || !slices.Equal(src.killed, []uint64{7}) {
		t.Errorf("Kill: %v; these were killed: %v", err, src.killed)
	}
	_, err = c.Session(8)
	for _, err := range []error{err, c.Kill(8)} {
		if err == nil || err.Error() != "there is no session 8" {
			t.Errorf("of a session that is not there the error is %v", err)
		}
	}
}

func TestReloadSaysWhyItWasNotTaken(t *testing.T) {
	c := NewClient(socket(t, &fakeSource{reload: errors.New("gw.yaml:3:5: listeners[0].listen: no port")}))
	if err := c.Reload(); err == nil || err.Error() != "gw.yaml:3:5: listeners[0].listen: no port" {
		t.Errorf("Reload says %v", err)
	}
}

func TestNobodyAtTheSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "none.sock")
	_, err := NewClient(path).Status()
	if err == nil || !strings.Contains(err.Error(), "no gateway answers at "+path) {
		t.Errorf("the error is %v", err)
	}
}

func TestStaleSocketIsReplacedAndALiveOneIsNot(t *testing.T) {
	path := filepath.Join(t.TempDir(), "admin.sock")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	if _, err := Listen(path); err == nil || !strings.Contains(err.Error(), "another ftpalg answers") {
		t.Errorf("over a live socket: %v", err)
	}
	l.Close()
	second, err := Listen(path)
	if err != nil {
		t.Fatalf("over a stale socket: %v", err)
	}
	defer second.Close()
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o660 {
		t.Errorf("the socket's mode is %v, %v", info.Mode(), err)
	}
}

// free is a guard that lets all through.
func free(h http.Handler) http.Handler { return h }

func TestViewerOnlyShows(t *testing.T) {
	src := &fakeSource{missing: []string{"it is starting", "no rules"}}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	serveOn(t, NewViewer(l, src, nil, free))
	base := "http://" + l.Addr().String()
	status := func(method, path string) int {
		t.Helper()
		req, err := http.NewRequest(method, base+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		return res.StatusCode
	}
	for _, c := range []struct {
		method, path string
		want         int
	}{
		{"GET", "/healthz", 200}, {"GET", "/readyz", 503}, {"GET", "/status", 200},
		{"GET", "/session/7", 200}, {"GET", "/session/8", 404}, {"GET", "/session/x", 404},
		{"POST", "/session/7/kill", 404}, {"POST", "/bans/203.0.113.66/lift", 404}, {"POST", "/reload", 404}, {"POST", "/status", 405}, {"GET", "/nothing", 404},
	} {
		if got := status(c.method, c.path); got != c.want {
			t.Errorf("%s %s answers %d, want %d", c.method, c.path, got, c.want)
		}
	}
}

func TestListenLeavesAFileAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notes")
	if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(path); err == nil || !strings.Contains(err.Error(), "no socket is there") {
		t.Errorf("over a file: %v", err)
	}
	if text, err := os.ReadFile(path); string(text) != "mine" {
		t.Errorf("the file holds %q, %v", text, err)
	}
}
