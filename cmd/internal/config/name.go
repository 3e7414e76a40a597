package config

import (
	"fmt"
	"strings"
)

const (
	letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digits  = "0123456789"
)

// longestName bounds a listener's name, in bytes: it stands in every log line
// and status row of its sessions.
const longestName = 32

// name is the name of a listener.
func name() codec[string] {
	return codec[string]{parseName, verbatim, shape{says: "a name of letters, digits, `.`, `_` and `-`, at most 32", pattern: "^[A-Za-z0-9._-]{1,32}$"}}
}

func parseName(text string) (string, error) {
	switch {
	case text == "":
		return "", fmt.Errorf("a name cannot be empty")
	case len(text) > longestName:
		return "", fmt.Errorf("%s is too long; a name has at most %d characters", quote(text), longestName)
	case strings.Trim(text, letters+digits+"._-") != "":
		return "", fmt.Errorf(`%s is not a name; use letters, digits, ".", "_" and "-"`, quote(text))
	}
	return text, nil
}

func verbatim(text string) string { return text }

// device is the name of a network interface, as the kernel takes it
// (net/core/dev.c, dev_valid_name) and without iptables' wildcard
// (manual page iptables(8), --in-interface).
func device() codec[string] {
	return codec[string]{parseDevice, verbatim, described("the name of a network interface")}
}

func parseDevice(text string) (string, error) {
	switch {
	case len(text) > 15:
		return "", fmt.Errorf("%s is too long; an interface's name has at most 15 bytes", quote(text))
	case text == "" || text == "." || text == ".." || strings.ContainsAny(text, "/: \t\n\v\f\r\u00a0"):
		return "", fmt.Errorf("%s is not the name of an interface", quote(text))
	case strings.HasSuffix(text, "+"):
		return "", fmt.Errorf("%s is a pattern; name one interface", quote(text))
	}
	return text, nil
}

// isName reports whether text is a DNS name: labels of letters, digits and
// hyphens, of which the last is no number, else it would be a mistyped
// address (RFC 1123 section 2.1).
func isName(text string) bool {
	labels := strings.Split(strings.TrimSuffix(text, "."), ".")
	for _, label := range labels {
		if !isLabel(label) {
			return false
		}
	}
	last := labels[len(labels)-1]
	return len(text) <= 253 && strings.Trim(last, digits) != ""
}

func isLabel(text string) bool {
	return text != "" && len(text) <= 63 &&
		strings.Trim(text, letters+digits+"-") == "" &&
		text[0] != '-' && text[len(text)-1] != '-'
}
