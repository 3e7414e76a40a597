package rules

import (
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sys/unix"
)

// deleteMasters deletes entries by their original tuples. One that is gone is
// no error.
func deleteMasters(k asker, shadows []tuple) error {
	for some := range slices.Chunk(shadows, packetLength) {
		p := k.next()
		for _, orig := range some {
			deleteFlow(p, orig, 0)
		}
		refused, err := k.execute()
		if err != nil {
			return opErrorOf("delete shadows", "", err)
		}
		for _, r := range refused {
			if r.errno != unix.ENOENT {
				return opErrorOf("delete shadow", "", r.errno)
			}
		}
	}
	return nil
}

// cleanupMasters deletes the shadows that any process with this mark left,
// and their expectations with them. Data connections are left alone. Where
// there is no ctnetlink there are no shadows.
func cleanupMasters(mark uint32) ([]string, error) {
	flows, err := dumpConntrack(mark)
	if err != nil && (errors.Is(err, ErrUnavailable) || errors.Is(err, unix.EINVAL)) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var shadows []tuple
	var lines []string
	for _, f := range flows {
		if isMasterEntry(f, mark) {
			shadows = append(shadows, f.orig)
			lines = append(lines, fmt.Sprintf("conntrack entry proto=6 reply-src=%s reply-dst=%s reply-dport=%d mark=%#x helper=%s",
				f.reply.src.Addr(), f.reply.dst.Addr(), f.reply.dst.Port(), f.mark, helper))
		}
	}
	if len(shadows) == 0 {
		return nil, nil
	}
	s, err := dialConntrack()
	if err != nil {
		return nil, err
	}
	return lines, errors.Join(deleteMasters(s, shadows), s.close())
}
