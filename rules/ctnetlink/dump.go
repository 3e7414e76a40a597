package ctnetlink

import (
	"ftpalg/rules/rule"
	"time"

	"golang.org/x/sys/unix"
)

// Dump returns the TCP entries of this network namespace that have a
// bit of the mark, or all for mark 0. The kernel reads its whole table for it.
func Dump(mark uint32) ([]Flow, error) {
	var list []Flow
	err := dumpTable(func(p *Packet) {
		p.Message(FlowGet, unix.NLM_F_DUMP, 0, func() {
			p.Uint32(CTAMark, mark)
			p.Uint32(ctaMarkMask, mark)
		})
	}, flows(func(f Flow) {
		if mark == 0 || f.Mark&mark != 0 {
			list = append(list, f)
		}
	}))
	if err != nil {
		return nil, OpError("list conntrack entries", "", err)
	}
	return list, nil
}

// DumpExpectations returns the expectations for TCP of this network namespace.
func DumpExpectations() ([]Expected, error) {
	var list []Expected
	err := dumpTable(func(p *Packet) { p.Message(expectGet, unix.NLM_F_DUMP, 0, func() {}) }, func(attributes []byte) {
		if x, ok := parseExpected(attributes); ok {
			list = append(list, x)
		}
	})
	if err != nil {
		return nil, OpError("list expectations", "", err)
	}
	return list, nil
}

func dumpTable(ask func(*Packet), entry func(attributes []byte)) error {
	s, err := Dial()
	if err != nil {
		return err
	}
	defer s.Close()
	ask(s.Next())
	refused, err := s.dump(entry)
	if err == nil && len(refused) > 0 {
		err = refused[0].Errno
	}
	return err
}

// DeleteFlow appends the message that deletes an entry, if it has that id
// still; 0 stands for any.
func DeleteFlow(p *Packet, orig Tuple, id uint32) uint32 {
	return p.Message(FlowDelete, 0, rule.FamilyOf(orig.Src.Addr()), func() {
		p.Tuple(CTATupleOrig, orig)
		if id != 0 {
			p.Uint32(CTAID, id)
		}
	})
}

// Seconds rounds up to what ctnetlink counts in.
func Seconds(d time.Duration) uint32 {
	return uint32(max((d+time.Second-1)/time.Second, 1))
}
