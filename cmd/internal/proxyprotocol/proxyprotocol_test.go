package proxyprotocol

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"
)

// pair returns both ends of a connection over loopback.
func pair(t *testing.T) (theirs, ours *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	a, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(); a.Close() })
	return c.(*net.TCPConn), a.(*net.TCPConn)
}

var (
	client4, reached4 = netip.MustParseAddrPort("203.0.113.10:4711"), netip.MustParseAddrPort("203.0.113.80:21")
	client6, reached6 = netip.MustParseAddrPort("[2001:db8::10]:4711"), netip.MustParseAddrPort("[2001:db8::80]:21")
)

func TestHeadersAreReadInAnyPiecesAndNothingBehind(t *testing.T) {
	tlvs := "\x20\x00\x05hello"
	withTLVs := string(Header(2, client4, reached4))
	withTLVs = withTLVs[:15] + string(withTLVs[15]+byte(len(tlvs))) + withTLVs[16:] + tlvs
	for _, c := range []struct {
		name, header    string
		client, reached netip.AddrPort
	}{
		{"v1", "PROXY TCP4 203.0.113.10 203.0.113.80 4711 21\r\n", client4, reached4},
		{"v1 as it is written", string(Header(1, client4, reached4)), client4, reached4},
		{"v1, IPv6", string(Header(1, client6, reached6)), client6, reached6},
		{"v1, unknown", "PROXY UNKNOWN\r\n", netip.AddrPort{}, netip.AddrPort{}},
		{"v2", string(Header(2, client4, reached4)), client4, reached4},
		{"v2, IPv6", string(Header(2, client6, reached6)), client6, reached6},
		{"v2 with more", withTLVs, client4, reached4},
		{"v2, for nobody", string(LocalHeader(2)), netip.AddrPort{}, netip.AddrPort{}},
		{"v1, for nobody", string(LocalHeader(1)), netip.AddrPort{}, netip.AddrPort{}},
	} {
		for _, piece := range []int{1, 7, 1000} {
			theirs, ours := pair(t)
			go func() {
				for text := c.header + "behind"; len(text) > 0; {
					n := min(piece, len(text))
					io.WriteString(theirs, text[:n])
					text = text[n:]
					time.Sleep(time.Millisecond)
				}
				theirs.CloseWrite()
			}()
			ours.SetReadDeadline(time.Now().Add(10 * time.Second))
			client, reached, err := Take(ours)
			if err != nil || client != c.client || reached != c.reached {
				t.Errorf("%s in pieces of %d: %s at %s, %v", c.name, piece, client, reached, err)
				continue
			}
			if rest, err := io.ReadAll(ours); err != nil || string(rest) != "behind" {
				t.Errorf("%s in pieces of %d: behind it stands %q, %v", c.name, piece, rest, err)
			}
		}
	}
}

func TestWhatIsNoHeaderIsRefused(t *testing.T) {
	for name, text := range map[string]string{
		"a command": "USER joe\r\n", "TLS": "\x16\x03\x01\x02\x00", "half a signature": "\r\n\r\n\x00\r\nQUIX",
		"no end": "PROXY TCP4 " + strings.Repeat("1", 200), "too long": "PROXY TCP4 " + strings.Repeat("1", 100) + "\r\n",
		"no address": "PROXY TCP4 joe jane 1 2\r\n", "a port too many": "PROXY TCP4 203.0.113.10 203.0.113.80 70000 21\r\n",
		"a longer header than any": "\r\n\r\n\x00\r\nQUIT\n\x21\x11\xff\xff",
		"another version":          "\r\n\r\n\x00\r\nQUIT\n\x31\x11\x00\x0c" + strings.Repeat("\x01", 12),
		"nothing":                  "",
	} {
		theirs, ours := pair(t)
		io.WriteString(theirs, text)
		theirs.CloseWrite()
		ours.SetReadDeadline(time.Now().Add(10 * time.Second))
		if client, _, err := Take(ours); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s is a header for %s, %v", name, client, err)
		}
	}
}

func TestAHeaderThatDoesNotComeIsNotWaitedForForEver(t *testing.T) {
	for _, begun := range []string{"", "PROXY TCP4 203", "\r\n\r\n"} {
		theirs, ours := pair(t)
		io.WriteString(theirs, begun)
		ours.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
		if _, _, err := Take(ours); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("behind %q: %v", begun, err)
		}
	}
}

// FuzzNoHeaderPanics has any bytes read as one.
func FuzzNoHeaderPanics(f *testing.F) {
	f.Add(Header(1, client4, reached4))
	f.Add(Header(2, client6, reached6))
	f.Add(LocalHeader(2))
	f.Fuzz(func(t *testing.T, b []byte) {
		length, whole, err := headerLength(b)
		if err != nil || !whole {
			return
		}
		if length > len(b) {
			t.Fatalf("%d of %d bytes", length, len(b))
		}
		client, reached, err := parseHeader(b[:length])
		if err == nil && client.IsValid() != reached.IsValid() {
			t.Fatalf("%s at %s", client, reached)
		}
	})
}
