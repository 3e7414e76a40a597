package iptables

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"ftpalg/rules/rule"
)

// place returns the table and the chain of a hook.
func place(h rule.Hook) chain {
	switch h {
	case rule.MarkPrerouting:
		return chain{tableMangle, chainPrerouting}
	case rule.NATPrerouting:
		return chain{tableNAT, chainPrerouting}
	case rule.NATInput:
		return chain{tableNAT, chainInput}
	case rule.NATPostrouting:
		return chain{tableNAT, chainPostrouting}
	case rule.FilterForward:
		return chain{tableFilter, chainForward}
	case rule.FilterOutput:
		return chain{tableFilter, chainOutput}
	default:
		return chain{tableFilter, chainInput}
	}
}

// lineOf returns a rule as a line of iptables. Its tag becomes the comment,
// which is all that the kernel gives back as it was given.
func lineOf(r rule.Rule) line {
	var addresses, others []string
	for _, m := range r.Matches {
		switch words := matchWords(m); m.(type) {
		case rule.Source, rule.Destination, rule.Interface:
			addresses = append(addresses, words...)
		default:
			others = append(others, words...)
		}
	}
	at := place(r.Hook)
	return line{at.table, at.name, slices.Concat(addresses, []string{"-p", "tcp"}, others,
		[]string{"-m", "comment", "--comment", tag + r.Tag}, verdictWords(r.Verdict))}
}

func linesOf(rules []rule.Rule) []line {
	lines := make([]line, len(rules))
	for n, r := range rules {
		lines[n] = lineOf(r)
	}
	return lines
}

// matchWords are in iptables-extensions(8).
func matchWords(m rule.Match) []string {
	switch m := m.(type) {
	case rule.Source:
		return []string{"-s", netip.Prefix(m).String()}
	case rule.Destination:
		return []string{"-d", netip.Prefix(m).String()}
	case rule.Interface:
		return []string{"-i", string(m)}
	case rule.Port:
		return []string{"-m", "tcp", "--dport", decimal(m)}
	case rule.Ports:
		return []string{"-m", "multiport", "--dports", commas(m)}
	case rule.EitherPorts:
		return []string{"-m", "multiport", "--ports", commas(m)}
	case rule.FirstPacket:
		return []string{"-m", "tcp", "--tcp-flags", "FIN,SYN,RST,ACK", "SYN"}
	case rule.NotToUs:
		return []string{"-m", "addrtype", "!", "--dst-type", "LOCAL"}
	case rule.TransparentSocket:
		return []string{"-m", "socket", "--transparent"}
	case rule.Tracked:
		return trackedWords(m)
	case rule.PacketMark:
		return []string{"-m", "mark", "--mark", bit(uint32(m))}
	case rule.ConnectionMark:
		return []string{"-m", "connmark", "--mark", bit(uint32(m))}
	case rule.Helper:
		return []string{"-m", "helper", "--helper", string(m)}
	case rule.Until:
		return []string{"-m", "time", "--datestop", lastSecond(time.Time(m))}
	case rule.Once:
		return onceWords(string(m))
	default: // a match that is left out would make the rule wider
		panic(fmt.Sprintf("no words for a match of %T", m))
	}
}

func trackedWords(m rule.Tracked) []string {
	words := []string{"-m", "conntrack"}
	for n, s := range m.States {
		if n == 0 {
			words = append(words, "--ctstate", string(s))
		} else {
			words[len(words)-1] += "," + string(s)
		}
	}
	if m.OriginalDestination.IsValid() {
		words = append(words, "--ctorigdst", m.OriginalDestination.Addr().String(), "--ctorigdstport", decimal(m.OriginalDestination.Port()))
	}
	return words
}

// lastSecond is for a match that holds to the end of the second that it names
// (net/netfilter/xt_time.c): the last that begins before the deadline.
func lastSecond(deadline time.Time) string {
	return deadline.Add(-time.Nanosecond).UTC().Truncate(time.Second).Format("2006-01-02T15:04:05")
}

// onceWords match a single packet: one token, and the next after a day. The
// token is in a table of the kernel's that has a name, and is gone with the
// last rule that names it (net/netfilter/xt_hashlimit.c). The limit match
// would keep it in the rule, where each change of the table by the legacy
// generation, which replaces all rules, renews it.
func onceWords(name string) []string {
	return []string{"-m", "hashlimit", "--hashlimit-upto", "1/day", "--hashlimit-burst", "1",
		"--hashlimit-name", name, "--hashlimit-htable-size", "1"}
}

func verdictWords(v rule.Verdict) []string {
	switch v := v.(type) {
	case rule.SetPacketMark:
		return []string{"-j", "MARK", "--set-xmark", bit(uint32(v))}
	case rule.SetConnectionMark:
		return []string{"-j", "CONNMARK", "--set-xmark", bit(uint32(v))}
	case rule.Redirect:
		return []string{"-j", "REDIRECT", "--to-ports", decimal(v)}
	case rule.HandOver:
		return []string{"-j", "TPROXY", "--on-port", decimal(v.To.Port()), "--on-ip", v.To.Addr().String(), "--tproxy-mark", bit(v.Mark)}
	case rule.TranslateDestination:
		return []string{"-j", "DNAT", "--to-destination", netip.AddrPort(v).String()}
	case rule.TranslateSource:
		return []string{"-j", "SNAT", "--to-source", netip.Addr(v).String()}
	case rule.Accept:
		return []string{"-j", "ACCEPT"}
	default:
		panic(fmt.Sprintf("no words for a verdict of %T", v))
	}
}

func decimal[N ~uint16](n N) string { return strconv.Itoa(int(n)) }

func commas[N ~[]uint16](ports N) string {
	list := make([]string, len(ports))
	for n, p := range ports {
		list[n] = decimal(p)
	}
	return strings.Join(list, ",")
}

func bit(m uint32) string { return fmt.Sprintf("%#x/%#x", m, m) }
