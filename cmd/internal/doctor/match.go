package doctor

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"ftpalg/cmd/internal/config"
)

// packet is a TCP packet that the gateway depends on. What is zero is not
// known.
type packet struct {
	in, out  string
	from, to netip.Prefix
	port     config.PortRange // the destination's, one of these
	// local says that it is addressed to this machine.
	local bool
	// established says that its connection is known and answered; otherwise
	// it is the first.
	established bool
}

// certainty is whether a rule matches a packet of which not all is known.
type certainty uint8

const (
	never certainty = iota
	perhaps
	surely
)

func (c certainty) not() certainty { return surely - c }

func certain(yes bool) certainty {
	if yes {
		return surely
	}
	return never
}

// matches compares a rule with a packet. A match that it does not know may
// hold or not.
func (r Rule) matches(p packet) certainty {
	all, negated := surely, false
	for i := 0; i < len(r); i++ {
		option := r[i]
		if option == "!" {
			negated = true
			continue
		}
		if option == "-j" || option == "-g" {
			break
		}
		if option == "-m" || option == "--comment" {
			i++
			continue
		}
		if !strings.HasPrefix(option, "-") {
			continue // a further value of the option before
		}
		value := ""
		if i+1 < len(r) {
			value = r[i+1]
		}
		one := p.fits(option, value)
		if negated {
			one, negated = one.not(), false
		}
		all = min(all, one)
	}
	return all
}

// fits compares one match of a rule.
func (p packet) fits(option, value string) certainty {
	switch option {
	case "-p":
		return certain(value == "tcp" || value == "6" || value == "all")
	case "-i":
		return device(p.in, value)
	case "-o":
		return device(p.out, value)
	case "-s":
		return inside(p.from, value)
	case "-d":
		return inside(p.to, value)
	case "--dport", "--dports":
		return amongPorts(p.port, value)
	case "--ctstate", "--state":
		state := "NEW"
		if p.established {
			state = "ESTABLISHED"
		}
		return certain(slices.Contains(strings.Split(value, ","), state))
	case "--tcp-flags": // as --syn prints itself; the rest is not known
		if value == "FIN,SYN,RST,ACK" && !p.established {
			return surely
		}
	case "--dst-type":
		if value == "LOCAL" {
			return certain(p.local)
		}
	}
	return perhaps
}

func device(known, pattern string) certainty {
	if known == "" {
		return perhaps
	}
	if start, wild := strings.CutSuffix(pattern, "+"); wild {
		return certain(strings.HasPrefix(known, start))
	}
	return certain(known == pattern)
}

func inside(known netip.Prefix, network string) certainty {
	n, err := netip.ParsePrefix(network)
	if err != nil || !known.IsValid() {
		return perhaps
	}
	return part(n.Contains(known.Addr()) && n.Bits() <= known.Bits(), n.Overlaps(known))
}

// part is sure of what lies wholly inside, and of what lies wholly outside.
func part(inside, overlaps bool) certainty {
	switch {
	case inside:
		return surely
	case overlaps:
		return perhaps
	}
	return never
}

// amongPorts compares ports with a list like 21,990,50000:50999.
func amongPorts(known config.PortRange, list string) certainty {
	if known.Size() == 0 {
		return perhaps
	}
	best := never
	for _, some := range strings.Split(list, ",") {
		low, high, ranged := strings.Cut(some, ":")
		if !ranged {
			high = low
		}
		first, err1 := strconv.ParseUint(low, 10, 16)
		last, err2 := strconv.ParseUint(high, 10, 16)
		if err1 != nil || err2 != nil {
			return perhaps
		}
		r := config.PortRange{First: uint16(first), Last: uint16(last)}
		best = max(best, part(r.First <= known.First && known.Last <= r.Last, r.Overlaps(known)))
	}
	return best
}
