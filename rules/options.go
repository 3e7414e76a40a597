package rules

import (
	"cmp"
	"ftpalg/rules/expectation"
	"ftpalg/rules/follow"
	"ftpalg/rules/iptables"
	"ftpalg/rules/report"
	"ftpalg/rules/rule"
	"time"
)

// Defaults of Options.
const (
	// DefaultMark, DefaultPinholeMark and DefaultExpectationMark are bits 25
	// to 27. Kubernetes takes bits 14 and 15, Cilium 8 to 11, Tailscale 16 to
	// 23; the sign bit and its neighbours are popular with scripts.
	DefaultMark            = 0x2000000
	DefaultPinholeMark     = 0x4000000
	DefaultExpectationMark = 0x8000000
	// DefaultRoute is both the number of the route table and the priority
	// of the policy rule: before `main` (32766), and easy to recognise.
	DefaultRoute      = 2121
	DefaultSweepEvery = 200 * time.Millisecond
	DefaultCheckEvery = 2 * time.Second
	// DefaultEventBuffer has room for some ten thousand events.
	DefaultEventBuffer = 8 << 20
)

// Options are a Manager's settings. The zero value works.
type Options struct {
	// Path is how pinholes are opened.
	Path Path
	// Mark is the bit of the packet mark on packets which must be delivered
	// to a local socket although their address is foreign; 0 means
	// DefaultMark.
	Mark uint32
	// PinholeMark is the bit of the connection mark on a data connection
	// that a pinhole without translation admits, and on a control
	// connection that TPROXY took over; 0 means DefaultPinholeMark. It must
	// differ from Mark: where an operator
	// restores connection marks to packets, his forwarded data would be
	// delivered locally.
	PinholeMark uint32
	// ExpectationMark is the bit of the connection mark on a data connection
	// that an expectation admits, and on the master entry above it; 0 means
	// DefaultExpectationMark. It must differ from both others: a connection
	// with this mark is accepted if the kernel's ftp helper expected it, and
	// that may be at work on a control connection, too.
	ExpectationMark uint32
	// RouteTable and RulePriority are those of the policy route that
	// delivers marked packets; 0 means DefaultRoute.
	RouteTable, RulePriority int
	// SweepEvery is the least time between two transactions that delete
	// the rules of ended pinholes; 0 means DefaultSweepEvery.
	SweepEvery time.Duration
	// CheckEvery is how often the kernel's rules are compared with what
	// should be there; 0 means DefaultCheckEvery.
	CheckEvery time.Duration
	// EventBuffer is how many bytes of conntrack events may wait to be read;
	// 0 means DefaultEventBuffer.
	EventBuffer int
	// Observe is told what happened in the background; nil means nobody. It
	// is called from a worker and must return soon; calling Open, Apply,
	// Start or Stop in it is a deadlock.
	Observe func(report.Event)
	// Connections is told of data connections: Connected, Reopened, Carrying,
	// Disconnected and EventsLost; nil means nobody. What holds for Observe holds for it.
	Connections func(report.Event)
}

func (o Options) withDefaults() Options {
	o.Mark = cmp.Or(o.Mark, DefaultMark)
	o.PinholeMark = cmp.Or(o.PinholeMark, DefaultPinholeMark)
	o.ExpectationMark = cmp.Or(o.ExpectationMark, DefaultExpectationMark)
	o.RouteTable = cmp.Or(o.RouteTable, DefaultRoute)
	o.RulePriority = cmp.Or(o.RulePriority, DefaultRoute)
	o.SweepEvery = cmp.Or(o.SweepEvery, DefaultSweepEvery)
	o.CheckEvery = cmp.Or(o.CheckEvery, DefaultCheckEvery)
	o.EventBuffer = cmp.Or(o.EventBuffer, DefaultEventBuffer)
	if o.Observe == nil {
		o.Observe = func(report.Event) {}
	}
	if o.Connections == nil {
		o.Connections = func(report.Event) {}
	}
	return o
}

// marks returns the bits for rules. Before the path is settled, it is taken for
// the one that needs more.
func (o Options) marks() rule.Marks {
	m := rule.Marks{Delivery: o.Mark, Pinhole: o.PinholeMark}
	if o.Path != IPTables {
		m.Expectation = o.ExpectationMark
	}
	return m
}

func (o Options) ruleset(s Static) iptables.Ruleset {
	return func(f Family) []rule.Rule { return s.Rules(f, o.marks()) }
}

// The settings of what a Manager is made of.

func (o Options) filter() iptables.Options {
	return iptables.Options{
		Mark: o.Mark, PinholeMark: o.PinholeMark, RouteTable: o.RouteTable, RulePriority: o.RulePriority,
		SweepEvery: o.SweepEvery, CheckEvery: o.CheckEvery, Observe: o.Observe,
	}
}

func (o Options) tracker() expectation.Options {
	return expectation.Options{Mark: o.ExpectationMark, SweepEvery: o.SweepEvery, Observe: o.Observe}
}

func (o Options) watcher(mark uint32) follow.Options {
	return follow.Options{Mark: mark, EventBuffer: o.EventBuffer, Connections: o.Connections}
}
