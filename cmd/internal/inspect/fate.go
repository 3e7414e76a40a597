package inspect

import (
	"ftpalg/alg/capture"
	"ftpalg/alg/dialogue"
)

// fate is what became of an announcement, in one word.
type fate string

const (
	came        fate = "came"        // its connection carried data, or none, and ended in order
	running     fate = "running"     // its connection had not ended when the capture did
	wasCut      fate = "cut"         // its connection was broken off
	dropped     fate = "dropped"     // SYNs had no answer
	wasRefused  fate = "refused"     // a RST or an ICMP message answered
	rejected    fate = "rejected"    // the server did not accept PORT or EPRT
	notNeeded   fate = "not needed"  // no transfer was asked for
	neverCame   fate = "never came"  // a transfer was asked for and nobody connected
	notAnnounce fate = "unannounced" // a 227 or 229 that nobody asked for
)

func fateOf(a *capture.Announcement) fate {
	d, tried := a.Data()
	switch {
	case tried:
		return fateOfData(d)
	case a.Reply >= 400:
		return rejected
	case a.Reason == dialogue.Unasked:
		return notAnnounce
	case a.Transfer == "" || a.Result >= 500:
		return notNeeded
	}
	return neverCame
}

func fateOfData(d capture.Data) fate {
	switch d.State {
	case capture.Unanswered:
		return dropped
	case capture.Refused, capture.Unreachable:
		return wasRefused
	case capture.Cut:
		return wasCut
	case capture.Opened:
		return running
	}
	return came
}

// good reports whether nobody needs to look at it.
func (f fate) good() bool { return f == came || f == running || f == notNeeded || f == notAnnounce }

// totals counts fates.
type totals struct {
	fates   map[fate]int
	skipped int // of which nothing was kept
}

func (t *totals) count(f fate) {
	if t.fates == nil {
		t.fates = make(map[fate]int)
	}
	t.fates[f]++
}

func (t *totals) add(o totals) {
	for f, n := range o.fates {
		if t.fates == nil {
			t.fates = make(map[fate]int)
		}
		t.fates[f] += n
	}
	t.skipped += o.skipped
}

func (t *totals) all() int {
	n := t.skipped
	for _, m := range t.fates {
		n += m
	}
	return n
}
