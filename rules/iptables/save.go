package iptables

import (
	"bufio"
	"io"
	"strconv"
	"strings"
)

// longestLine bounds a line of iptables-save, in bytes. A rule is far
// shorter: its longest word is a comment.
const longestLine = 1 << 20

// parseSave reads what `iptables-save -c` prints and keeps what is ours, or
// leads to it.
func parseSave(in io.Reader) (snapshot, error) {
	var s snapshot
	var table string
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, longestLine)
	for lines.Scan() {
		line := lines.Text()
		switch {
		case strings.HasPrefix(line, "*"):
			table = line[1:]
		case !strings.Contains(line, prefix):
		case strings.HasPrefix(line, ":"):
			if name, _, _ := strings.Cut(line[1:], " "); owned(name) {
				s.chains = append(s.chains, chain{table, name})
			}
		default:
			if r, ok := parseRule(table, line); ok && (owned(r.chain) || owned(r.target())) {
				s.rules = append(s.rules, r)
			}
		}
	}
	return s, lines.Err()
}

// parseRule reads one like `[3:180] -A CHAIN -p tcp …`.
func parseRule(table, text string) (counted, bool) {
	words := split(text)
	if len(words) < 3 || words[1] != "-A" {
		return counted{}, false
	}
	packets, _, _ := strings.Cut(strings.TrimPrefix(words[0], "["), ":")
	n, err := strconv.ParseUint(packets, 10, 64)
	return counted{line{table, words[2], words[3:]}, n}, err == nil
}
