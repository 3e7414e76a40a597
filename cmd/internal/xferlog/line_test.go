package xferlog

import (
	"net/netip"
	"strings"
	"testing"
	"time"
)

var finished = Transfer{
	Ended: time.Date(2026, 3, 5, 10, 11, 12, 0, time.UTC), Took: 2600 * time.Millisecond,
	Client: netip.MustParseAddr("203.0.113.10"), Bytes: 1048576, Name: "/pub/list.txt",
	User: "carol", Complete: true,
}

func TestLinesAreThoseOfXferlog(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Transfer)
		want   string
	}{
		{"a download", func(*Transfer) {},
			"Thu Mar  5 10:11:12 2026 3 203.0.113.10 1048576 /pub/list.txt b _ o r carol ftp 0 * c"},
		{"a later day", func(t *Transfer) { t.Ended = t.Ended.AddDate(0, 0, 10) },
			"Sun Mar 15 10:11:12 2026 3 203.0.113.10 1048576 /pub/list.txt b _ o r carol ftp 0 * c"},
		{"an upload as text", func(t *Transfer) { t.Upload, t.Text = true, true },
			"Thu Mar  5 10:11:12 2026 3 203.0.113.10 1048576 /pub/list.txt a _ i r carol ftp 0 * c"},
		{"under TLS", func(t *Transfer) { t.TLS = true },
			"Thu Mar  5 10:11:12 2026 3 203.0.113.10 1048576 /pub/list.txt b _ o r carol ftps 0 * c"},
		{"cut", func(t *Transfer) { t.Complete = false },
			"Thu Mar  5 10:11:12 2026 3 203.0.113.10 1048576 /pub/list.txt b _ o r carol ftp 0 * i"},
		{"anonymous", func(t *Transfer) { t.User = "Anonymous" },
			"Thu Mar  5 10:11:12 2026 3 203.0.113.10 1048576 /pub/list.txt b _ o a Anonymous ftp 0 * c"},
		{"nothing known", func(t *Transfer) { t.User, t.Name, t.Bytes, t.Took = "", "", 0, 0 },
			"Thu Mar  5 10:11:12 2026 0 203.0.113.10 0 _ b _ o r _ ftp 0 * c"},
		{"over IPv6", func(t *Transfer) { t.Client = netip.MustParseAddr("2001:db8::10") },
			"Thu Mar  5 10:11:12 2026 3 2001:db8::10 1048576 /pub/list.txt b _ o r carol ftp 0 * c"},
		{"blanks and control characters", func(t *Transfer) { t.Name, t.User = "my file\tof\x00 old\x1b[2J\u0085\u2028\r\n", "a b" },
			"Thu Mar  5 10:11:12 2026 3 203.0.113.10 1048576 my_file_of__old_[2J____ b _ o r a_b ftp 0 * c"},
		{"names in Latin-1 and in UTF-8", func(t *Transfer) { t.Name = "caf\xe9\x9b/Größe" },
			"Thu Mar  5 10:11:12 2026 3 203.0.113.10 1048576 caf\xe9_/Größe b _ o r carol ftp 0 * c"},
	} {
		t.Run(c.name, func(t *testing.T) {
			transfer := finished
			c.change(&transfer)
			if got := string(transfer.line()); got != c.want+"\n" {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
}

// TestScriptsFindTheirFields reads lines as xferstats does: split on blanks,
// each field by its position.
func TestScriptsFindTheirFields(t *testing.T) {
	for _, name := range []string{"/a", "a b c", "", "\t", "\u00a0\u3000x", "\xff\xa0\x85"} {
		transfer := finished
		transfer.Name = name
		f := strings.Fields(string(transfer.line()))
		if len(f) != 18 {
			t.Fatalf("%q: %d fields: %q", name, len(f), f)
		}
		when, err := time.Parse("Jan 2 15:04:05 2006", strings.Join(f[1:5], " "))
		if err != nil || !when.Equal(finished.Ended) || f[0] != "Thu" {
			t.Errorf("the time reads %v, %v", when, err)
		}
		for i, want := range map[int]string{5: "3", 6: "203.0.113.10", 7: "1048576", 9: "b", 10: "_", 11: "o", 12: "r", 13: "carol", 14: "ftp", 15: "0", 16: "*", 17: "c"} {
			if f[i] != want {
				t.Errorf("%q: field %d is %q, want %q", name, i, f[i], want)
			}
		}
	}
}
