package inspect

import (
	"fmt"
	"strings"

	"ftpalg/alg/capture"
)

// verdict says in one line how a session went.
func verdict(e *capture.Session, t totals) string {
	switch {
	case e.Announced == 0 && e.Opaque != 0:
		return "Verdict: encrypted; no data connection can be followed."
	case e.Announced == 0:
		return "Verdict: no data connection was announced."
	}
	s := fmt.Sprintf("Verdict: %s (%s): %s", plural(e.Announced, "data connection"), modes(e), t)
	if e.Opaque != 0 {
		s += "; encrypted since"
	}
	return s + "."
}

// String lists the fates with their numbers, the bad ones first.
func (t totals) String() string {
	var out []string
	for _, f := range []struct {
		fate
		words string
	}{
		{dropped, "silently dropped"}, {wasRefused, "refused"}, {rejected, "not accepted by the server"}, {neverCame, "never came"},
		{wasCut, "cut off"}, {came, "well"}, {running, "still open"}, {notNeeded, "not used"}, {notAnnounce, "not asked for"},
	} {
		if n := t.fates[f.fate]; n > 0 {
			out = append(out, fmt.Sprintf("%d %s", n, f.words))
		}
	}
	if t.skipped > 0 {
		out = append(out, fmt.Sprintf("%d not kept", t.skipped))
	}
	return strings.Join(out, ", ")
}

// summary says what the whole capture holds.
func summary(s capture.Stats, t totals, cause error) (out []string) {
	add := func(format string, values ...any) { out = append(out, fmt.Sprintf(format, values...)) }
	switch {
	case s.Sessions == 0:
		add("No FTP found in %s (%s).", count(int64(s.Frames), "packet"), count(int64(s.Connections), "TCP connection"))
		out = append(out, hints(s)...)
	case t.all() == 0:
		add("%s, no data connection announced, in %s.", count(int64(s.Sessions), "FTP session"), count(int64(s.Frames), "packet"))
	default:
		add("%s in %s; %s: %s.", count(int64(s.Sessions), "FTP session"), count(int64(s.Frames), "packet"),
			plural(t.all(), "data connection"), t)
	}
	if s.ImplicitFTPS > 0 {
		add("Implicit FTPS, encrypted from the first byte on, which cannot be read: %s with port 990.", count(int64(s.ImplicitFTPS), "connection"))
	}
	if s.LinkFrames > 0 {
		add("Link type %d cannot be decoded: %s passed over.", s.Link, count(int64(s.LinkFrames), "packet"))
	}
	if s.Snapped > 0 {
		add("The snap length cut something off %s: capture whole packets (tcpdump -s 0).", count(int64(s.Snapped), "segment"))
	}
	if s.Evicted > 0 {
		add("Forgotten while idle, to bound memory: %s.", count(int64(s.Evicted), "connection"))
	}
	if cause != nil {
		add("The capture cannot be read to its end: %v.", cause)
	}
	return out
}

// hints says why there may be no FTP in a capture.
func hints(s capture.Stats) (out []string) {
	switch {
	case s.Frames == 0:
		return []string{"The capture has no packets."}
	case s.Segments == 0:
		return []string{"It has no TCP: was it captured on the right interface, and with the right filter?"}
	}
	if s.TLS > s.ImplicitFTPS {
		out = append(out, fmt.Sprintf("Encrypted from the first byte on (TLS): %s, of which nothing can be read.", count(int64(s.TLS-s.ImplicitFTPS), "connection")))
	}
	return append(out, "Only data connections may be in it: the control connection, mostly at port 21, must be captured too.")
}
