package rules

import (
	"ftpalg/rules/rule"
	"time"

	"golang.org/x/sys/unix"
)

// dumpConntrack returns the TCP entries of this network namespace that have a bit
// of the mark, or all for mark 0. The kernel reads its whole table for it.
func dumpConntrack(mark uint32) ([]flow, error) {
	s, err := dialConntrack()
	if err != nil {
		return nil, err
	}
	defer s.close()
	s.next().message(flowGet, unix.NLM_F_DUMP, 0, func() {
		s.uint32(ctaMark, mark)
		s.uint32(ctaMarkMask, mark)
	})
	var flows []flow
	refused, err := s.dump(func(f flow) {
		if mark == 0 || f.mark&mark != 0 {
			flows = append(flows, f)
		}
	})
	if err == nil && len(refused) > 0 {
		err = refused[0].errno
	}
	if err != nil {
		return nil, opErrorOf("list conntrack entries", "", err)
	}
	return flows, nil
}

// deleteFlow appends the message that deletes an entry, if it has that id
// still; 0 stands for any.
func deleteFlow(p *packet, orig tuple, id uint32) uint32 {
	return p.message(flowDelete, 0, rule.FamilyOf(orig.src.Addr()), func() {
		p.tuple(ctaTupleOrig, orig)
		if id != 0 {
			p.uint32(ctaID, id)
		}
	})
}

// seconds rounds up to what ctnetlink counts in.
func seconds(d time.Duration) uint32 {
	return uint32(max((d+time.Second-1)/time.Second, 1))
}
