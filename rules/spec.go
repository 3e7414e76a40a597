package rules

import (
	"fmt"
	"net/netip"
	"strconv"
	"time"

	"ftpalg/alg/expect"
)

// pinhole returns the rules that admit the promised connection, in the order
// of their tables' commits (transaction). The rule in nat PREROUTING admits
// one connection, however quick a second one comes; the others follow
// it, by the original destination that only its translation leaves, or by
// its mark where nothing is translated. All end by themselves. A connection
// whose target is this machine (local) passes other chains than one that is
// forwarded.
func pinhole(e expect.Expectation, mark uint32, local bool) ([]line, error) {
	if err := validate(e); err != nil {
		return nil, err
	}
	acceptIn, sourceIn := chainForward, chainPostrouting
	if local {
		acceptIn, sourceIn = chainInput, chainInput
	}
	rules := []line{{tableFilter, acceptIn, accept(e, mark)}}
	if e.Seen != e.From {
		rules = append(rules, line{tableNAT, sourceIn, source(e, mark)})
	}
	return append(rules, line{tableNAT, chainPrerouting, admit(e, mark)}), nil
}

// validate refuses what no rule can express, and what would be wider than a
// promise: no address or port may be left open.
func validate(e expect.Expectation) error {
	family := familyOf(e.From)
	for _, a := range []netip.Addr{e.From, e.To.Addr(), e.Target.Addr(), e.Seen} {
		if !a.IsValid() || a.Is4In6() || a.Zone() != "" || a.IsUnspecified() || a.IsMulticast() || familyOf(a) != family {
			return fmt.Errorf("rules: %w promise: address %s in %s", ErrInvalid, a, e)
		}
	}
	if e.To.Port() == 0 || e.Target.Port() == 0 {
		return fmt.Errorf("rules: %w promise: port 0 in %s", ErrInvalid, e)
	}
	if e.Target.Addr().IsLoopback() {
		return fmt.Errorf("rules: %w promise: target in %s: no packet from outside can be sent to a loopback address; "+
			"the server needs another address of this machine", ErrInvalid, e)
	}
	return nil
}

func translated(e expect.Expectation) bool { return e.Target != e.To }

// admit is the rule that uses itself up.
func admit(e expect.Expectation, mark uint32) []string {
	words := between(e.From, e.To)
	words = append(words, until(e.Until)...)
	words = append(words, once(e)...)
	words = append(words, comment(e)...)
	if translated(e) {
		words = append(words, "-j", "DNAT", "--to-destination", e.Target.String())
	} else {
		words = append(words, "-j", "CONNMARK", "--set-xmark", bit(mark))
	}
	return words
}

// once matches a single packet: one token, and the next after a day. The
// token is in a table of the kernel's that has a name, and is gone with the
// last rule that names it (net/netfilter/xt_hashlimit.c). The limit match
// would keep it in the rule, where each change of the table by the legacy
// generation, which replaces all rules, renews it. No two promises share a
// name, not even with what a predecessor left.
func once(e expect.Expectation) []string {
	return []string{
		"-m", "hashlimit", "--hashlimit-upto", "1/day", "--hashlimit-burst", "1",
		"--hashlimit-name", fmt.Sprintf("ftpalg-%d-%x", e.ID, e.Until.UnixNano()), "--hashlimit-htable-size", "1",
	}
}

// accept takes RELATED as well: it is the state of a data connection where
// the control connection has the kernel's own helper.
func accept(e expect.Expectation, mark uint32) []string {
	words := between(e.From, e.Target)
	words = append(words, "-m", "conntrack", "--ctstate", "NEW,RELATED")
	words = append(words, admitted(e, mark)...)
	words = append(words, until(e.Until)...)
	words = append(words, comment(e)...)
	return append(words, "-j", "ACCEPT")
}

// source keeps the connection's source port where it is free, so that an
// active server's port 20 stays 20.
func source(e expect.Expectation, mark uint32) []string {
	words := between(e.From, e.Target)
	if translated(e) {
		words = append(words, "-m", "conntrack")
	}
	words = append(words, admitted(e, mark)...)
	words = append(words, until(e.Until)...)
	words = append(words, comment(e)...)
	return append(words, "-j", "SNAT", "--to-source", e.Seen.String())
}

// admitted matches what the rule of admit let in and nothing else. Its
// first words continue a conntrack match where the promise is translated.
func admitted(e expect.Expectation, mark uint32) []string {
	if translated(e) {
		return []string{"--ctorigdst", e.To.Addr().String(), "--ctorigdstport", port(e.To.Port())}
	}
	return []string{"-m", "connmark", "--mark", bit(mark)}
}

func between(from netip.Addr, to netip.AddrPort) []string {
	return []string{"-s", host(from), "-d", host(to.Addr()), "-p", "tcp", "-m", "tcp", "--dport", port(to.Port())}
}

// until ends a rule in the kernel. The match holds to the end of the second
// that it names (net/netfilter/xt_time.c), so the named one is the last
// that begins before the deadline.
func until(t time.Time) []string {
	last := t.Add(-time.Nanosecond).UTC().Truncate(time.Second)
	return []string{"-m", "time", "--datestop", last.Format("2006-01-02T15:04:05")}
}

// comment names the session, the command and the promise.
func comment(e expect.Expectation) []string {
	return []string{"-m", "comment", "--comment", fmt.Sprintf("%ssession %d %s %d", tag, e.Session, e.Mode, e.ID)}
}

func host(a netip.Addr) string { return netip.PrefixFrom(a, a.BitLen()).String() }
func port(p uint16) string     { return strconv.Itoa(int(p)) }
func bit(m uint32) string      { return fmt.Sprintf("%#x/%#x", m, m) }
