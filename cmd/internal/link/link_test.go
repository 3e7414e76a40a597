package link

import (
	"errors"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

var full = Record{
	Op: Promise, Code: 1, Mode: 2, Counted: true, Socket: 3, Request: 4, Session: 5, ID: 6,
	Target: netip.MustParseAddrPort("198.18.1.20:5000"), Port: 50003, Count: 7, Sent: 1 << 60, Received: 9, Took: -10,
}

func pair(t *testing.T) (a, b *Link) {
	t.Helper()
	a, f, err := Pair()
	if err != nil {
		t.Fatal(err)
	}
	if b, err = New(f); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close(); b.Close() })
	return a, b
}

func TestARecordIsReadAsItWasWritten(t *testing.T) {
	six := full
	six.Target = netip.MustParseAddrPort("[2001:db8::20]:5000")
	for _, r := range []Record{full, six, {}} {
		b := r.append(nil)
		if len(b) != Size {
			t.Fatalf("a record has %d bytes, want %d", len(b), Size)
		}
		if got := parse(b); got != r {
			t.Errorf("got %+v, want %+v", got, r)
		}
	}
}

func FuzzAnyRecordCanBeRead(f *testing.F) {
	f.Add(full.append(nil))
	f.Add(make([]byte, Size))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) < Size {
			return
		}
		r := parse(b[:Size])
		if again := parse(r.append(nil)); again != r {
			t.Errorf("%+v was read as %+v", r, again)
		}
	})
}

func TestManySendersLoseNothing(t *testing.T) {
	a, b := pair(t)
	const senders, each = 16, 500
	var sending sync.WaitGroup
	for s := range uint64(senders) {
		sending.Go(func() {
			for n := range uint64(each) {
				if err := a.Send(Record{Session: s, Request: n}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	go func() { sending.Wait(); a.Close() }()
	next := make(map[uint64]uint64)
	if err := b.Receive(func(r Record, f *os.File) {
		if r.Request != next[r.Session] || f != nil {
			t.Errorf("sender %d: record %d, want %d", r.Session, r.Request, next[r.Session])
		}
		next[r.Session]++
	}); !errors.Is(err, io.EOF) {
		t.Errorf("the end is %v", err)
	}
	for s := range uint64(senders) {
		if next[s] != each {
			t.Errorf("sender %d: %d records came", s, next[s])
		}
	}
}

func TestAFileComesWithItsRecord(t *testing.T) {
	a, b := pair(t)
	f, err := os.Create(filepath.Join(t.TempDir(), "file"))
	if err != nil {
		t.Fatal(err)
	}
	a.Send(Record{Request: 1})
	if err := a.SendFile(Record{Request: 2}, f); err != nil {
		t.Fatal(err)
	}
	f.Close()
	if err := a.SendText(Record{Request: 3}, []string{"one", "two"}); err != nil {
		t.Fatal(err)
	}
	a.Close()
	var came []uint64
	b.Receive(func(r Record, f *os.File) {
		came = append(came, r.Request)
		switch r.Request {
		case 1:
			if f != nil {
				t.Error("a record without a file brought one")
			}
		case 2:
			if _, err := f.WriteString("written"); err != nil {
				t.Error(err)
			}
			f.Close()
		case 3:
			var got []string
			if err := Text(f, &got); err != nil || len(got) != 2 || got[1] != "two" {
				t.Errorf("the text is %q, %v", got, err)
			}
		}
	})
	if len(came) != 3 {
		t.Errorf("%v came", came)
	}
}

// What the other process sends beside the rules ends the conversation, and
// leaves no descriptor behind.
func TestWhatIsNoRecordIsAnError(t *testing.T) {
	for name, packet := range map[string]struct {
		bytes []byte
		files int
	}{
		"short":        {make([]byte, Size-1), 0},
		"not whole":    {make([]byte, Size+1), 0},
		"two files":    {make([]byte, Size), 2},
		"only a file":  {nil, 1},
		"too long":     {make([]byte, (mostRecords+1)*Size), 0},
		"a long story": {make([]byte, 100000), 3},
	} {
		t.Run(name, func(t *testing.T) {
			a, b := pair(t)
			before := descriptors(t)
			var rights []byte
			if packet.files > 0 {
				fds := make([]int, packet.files)
				for i := range fds {
					fds[i] = 2
				}
				rights = unix.UnixRights(fds...)
			}
			if _, _, err := a.conn.WriteMsgUnix(packet.bytes, rights, nil); err != nil {
				t.Fatal(err)
			}
			a.conn.CloseWrite()
			err := b.Receive(func(r Record, f *os.File) { t.Errorf("%+v came", r) })
			if err == nil || errors.Is(err, io.EOF) && name != "only a file" {
				t.Errorf("the end is %v", err)
			}
			if after := descriptors(t); after != before {
				t.Errorf("%d descriptors were open, and %d are", before, after)
			}
		})
	}
}

func descriptors(t *testing.T) int {
	t.Helper()
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}

// Where no descriptor is left the record comes without its file, and what comes
// next comes whole.
func TestAFileThatCannotBeTakenIsMissing(t *testing.T) {
	a, b := pair(t)
	var before unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &before); err != nil {
		t.Fatal(err)
	}
	got := make(chan bool)
	go b.Receive(func(_ Record, f *os.File) {
		got <- f != nil
		if f != nil {
			f.Close()
		}
	})
	send := func() {
		t.Helper()
		if err := a.SendText(full, "text"); err != nil {
			t.Fatal(err)
		}
	}
	send()
	if !<-got {
		t.Fatal("the file is missing although there is room")
	}
	f, err := textFile("text")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	fd, err := duplicate(f) // what is sent is there already
	if err != nil {
		t.Fatal(err)
	}
	none := before
	none.Cur = 3
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &none); err != nil {
		t.Fatal(err)
	}
	restore := func() {
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &before); err != nil {
			t.Error(err)
		}
	}
	defer restore()
	if err := a.send(message{full, fd}); err != nil {
		t.Fatal(err)
	}
	if <-got {
		t.Error("there was no descriptor for the file")
	}
	var lack *FileError
	if err := a.SendText(full, "text"); !errors.As(err, &lack) || !errors.Is(err, unix.EMFILE) {
		t.Errorf("a file that cannot be made: %v", err)
	}
	restore()
	send()
	if !<-got {
		t.Error("the file is missing although there is room again")
	}
}
