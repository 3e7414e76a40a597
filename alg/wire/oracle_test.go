package wire_test

import (
	"bytes"
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"

	"ftpalg/alg/wire"
)

// The functions in this file say again, by other means and with the whole
// input at hand, what the package says. The fuzzers compare.

// commandLines cuts a whole stream of a client.
func commandLines(data []byte, most int) (lines []string) {
	terminator := []byte("\n")
	if first, _, ok := bytes.Cut(data, terminator); ok && bytes.HasSuffix(first, []byte("\r")) {
		terminator = []byte("\r\n")
	}
	for len(data) > 0 {
		text, rest, ok := bytes.Cut(data, terminator)
		size := len(data) - len(rest)
		switch {
		case ok && size <= most:
			lines = append(lines, describe(wire.Line{Bytes: data[:size], Fault: inside(text), Begins: true, Ends: true}))
		case size >= most:
			lines = append(lines, describe(wire.Line{Bytes: data[:most], Fault: wire.TooLong, Begins: true, Ends: true}))
		}
		data = rest
	}
	return lines
}

// replyLines cuts a whole stream of a server. A line is without fault if both
// readers, the one who splits at LF and the one who splits at CRLF, have it.
func replyLines(data []byte, most int) (lines []string) {
	atCRLF := map[int]bool{0: true}
	firstCRLF := len(data) + 1
	for i := range data {
		if bytes.HasSuffix(data[:i+1], []byte("\r\n")) {
			atCRLF[i+1] = true
			firstCRLF = min(firstCRLF, i+1)
		}
	}
	start := 0
	for line := range bytes.Lines(data) {
		end := start + len(line)
		text, finished := bytes.CutSuffix(line, []byte("\n"))
		if !finished || len(line) > most {
			lines = append(lines, fragments(line, most, finished)...)
			start = end
			continue
		}
		fault := inside(bytes.TrimSuffix(text, []byte("\r")))
		if same := atCRLF[start] && atCRLF[end] || end < firstCRLF; fault == wire.NoFault && !same {
			fault = wire.BareLF
		}
		lines = append(lines, describe(wire.Line{Bytes: line, Fault: fault, Begins: true, Ends: true}))
		start = end
	}
	return lines
}

// fragments cuts an over-long line; of an unfinished one only whole fragments.
func fragments(line []byte, most int, finished bool) (lines []string) {
	for at := 0; at < len(line); at += most {
		end := min(at+most, len(line))
		last := finished && end == len(line)
		if end-at == most || last {
			lines = append(lines, describe(wire.Line{Bytes: line[at:end], Fault: wire.TooLong, Begins: at == 0, Ends: last}))
		}
	}
	return lines
}

func inside(text []byte) wire.Fault {
	for _, c := range text {
		if f, ok := map[byte]wire.Fault{'\n': wire.BareLF, '\r': wire.BareCR, 0: wire.NUL}[c]; ok {
			return f
		}
	}
	return wire.NoFault
}

var (
	sixPattern    = regexp.MustCompile(`^\d{1,3}(?:[ \t\v\f]*,[ \t\v\f]*\d{1,3}){5}$`)
	listPattern   = regexp.MustCompile(`\d+(?:[ \t\v\f]*,[ \t\v\f]*\d+)*`)
	beforePattern = regexp.MustCompile(`(?:[A-Za-z,+-]|\d\.|[\x{FF10}-\x{FF19}])$`)
	behindPattern = regexp.MustCompile(`^(?:[A-Za-z]|\.\d|,[^ \t\v\f]|[\x{FF10}-\x{FF19}])`)
	digitsPattern = regexp.MustCompile(`^\d{1,5}$`)
	codePattern   = regexp.MustCompile(`(?s)^(\d\d\d)(?:([ -]).*)?$`)
)

const blanks = " \t\v\f"

// strictSix reads six numbers and nothing else; the zero AddrPort means no.
func strictSix(s string) netip.AddrPort {
	if !sixPattern.MatchString(s) {
		return netip.AddrPort{}
	}
	var n [6]byte
	for i, field := range strings.Split(s, ",") {
		v, err := strconv.ParseUint(strings.Trim(field, blanks), 10, 8)
		if err != nil {
			return netip.AddrPort{}
		}
		n[i] = byte(v)
	}
	port := uint16(n[4])*256 + uint16(n[5])
	if port == 0 {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte(n[:4])), port)
}

// strict227 reads the text behind the code of a 227.
func strict227(s string) netip.AddrPort {
	var candidates [][]int
	for _, at := range listPattern.FindAllStringIndex(s, -1) {
		if strings.Count(s[at[0]:at[1]], ",") >= 5 {
			candidates = append(candidates, at)
		}
	}
	if len(candidates) != 1 {
		return netip.AddrPort{}
	}
	from, to := candidates[0][0], candidates[0][1]
	if beforePattern.MatchString(s[:from]) || behindPattern.MatchString(s[to:]) {
		return netip.AddrPort{}
	}
	return strictSix(s[from:to])
}

// strictEPRT reads the argument of EPRT.
func strictEPRT(s string) netip.AddrPort {
	s = strings.Trim(s, blanks)
	if s == "" || s[0] < '!' || s[0] > '~' || strings.ContainsRune("0123456789abcdefABCDEF.:%", rune(s[0])) {
		return netip.AddrPort{}
	}
	f := strings.Split(s, s[:1])
	if len(f) != 5 || f[0] != "" || f[4] != "" || !digitsPattern.MatchString(f[3]) {
		return netip.AddrPort{}
	}
	addr, err := netip.ParseAddr(f[2])
	v4 := f[1] == "1" && addr.Is4()
	v6 := f[1] == "2" && addr.Is6() && !addr.Is4In6() && addr.Zone() == ""
	port, portErr := strconv.ParseUint(f[3], 10, 16)
	if err != nil || portErr != nil || port == 0 || !v4 && !v6 {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(addr, uint16(port))
}

// strict229 returns a function that reads the text behind the code of a 229;
// 0 means no port.
func strict229() func(text string) uint16 {
	var patterns []*regexp.Regexp
	for d := '!'; d <= '~'; d++ {
		if '0' <= d && d <= '9' {
			continue
		}
		before := fmt.Sprintf(`(?:^|[^\x{%x}])`, d)
		if d == '(' {
			before += `\(?`
		}
		patterns = append(patterns, regexp.MustCompile(fmt.Sprintf(`%s\x{%x}{3}(\d+)\x{%x}`, before, d, d)))
	}
	return func(text string) uint16 {
		var found []string
		for _, p := range patterns {
			// The delimiter behind one port may be the first before another.
			for rest := text; ; {
				at := p.FindStringSubmatchIndex(rest)
				if at == nil {
					break
				}
				found = append(found, rest[at[2]:at[3]])
				rest = rest[at[3]:]
			}
		}
		if len(found) != 1 || !digitsPattern.MatchString(found[0]) {
			return 0
		}
		port, err := strconv.ParseUint(found[0], 10, 16)
		if err != nil {
			return 0
		}
		return uint16(port)
	}
}
