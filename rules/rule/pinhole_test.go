package rule_test

import (
	"errors"
	"ftpalg/alg/expect"
	"ftpalg/rules/rule"
	"ftpalg/rules/rule/ruletest"
	"net/netip"
	"testing"
)

func TestWhatNoRuleCanExpressIsRefused(t *testing.T) {
	good := ruletest.Promise(1)
	for name, spoil := range map[string]func(*expect.Expectation){
		"no source":         func(e *expect.Expectation) { e.From = netip.Addr{} },
		"any source":        func(e *expect.Expectation) { e.From = netip.IPv4Unspecified() },
		"mixed families":    func(e *expect.Expectation) { e.Seen = netip.MustParseAddr("2001:db8::1") },
		"mapped address":    func(e *expect.Expectation) { e.From = netip.MustParseAddr("::ffff:203.0.113.10") },
		"no port":           func(e *expect.Expectation) { e.Reached = netip.AddrPortFrom(e.Reached.Addr(), 0) },
		"no target port":    func(e *expect.Expectation) { e.Target = netip.AddrPortFrom(e.Reached.Addr(), 0) },
		"loopback target":   func(e *expect.Expectation) { e.Target = netip.MustParseAddrPort("127.0.0.1:5000") },
		"multicast target":  func(e *expect.Expectation) { e.Target = netip.MustParseAddrPort("224.0.0.1:5000") },
		"address with zone": func(e *expect.Expectation) { e.From = netip.MustParseAddr("fe80::1%lan") },
	} {
		e := good
		spoil(&e)
		if err := rule.Validate(e); !errors.Is(err, rule.ErrInvalid) {
			t.Errorf("%s: %v; want rule.ErrInvalid", name, err)
		}
	}
}
