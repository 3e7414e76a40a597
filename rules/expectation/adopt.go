package expectation

import (
	"ftpalg/alg/expect"
	"ftpalg/rules/ctnetlink"
	"ftpalg/rules/report"
	"slices"
	"time"
)

// AdoptPinholes enters the promises of a predecessor, with the master entries
// and expectations that the kernel has for them. One that has no expectation
// any more was used. What the predecessor left beside them is withdrawn, or
// serves later promises. It is called before start.
func (t *Tracker) AdoptPinholes(list []report.Pinhole) error {
	flows, err := ctnetlink.Dump(t.options.Mark)
	if err != nil {
		return err
	}
	expectations, err := ctnetlink.DumpExpectations()
	if err != nil {
		return err
	}
	now := time.Now()
	masters := map[ctnetlink.Tuple]*masterEntry{}
	for _, f := range flows {
		if IsMasterEntry(f, t.options.Mark) {
			masters[f.Orig] = &masterEntry{orig: f.Orig, reply: f.Reply, until: now.Add(f.Timeout)}
			t.number = max(t.number, f.Reply.Dst.Port())
		}
	}
	t.adoptEntries(list, now)
	var strays []ctnetlink.Expected
	for _, x := range expectations {
		switch p := t.byKey[keyOf(x)]; {
		case masters[x.Master] == nil: // another program's
		case p == nil:
			strays = append(strays, x)
		default:
			p.used, p.master, p.until = false, masters[x.Master], now.Add(x.Timeout)
			delete(masters, x.Master)
		}
	}
	for _, m := range masters {
		a := m.addresses()
		t.idle[a] = append(t.idle[a], m)
	}
	return t.withdraw(strays)
}

// adoptEntries enters promises as used, until an expectation is found that
// says otherwise.
func (t *Tracker) adoptEntries(list []report.Pinhole, now time.Time) {
	for _, p := range list {
		if p.State != report.Closing {
			n := &pinholeEntry{Expectation: p.Expectation, used: true, until: now}
			t.pinholesByID[p.ID], t.byKey[p.Key()] = n, n
		}
	}
}

func (t *Tracker) withdraw(list []ctnetlink.Expected) error {
	for some := range slices.Chunk(list, ctnetlink.MostMessages) {
		k := t.kernel.Next()
		for _, x := range some {
			withdrawTuple(k, x.Tuple)
		}
		if _, err := t.kernel.Execute(); err != nil {
			return ctnetlink.OpError("withdraw expectations", "", err)
		}
	}
	return nil
}

// addresses returns those that data connections under the entry get.
func (s *masterEntry) addresses() addresses {
	return addresses{s.reply.Src.Addr(), s.reply.Dst.Addr()}
}

// keyOf returns what the connection shows of itself that an expectation admits.
func keyOf(x ctnetlink.Expected) expect.Key {
	return expect.Key{From: x.Tuple.Src.Addr(), Reached: x.Tuple.Dst}
}
