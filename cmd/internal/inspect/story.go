package inspect

import (
	"bufio"
	"fmt"
	"slices"
	"time"

	"ftpalg/alg/capture"
)

// story tells sessions in words, in the order in which they were recognised.
type story struct {
	gateway *gateway
	out     *bufio.Writer
	live    bool
	held    []*capture.Session
	weight  int // announcements of the held sessions
	told    int
	totals  totals
	err     error
}

// maxTold is how many announcements of held sessions are kept for the sake of
// the order.
const maxTold = 20000

func newStory(o Options, g *gateway) *story {
	return &story{gateway: g, out: bufio.NewWriter(o.Out), live: o.Live}
}

func (s *story) announced(*capture.Announcement) {}

func (s *story) ended(e *capture.Session) {
	i, _ := slices.BinarySearchFunc(s.held, e.Number, func(h *capture.Session, n uint64) int { return int(h.Number) - int(n) })
	s.held = slices.Insert(s.held, i, e)
	s.weight += len(e.Announcements) + 1
	if s.weight > maxTold {
		s.tell(len(s.held)/2 + 1)
	}
}

func (s *story) tick(time.Time) {
	if s.live && len(s.held) > 0 {
		s.tell(len(s.held))
		s.flush()
	}
}

// tell tells the first n held sessions.
func (s *story) tell(n int) {
	for _, e := range s.held[:n] {
		s.weight -= len(e.Announcements) + 1
		s.print(e)
	}
	s.held = slices.Delete(s.held, 0, n)
}

func (s *story) print(e *capture.Session) {
	if s.told++; s.told > 1 {
		s.line("")
	}
	s.line("%s", heading(e))
	for _, remark := range remarks(e) {
		s.line("  %s", remark)
	}
	var t totals
	shown := 0
	for _, a := range e.Announcements {
		fate := fateOf(a)
		t.count(fate)
		if fate.good() && len(e.Announcements) > maxGood && shown >= maxGood {
			continue
		}
		shown++
		s.announcement(a, fate)
	}
	if more := e.Announced - shown; more > 0 {
		s.line("  … and %s", plural(more, "more data connection"))
	}
	t.skipped = e.Announced - len(e.Announcements)
	s.line("  %s", verdict(e, t))
	s.totals.add(t)
}

// maxGood is how many announcements that went well are told of one session,
// before only the others are.
const maxGood = 20

// announcement tells one announcement: what was said, then what became of it.
func (s *story) announcement(a *capture.Announcement, f fate) {
	head := fmt.Sprintf("  frame %-6d %s  %s", a.Frame, a.Mode, a.Said)
	if a.Transfer != "" {
		head += "  " + a.Transfer
	}
	s.line("%s", head)
	for _, line := range describe(a, f) {
		s.line("      %s", line)
	}
	if told := s.gateway.words(a); told != "" {
		s.line("      %s", told)
	}
}

func (s *story) line(format string, values ...any) {
	if _, err := fmt.Fprintf(s.out, format+"\n", values...); s.err == nil {
		s.err = err
	}
}

func (s *story) flush() {
	if err := s.out.Flush(); s.err == nil {
		s.err = err
	}
}

func (s *story) finish(stats capture.Stats, cause error) error {
	s.tell(len(s.held))
	if s.told > 0 {
		s.line("")
	}
	for _, line := range summary(stats, s.totals, cause) {
		s.line("%s", line)
	}
	s.flush()
	return s.err
}
