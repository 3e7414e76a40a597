package expectation

import (
	"errors"
	"fmt"
	"ftpalg/rules/ctnetlink"
	"ftpalg/rules/report"
	"slices"

	"golang.org/x/sys/unix"
)

// deleteMasters deletes entries by their original tuples. One that is gone is
// no error.
func deleteMasters(k Asker, masters []ctnetlink.Tuple) error {
	for some := range slices.Chunk(masters, ctnetlink.MostMessages) {
		p := k.Next()
		for _, orig := range some {
			ctnetlink.DeleteFlow(p, orig, 0)
		}
		refused, err := k.Execute()
		if err != nil {
			return ctnetlink.OpError("delete master entries", "", err)
		}
		for _, r := range refused {
			if r.Errno != unix.ENOENT {
				return ctnetlink.OpError("delete master entry", "", r.Errno)
			}
		}
	}
	return nil
}

// Cleanup deletes the master entries that any process with this mark left,
// and their expectations with them. Data connections are left alone. Where
// there is no ctnetlink there are no master entries.
func Cleanup(mark uint32) ([]string, error) {
	flows, err := ctnetlink.Dump(mark)
	if err != nil && (errors.Is(err, report.ErrUnavailable) || errors.Is(err, unix.EINVAL)) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var masters []ctnetlink.Tuple
	var lines []string
	for _, f := range flows {
		if IsMasterEntry(f, mark) {
			masters = append(masters, f.Orig)
			lines = append(lines, fmt.Sprintf("conntrack entry proto=6 reply-src=%s reply-dst=%s reply-dport=%d mark=%#x helper=%s",
				f.Reply.Src.Addr(), f.Reply.Dst.Addr(), f.Reply.Dst.Port(), f.Mark, helper))
		}
	}
	if len(masters) == 0 {
		return nil, nil
	}
	s, err := ctnetlink.Dial()
	if err != nil {
		return nil, err
	}
	return lines, errors.Join(deleteMasters(s, masters), s.Close())
}
