// Package words says in plain text what the gateway shows: one session, and
// the figures and names that tables are made of. It is pure.
package words

import (
	"fmt"
	"ftpalg/cmd/internal/api"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Plain returns what a peer wrote so that it cannot move a terminal's cursor:
// bytes that no font shows are written as Go escapes.
func Plain(s string) string {
	if strings.IndexFunc(s, func(r rune) bool { return !unicode.IsPrint(r) || r == unicode.ReplacementChar }) < 0 {
		return s
	}
	quoted := strconv.Quote(s)
	return strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
}

// Bytes returns a number of bytes in three digits and a decimal unit.
func Bytes(n uint64) string {
	const units = "kMGTPE"
	if n < 1000 {
		return strconv.FormatUint(n, 10) + " B"
	}
	f := float64(n)
	for _, unit := range units {
		f /= 1000
		switch {
		case f < 9.995:
			return fmt.Sprintf("%.2f %cB", f, unit)
		case f < 99.95:
			return fmt.Sprintf("%.1f %cB", f, unit)
		case f < 999.5:
			return fmt.Sprintf("%.0f %cB", f, unit)
		}
	}
	return fmt.Sprintf("%.0f EB", f)
}

// Duration returns how long something took or takes, in its two largest
// units.
func Duration(d time.Duration) string {
	switch {
	case d < 0:
		return "0s"
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	case d < time.Minute:
		return d.Round(time.Second).String()
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", d/time.Minute, d%time.Minute/time.Second)
	case d < 24*time.Hour:
		return fmt.Sprintf("%dh%02dm", d/time.Hour, d%time.Hour/time.Minute)
	}
	return fmt.Sprintf("%dd%02dh", d/(24*time.Hour), d%(24*time.Hour)/time.Hour)
}

// Count returns a number with its noun, which takes an s.
func Count(n uint64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// Protection says in a word which sides of a session are under TLS that ends at
// the gateway.
func Protection(s *api.Session) string {
	switch {
	case s.TLS != nil && s.ServerTLS != nil:
		return "both"
	case s.TLS != nil:
		return "client"
	case s.ServerTLS != nil:
		return "server"
	case s.State == "opaque":
		return "passed"
	}
	return "-"
}
