package rule

import (
	"errors"
	"fmt"
	"net/netip"

	"ftpalg/alg/expect"
)

// ErrInvalid means that a request cannot be expressed as rules.
var ErrInvalid = errors.New("invalid")

// Pinhole returns the rules that admit the promised connection, in the order
// in which they should come into force. The one in nat PREROUTING admits one
// connection, however quick a second one comes; the others follow it, by the
// original destination that only its translation leaves, or by its mark where
// nothing is translated. All end by themselves. A connection whose target is
// this machine (local) passes other hooks than one that is forwarded.
func Pinhole(e expect.Expectation, mark uint32, local bool) []Rule {
	accept, source := FilterForward, NATPostrouting
	if local {
		accept, source = FilterInput, NATInput
	}
	tag := fmt.Sprintf("session %d %s %d", e.Session, e.Mode, e.ID)
	toTarget := between(e.From, e.Target)
	// RELATED as well: it is the state of a data connection where the control
	// connection has the kernel's own helper.
	rules := []Rule{{accept, append(toTarget, append(admitted(e, mark, New, Related), Until(e.Until))...), Accept{}, tag}}
	if e.Seen != e.From {
		rules = append(rules, Rule{source, append(between(e.From, e.Target), append(admitted(e, mark), Until(e.Until))...), TranslateSource(e.Seen), tag})
	}
	return append(rules, admit(e, mark, tag))
}

// admit is the rule that uses itself up. No two promises share the name of
// its token, not even with what a predecessor left.
func admit(e expect.Expectation, mark uint32, tag string) Rule {
	once := Once(fmt.Sprintf("ftpalg-%d-%x", e.ID, e.Until.UnixNano()))
	var verdict Verdict = SetConnectionMark(mark)
	if TranslatedTarget(e) {
		verdict = TranslateDestination(e.Target)
	}
	return Rule{NATPrerouting, append(between(e.From, e.Reached), Until(e.Until), once), verdict, tag}
}

// admitted matches what the rule of admit let in and nothing else, in one of
// the states.
func admitted(e expect.Expectation, mark uint32, states ...State) []Match {
	switch {
	case TranslatedTarget(e):
		return []Match{Tracked{states, e.Reached}}
	case len(states) == 0:
		return []Match{ConnectionMark(mark)}
	}
	return []Match{Tracked{States: states}, ConnectionMark(mark)}
}

func between(from netip.Addr, to netip.AddrPort) []Match {
	return []Match{Source(host(from)), Destination(host(to.Addr())), Port(to.Port())}
}

func host(a netip.Addr) netip.Prefix { return netip.PrefixFrom(a, a.BitLen()) }

// TranslatedTarget reports whether a promised connection is sent to another
// address or port than it was made to.
func TranslatedTarget(e expect.Expectation) bool { return e.Target != e.Reached }

// Validate refuses what no rule can express, and what would be wider than a
// promise: no address or port may be left open. The error wraps ErrInvalid.
func Validate(e expect.Expectation) error {
	family := FamilyOf(e.From)
	for _, a := range []netip.Addr{e.From, e.Reached.Addr(), e.Target.Addr(), e.Seen} {
		if !a.IsValid() || a.Is4In6() || a.Zone() != "" || a.IsUnspecified() || a.IsMulticast() || FamilyOf(a) != family {
			return fmt.Errorf("rules: %w promise: address %s in %s", ErrInvalid, a, e)
		}
	}
	if e.Reached.Port() == 0 || e.Target.Port() == 0 {
		return fmt.Errorf("rules: %w promise: port 0 in %s", ErrInvalid, e)
	}
	if e.Target.Addr().IsLoopback() {
		return fmt.Errorf("rules: %w promise: target in %s: no packet from outside can be sent to a loopback address; "+
			"the server needs another address of this machine", ErrInvalid, e)
	}
	return nil
}
