package wire_test

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"ftpalg/alg/wire"
)

// parser is any of the four parsers of a whole line.
type parser func(line []byte) (wire.HostPort, error)

func parsePORT(line []byte) (wire.HostPort, error) {
	return wire.ParsePORT(line, wire.ParseCommand(line).Arg)
}

func parseEPRT(line []byte) (wire.HostPort, error) {
	return wire.ParseEPRT(line, wire.ParseCommand(line).Arg)
}

// accepted is a line, the wanted span in it marked, and its host-port.
type accepted struct{ line, want string }

func accept(t *testing.T, parse parser, tests []accepted) {
	t.Helper()
	for _, tt := range tests {
		line, span := marked(t, tt.line)
		got, err := parse(line)
		if err != nil {
			t.Errorf("%q: %v", line, err)
			continue
		}
		if text(got) != tt.want || got.Span != span {
			t.Errorf("%q: %s at %v, want %s at %v", line, text(got), got.Span, tt.want, span)
		}
	}
}

// text returns the host-port as tests write it: without a host for a 229.
func text(h wire.HostPort) string {
	if !h.Addr.IsValid() {
		return strings.TrimPrefix(netip.AddrPortFrom(netip.IPv4Unspecified(), h.Port).String(), "0.0.0.0")
	}
	return netip.AddrPortFrom(h.Addr, h.Port).String()
}

// rejected is a line, the wanted offset of its error marked, and its kind.
type rejected struct {
	line string
	kind wire.Kind
}

func reject(t *testing.T, parse parser, tests []rejected) {
	t.Helper()
	for _, tt := range tests {
		line, at := marked(t, tt.line)
		got, err := parse(line)
		var e *wire.SyntaxError
		if !errors.As(err, &e) {
			t.Errorf("%q: accepted as %s, error %v", line, text(got), err)
			continue
		}
		if e.Kind != tt.kind || e.Offset != at.Start {
			t.Errorf("%q: %v, offset %d, want %v, offset %d", line, e, e.Offset, tt.kind, at.Start)
		}
		if wire.IsFamily(err) != (tt.kind == wire.UnknownFamily) {
			t.Errorf("%q: IsFamily is %t", line, wire.IsFamily(err))
		}
	}
}

func TestAppendChangesTheHostPortAlone(t *testing.T) {
	v4, v6 := netip.MustParseAddrPort("203.0.113.80:50000"), netip.MustParseAddrPort("[2001:db8:1::80]:50000")
	tests := []struct {
		parse parser
		line  string
		to    netip.AddrPort
		want  string
	}{
		{parsePORT, "port  192 ,0, 2,7,\t4,1  \r\n", v4, "port  203 ,0, 113,80,\t195,80  \r\n"},
		{parsePORT, "PORT 192,0,2,7,4,1\n", netip.MustParseAddrPort("[::ffff:203.0.113.80]:1"), "PORT 203,0,113,80,0,1\n"},
		{wire.Parse227, "227 Mode 2 (192,0,2,1,4,5), 6 left.\r\n", v4, "227 Mode 2 (203,0,113,80,195,80), 6 left.\r\n"},
		{wire.Parse227, "227 \xe9=192,000,002,001,4,5\n", v4, "227 \xe9=203,0,113,80,195,80\n"},
		{parseEPRT, "eprt  |1|192.0.2.7|1025| \r\n", v4, "eprt  |1|203.0.113.80|50000| \r\n"},
		{parseEPRT, "EPRT !2!2001:db8::7!1025!\r\n", v6, "EPRT !2!2001:db8:1::80!50000!\r\n"},
		{parseEPRT, "EPRT !2!2001:db8::7!1025!\r\n", v4, "EPRT !1!203.0.113.80!50000!\r\n"},
		{parseEPRT, "EPRT |1|192.0.2.7|1025|\r\n", v6, "EPRT |2|2001:db8:1::80|50000|\r\n"},
		{parseEPRT, "EPRT |1|192.0.2.7|1025|\r\n", netip.MustParseAddrPort("[fe80::1%lan]:9"), "EPRT |2|fe80::1|9|\r\n"},
		{parseEPRT, "EPRT |2|2001:db8::7|1025|\r\n", netip.MustParseAddrPort("[::ffff:203.0.113.80]:9"), "EPRT |1|203.0.113.80|9|\r\n"},
		{wire.Parse229, "229 Modus 2 (|||6446|) 6446\r\n", v6, "229 Modus 2 (|||50000|) 6446\r\n"},
	}
	for _, tt := range tests {
		h, err := tt.parse([]byte(tt.line))
		if err != nil {
			t.Errorf("%q: %v", tt.line, err)
			continue
		}
		if got := h.Append([]byte("before "), []byte(tt.line), tt.to); string(got) != "before "+tt.want {
			t.Errorf("%q: %q, want %q", tt.line, got, tt.want)
		}
	}
}

func TestSyntaxErrorsFitIntoAReply(t *testing.T) {
	tests := []struct {
		parse parser
		line  string
		want  string
	}{
		{parsePORT, "PORT 256,0,2,7,4,1\r\n", `octet out of range at byte 5: "256,0,2,7,4,1"`},
		{parsePORT, "PORT \x1b]0;\xff\u20ac\r\n", `octet not a number at byte 5: "\x1b]0;\xff\u20ac"`},
		{parsePORT, "PORT\r\n", `host-port missing at byte 4: ""`},
		{parseEPRT, "EPRT |7|" + strings.Repeat("x", 99) + "|1|\r\n", `address family not supported at byte 6: "7|xxxxxxxxxxxxxxxxxxxxxx"`},
		{wire.Parse229, "229 (|||65536|)\r\n", `port out of range at byte 8: "65536|)"`},
	}
	for _, tt := range tests {
		_, err := tt.parse([]byte(tt.line))
		if err == nil || err.Error() != tt.want {
			t.Errorf("%q: %v\nwant %s", tt.line, err, tt.want)
		}
	}
	if got := wire.Kind(0).String(); got != "Kind(0)" {
		t.Errorf("no kind is %q", got)
	}
}
