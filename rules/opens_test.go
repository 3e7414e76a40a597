package rules

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"ftpalg/alg/expect"
)

func TestOpensIsWhatTheSpecSays(t *testing.T) {
	e := expect.Expectation{
		ID: 34, Session: 12, Mode: expect.PASV, From: netip.MustParseAddr("203.0.113.10"), Reached: netip.MustParseAddrPort("203.0.113.1:50000"),
		Target: netip.MustParseAddrPort("198.18.1.20:34567"), Seen: netip.MustParseAddr("198.18.1.1"), Until: time.Date(2030, 1, 2, 3, 4, 6, 0, time.UTC),
	}
	if got, err := Opens(Options{Path: IPTables}, e, false); err != nil || len(got) != 3 || !strings.Contains(got[2], "-j DNAT --to-destination 198.18.1.20:34567") {
		t.Errorf("%q, %v", got, err)
	}
	want := []string{"expect proto=6 src=203.0.113.10 dst=203.0.113.1 sport=0 dport=50000 nat-src=198.18.1.1 nat-dst=198.18.1.20 nat-dport=34567 helper=ftp"}
	if got, err := Opens(Options{Path: Conntrack}, e, false); err != nil || !slices.Equal(got, want) {
		t.Errorf("%q, %v", got, err)
	}
	if got, err := Opens(Options{Path: Auto}, e, false); !errors.Is(err, ErrInvalid) {
		t.Errorf("%q, %v", got, err)
	}
	e.Target = netip.MustParseAddrPort("127.0.0.1:34567")
	if got, err := Opens(Options{Path: Conntrack}, e, false); !errors.Is(err, ErrInvalid) {
		t.Errorf("%q, %v", got, err)
	}
}
