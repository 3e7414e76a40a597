package transparent

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestEveryControlConnectionHasItsOptions(t *testing.T) {
	options := []struct {
		name       string
		level, opt int
		want       int
	}{
		{"SO_OOBINLINE", unix.SOL_SOCKET, unix.SO_OOBINLINE, 1},
		{"SO_KEEPALIVE", unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1},
		{"TCP_NODELAY", unix.SOL_TCP, unix.TCP_NODELAY, 1},
		{"TCP_KEEPIDLE", unix.SOL_TCP, unix.TCP_KEEPIDLE, 60},
		{"TCP_KEEPINTVL", unix.SOL_TCP, unix.TCP_KEEPINTVL, 20},
		{"TCP_KEEPCNT", unix.SOL_TCP, unix.TCP_KEEPCNT, 3},
		{"TCP_USER_TIMEOUT", unix.SOL_TCP, unix.TCP_USER_TIMEOUT, 120_000},
	}
	dialed, accepted := newHost(t).pair()
	for side, c := range map[string]*Conn{"dialed": dialed, "accepted": accepted} {
		for _, o := range options {
			var got int
			err := control(c.raw, func(fd int) (err error) {
				got, err = unix.GetsockoptInt(fd, o.level, o.opt)
				return err
			})
			if err != nil || got != o.want {
				t.Errorf("%s: %s is %d, %v; want %d", side, o.name, got, err, o.want)
			}
		}
	}
}

// The Synch of an aborted transfer as BSD clients send it: IAC IP, then IAC DM
// whose IAC is urgent (RFC 854, RFC 959 section 4.1.3).
func TestUrgentDataStaysInLineAndIsMarked(t *testing.T) {
	from, to := newHost(t).pair()
	urgent, after := []byte("\xff\xf4\xff"), []byte("\xf2ABOR\r\n")
	if n, err := from.WriteUrgent(urgent); n != len(urgent) || err != nil {
		t.Fatalf("WriteUrgent: %d, %v", n, err)
	}
	if _, err := from.Write(after); err != nil {
		t.Fatal(err)
	}
	if n := segments(t, from); n != 2 {
		t.Errorf("left in %d segments, want the urgent data in one and the rest in another", n)
	}
	want := append(bytes.Clone(urgent), after...)
	got, marks := readMarks(t, to, len(want))
	if !bytes.Equal(got, want) {
		t.Errorf("received %q, want %q", got, want)
	}
	if len(marks) != 1 || marks[0] != len(urgent)-1 {
		t.Errorf("urgent bytes at %v, want one at %d", marks, len(urgent)-1)
	}
}

// segments returns how many segments with data c has sent.
func segments(t *testing.T, c *Conn) (n uint32) {
	t.Helper()
	err := control(c.raw, func(fd int) error {
		info, err := unix.GetsockoptTCPInfo(fd, unix.SOL_TCP, unix.TCP_INFO)
		if err == nil {
			n = info.Data_segs_out
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	return n
}

func TestPlainDataHasNoMark(t *testing.T) {
	from, to := newHost(t).pair()
	if n, err := from.WriteUrgent(nil); n != 0 || err != nil {
		t.Fatalf("WriteUrgent of nothing: %d, %v", n, err)
	}
	if _, err := io.WriteString(from, "ABOR\r\n"); err != nil {
		t.Fatal(err)
	}
	if got, marks := readMarks(t, to, len("ABOR\r\n")); string(got) != "ABOR\r\n" || len(marks) != 0 {
		t.Errorf("received %q with marks at %v", got, marks)
	}
}

// More than the socket's buffers hold, so that every send is short.
func TestALongWriteUrgentArrivesWholeAndIsMarkedAtItsEnd(t *testing.T) {
	from, to := newHost(t).pair()
	if err := errors.Join(from.SetWriteBuffer(4096), to.SetReadBuffer(4096)); err != nil {
		t.Fatal(err)
	}
	want := bytes.Repeat([]byte("0123456789abcdef"), 1<<11)
	sent := make(chan error, 1)
	go func() {
		_, err := from.WriteUrgent(want)
		sent <- err
	}()
	const rest = 1000 // fits into the buffers
	got, early := readMarks(t, to, len(want)-rest)
	if err := <-sent; err != nil {
		t.Fatal(err)
	}
	last, marks := readMarks(t, to, rest)
	got = append(got, last...)
	if !bytes.Equal(got, want) {
		t.Errorf("received %d bytes, other than the %d sent", len(got), len(want))
	}
	if len(early) != 0 || len(marks) != 1 || marks[0] != rest-1 {
		t.Errorf("urgent bytes at %v, and at %v of the last %d; want the last alone", early, marks, rest)
	}
}

func TestWriteUrgentStopsAtItsDeadlineAndMarksNothing(t *testing.T) {
	from, to := newHost(t).pair()
	if err := from.SetWriteBuffer(16 << 10); err != nil {
		t.Fatal(err)
	}
	p := make([]byte, 16<<20)
	go func() {
		for end := deadline(); segments(t, from) == 0 && time.Now().Before(end); {
			time.Sleep(time.Millisecond)
		}
		from.SetWriteDeadline(time.Now())
	}()
	n, err := from.WriteUrgent(p)
	if !errors.Is(err, os.ErrDeadlineExceeded) || n == 0 || n >= len(p) {
		t.Fatalf("WriteUrgent to a peer that does not read: %d, %v", n, err)
	}
	if got, marks := readMarks(t, to, n); len(got) != n || len(marks) != 0 {
		t.Errorf("received %d of %d bytes with marks at %v, want none", len(got), n, marks)
	}
}

func TestWriteUrgentToAClosedConnectionFails(t *testing.T) {
	c, _ := newHost(t).pair()
	c.Close()
	if _, err := c.WriteUrgent([]byte("x")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("WriteUrgent: %v", err)
	}
	if _, err := c.AtMark(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("AtMark: %v", err)
	}
	if err := c.Abort(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Abort: %v", err)
	}
}

func TestAbortResetsAndCloseWriteDoesNot(t *testing.T) {
	h := newHost(t)
	t.Run("Abort", func(t *testing.T) {
		c, peer := h.pair()
		if err := c.Abort(); err != nil {
			t.Fatal(err)
		}
		if _, err := peer.Read(make([]byte, 1)); !errors.Is(err, unix.ECONNRESET) {
			t.Errorf("peer reads %v, want a reset", err)
		}
	})
	t.Run("CloseWrite", func(t *testing.T) {
		c, peer := h.pair()
		if err := c.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if _, err := peer.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("peer reads %v, want the end", err)
		}
		expectText(t, peer, c, "226 done\r\n")
	})
}

// readMarks reads n bytes from c and returns them with the offsets of those
// that were announced as urgent.
func readMarks(t *testing.T, c *Conn, n int) (got []byte, marks []int) {
	t.Helper()
	buf := make([]byte, n)
	for len(got) < n {
		at, err := c.AtMark()
		if err != nil {
			t.Fatal(err)
		}
		if at {
			marks = append(marks, len(got))
		}
		m, err := c.Read(buf[:n-len(got)])
		if err != nil {
			t.Fatalf("after %d of %d bytes: %v", len(got), n, err)
		}
		got = append(got, buf[:m]...)
	}
	return got, marks
}
