package top

import (
	"fmt"
	"strings"
	"time"

	"ftpalg/alg/nat"
	"ftpalg/cmd/internal/words"
)

// header renders what is above the table.
func (m *Model) header(width int) []Line {
	s := &m.now.Status
	if m.now.Err != nil {
		out := []Line{line("ftpalg top: no gateway answers, trying again", Bad).fit(width)}
		for _, part := range wrap(m.now.Err.Error(), width) {
			out = append(out, line(part, Faint).fit(width))
		}
		return append(out, line("", Normal))
	}
	if m.now.At.IsZero() {
		return []Line{line("ftpalg top: asking the gateway", Faint).fit(width)}
	}
	state := Span{"ready", Good}
	if !s.Ready {
		state = Span{"not ready: " + strings.Join(s.Missing, "; "), Bad}
	}
	title := Line{{"ftpalg " + s.Version, Strong}, {"  ", Normal}, state,
		{fmt.Sprintf("  up %s  data path %s", words.Duration(m.now.At.Sub(s.Started)), s.Path), Normal}}
	lines := []Line{
		apart(title, line(m.now.At.Local().Format(time.TimeOnly), Faint), width),
		Line{
			{fmt.Sprintf("sessions %d, %d transferring", len(m.now.Sessions), transferring(m.now.Sessions)), Strong},
			{fmt.Sprintf("   pinholes %d   refused %d   turned away %d", s.Pinholes, s.Counters.Refused, s.Counters.TurnedAway), Normal},
		}.fit(width),
		m.throughput(width),
		level("passive ports", s.Ports.Passive, width),
		level("active ports ", s.Ports.Active, width),
	}
	for _, v := range s.Servers {
		if !v.Up {
			lines = append(lines, line(fmt.Sprintf("server %s of %s is left out: %s", v.Server, v.Listener, v.Error), Bad).fit(width))
		}
	}
	return append(lines, line("", Normal))
}

// throughput renders what is carried now, and where there is room in the last
// minute.
func (m *Model) throughput(width int) Line {
	c := &m.now.Status.Counters
	if !c.Counted && c.Transfers > 0 {
		return line("data not counted by the kernel (sysctl net.netfilter.nf_conntrack_acct)", Faint).fit(width)
	}
	l := Line{
		{fmt.Sprintf("data %s/s to clients, %s/s to servers", words.Bytes(uint64(m.rate.toClients)), words.Bytes(uint64(m.rate.toServers))), Strong},
		{fmt.Sprintf("   %s in %s", words.Bytes(c.FromClient+c.FromServer), words.Count(c.Transfers, "transfer")), Normal},
	}
	if width >= wide && len(m.rate.past) > 1 {
		l = append(l, Span{"   ", Normal}, Span{curve(m.rate.past), Good}, Span{" last minute", Faint})
	}
	return l.fit(width)
}

// wide is the width from which on the last minute is drawn.
const wide = 150

// curve draws values as bars, the highest of them full.
func curve(values []float64) string {
	bars := []rune("▁▂▃▄▅▆▇█")
	highest := 1.0
	for _, v := range values {
		highest = max(highest, v)
	}
	var b strings.Builder
	for _, v := range values {
		b.WriteRune(bars[int(v/highest*float64(len(bars)-1)+0.5)])
	}
	return b.String()
}

// level draws how far a range of ports is used.
func level(name string, l nat.Level, width int) Line {
	text := fmt.Sprintf(" %d of %d leased, %d resting", l.Leased, l.Total, l.Resting)
	room := min(width-length(name)-length(text)-3, 60)
	if room < 10 || l.Total == 0 {
		return line(name+text, Normal).fit(width)
	}
	leased := share(l.Leased, l.Total, room)
	resting := min(share(l.Resting, l.Total, room), room-leased)
	style := Good
	switch {
	case l.Free*10 < l.Total:
		style = Bad
	case l.Free*4 < l.Total:
		style = Warning
	}
	return Line{
		{name + " [", Normal},
		{strings.Repeat("|", leased), style},
		{strings.Repeat(":", resting), Faint},
		{strings.Repeat(" ", room-leased-resting), Normal},
		{"]" + text, Normal},
	}.fit(width)
}

// share returns how much of room a part of a whole takes; a part that is not
// nothing shows.
func share(part, whole, room int) int {
	if part == 0 {
		return 0
	}
	return max(part*room/whole, 1)
}
