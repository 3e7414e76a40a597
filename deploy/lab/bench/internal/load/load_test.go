package load

import (
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// local serves on the loopback and returns a job for it that takes one turn.
func local(t *testing.T, task Task) Job {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- serve(listener) }()
	t.Cleanup(func() {
		listener.Close()
		if err := <-ended; !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
	})
	at := listener.Addr().(*net.TCPAddr).AddrPort()
	return Job{Server: at, User: "test", Task: task, Mode: PASV, Sessions: 4, Size: 3 << 20}
}

func TestEverySessionDoesItsTask(t *testing.T) {
	for _, task := range []Task{Transfer, Announce, NOOP, Login} {
		t.Run(string(task), func(t *testing.T) {
			r, err := Do(local(t, task))
			if err != nil || r.Done != 4 || r.Failed != 0 || r.P50 <= 0 || r.P99 < r.P50 {
				t.Errorf("%+v, %v; want 4 done", r, err)
			}
		})
	}
}

func TestEveryModeTransfersWholeFiles(t *testing.T) {
	for _, mode := range []Mode{PASV, EPSV, PORT} {
		t.Run(string(mode), func(t *testing.T) {
			job := local(t, Transfer)
			job.Mode = mode
			r, err := Do(job)
			if err != nil || r.Done != 4 || r.Bytes != 4*job.Size {
				t.Errorf("%+v, %v; want 4 files", r, err)
			}
		})
	}
}

func TestARelayInBetweenChangesNothing(t *testing.T) {
	for _, task := range []Task{Transfer, NOOP, Login} {
		t.Run(string(task), func(t *testing.T) {
			job := local(t, task)
			listener, err := net.Listen("tcp4", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			ended := make(chan error, 1)
			server := job.Server
			go func() { ended <- relay(listener, server) }()
			job.Server = listener.Addr().(*net.TCPAddr).AddrPort()
			r, err := Do(job)
			if err != nil || r.Done != 4 || r.Failed != 0 {
				t.Errorf("%+v, %v; want 4 done", r, err)
			}
			listener.Close()
			if err := <-ended; !errors.Is(err, net.ErrClosed) {
				t.Error(err)
			}
		})
	}
}

func TestIdleSessionsStayBesideTheWork(t *testing.T) {
	job := local(t, NOOP)
	job.Idle, job.Promised = 10, true
	if r, err := Do(job); err != nil || r.Idle != 10 || r.Done != 4 {
		t.Errorf("%+v, %v; want 10 idle", r, err)
	}
}

func TestAFailureIsCountedAndTheSessionReplaced(t *testing.T) {
	job := local(t, Transfer)
	job.Size = -1 // nothing has this length
	job.Duration = 20 * time.Millisecond
	r, err := Do(job)
	if err != nil || r.Done != 0 || r.Failed < job.Sessions || !strings.Contains(r.FirstError, "got 0 of -1") {
		t.Errorf("%+v, %v; want failures only", r, err)
	}
}

func TestNoServerIsAnError(t *testing.T) {
	job := Job{Server: netip.MustParseAddrPort("127.0.0.1:1"), Task: NOOP, Sessions: 1}
	if _, err := Do(job); err == nil {
		t.Error("a job without a server succeeded")
	}
}

func TestHostPorts(t *testing.T) {
	at := netip.MustParseAddrPort("203.0.113.1:50001")
	tests := []struct {
		text string
		want netip.AddrPort
	}{
		{"227 Entering Passive Mode (203,0,113,1,195,81).\r\n", at},
		{"203,0,113,1,195,81\r\n", at},
		{"227 Entering Passive Mode (203,0,113,1,195).\r\n", netip.AddrPort{}},
		{"227 Entering Passive Mode (203,0,113,256,195,81).\r\n", netip.AddrPort{}},
	}
	for _, test := range tests {
		got, err := parseSix([]byte(test.text))
		if got != test.want || (err == nil) != test.want.IsValid() {
			t.Errorf("parseSix(%q) = %v, %v; want %v", test.text, got, err, test.want)
		}
	}
	if text := formatSix(at); text != "203,0,113,1,195,81" {
		t.Errorf("formatSix(%v) = %s", at, text)
	}
	if got, err := parseExtended([]byte("229 Mode (|||50001|)."), at.Addr()); got != at || err != nil {
		t.Errorf("parseExtended = %v, %v; want %v", got, err, at)
	}
	if got, err := parseExtended([]byte("229 Mode (|||70000|)."), at.Addr()); err == nil {
		t.Errorf("parseExtended took a port that does not exist: %v", got)
	}
}

func TestQuantiles(t *testing.T) {
	hundred := make([]time.Duration, 101)
	for i := range hundred {
		hundred[i] = time.Duration(i)
	}
	for _, test := range []struct {
		times   []time.Duration
		percent int
		want    time.Duration
	}{{hundred, 50, 50}, {hundred, 99, 99}, {hundred[:1], 99, 0}, {hundred[7:8], 50, 7}, {nil, 50, 0}} {
		if got := quantile(test.times, test.percent); got != test.want {
			t.Errorf("quantile of %d times at %d%% = %d, want %d", len(test.times), test.percent, got, test.want)
		}
	}
}
