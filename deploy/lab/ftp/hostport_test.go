package ftp

import (
	"bufio"
	"net/netip"
	"strings"
	"testing"
)

func TestHostPortsSurviveTheirText(t *testing.T) {
	tests := []struct {
		address string
		text    string
		format  func(netip.AddrPort) string
		parse   func(string) (netip.AddrPort, error)
	}{
		{"192.0.2.1:6275", "192,0,2,1,24,131", formatSix, parseSix},
		{"255.255.255.255:65535", "255,255,255,255,255,255", formatSix, parseSix},
		{"192.0.2.1:6275", "|1|192.0.2.1|6275|", formatExtended, parseExtended},
		{"[2001:db8::1]:1", "|2|2001:db8::1|1|", formatExtended, parseExtended},
	}
	for _, tt := range tests {
		want := netip.MustParseAddrPort(tt.address)
		if got := tt.format(want); got != tt.text {
			t.Errorf("%s is written %q, want %q", want, got, tt.text)
		}
		if got, err := tt.parse(tt.text); err != nil || got != want {
			t.Errorf("%q is read as %s, %v; want %s", tt.text, got, err, want)
		}
	}
}

func TestWrongHostPortsAreRefused(t *testing.T) {
	for _, text := range []string{"", "1,2,3,4,5", "1,2,3,4,5,6,7", "256,0,0,1,1,1", "-1,0,0,1,1,1", "1,2,3,4,5,x", "1,2,3,4,,6"} {
		if got, err := parseSix(text); err == nil {
			t.Errorf("%q is read as %s", text, got)
		}
	}
	for _, text := range []string{"", "|", "|1|192.0.2.1|6275", "|1|192.0.2.1|65536|", "|2|192.0.2.1|1|", "|1|2001:db8::1|1|", "|3|192.0.2.1|1|", "|1|name|1|", "||192.0.2.1|1|"} {
		if got, err := parseExtended(text); err == nil {
			t.Errorf("%q is read as %s", text, got)
		}
	}
}

func TestRepliesAreReadInBothForms(t *testing.T) {
	tests := []struct {
		text, last string
		code       int
	}{
		{"220 ready\r\n", "220 ready", 220},
		{"220\r\n", "220", 220},
		{"211-Features\r\n EPSV\r\n211 End\r\n", "211 End", 211},
		{"220-hello\r\n227 (1,2,3,4,5,6)\r\n220-more\r\n220 end\r\n", "220 end", 220},
		{"220 bare\n", "220 bare", 220},
	}
	for _, tt := range tests {
		got, err := readReply(bufio.NewReader(strings.NewReader(tt.text)))
		if err != nil || got.Code != tt.code || got.String() != tt.last {
			t.Errorf("%q is read as %d %q, %v; want %d %q", tt.text, got.Code, got, err, tt.code, tt.last)
		}
	}
	for _, text := range []string{"", "hello\r\n", "99 x\r\n", "600 x\r\n", "220-never ends\r\n"} {
		if got, err := readReply(bufio.NewReader(strings.NewReader(text))); err == nil {
			t.Errorf("%q is read as %q", text, got)
		}
	}
}
