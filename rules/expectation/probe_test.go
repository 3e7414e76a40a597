package expectation

import (
	"errors"
	"ftpalg/rules/ctnetlink"
	"ftpalg/rules/report"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// refusing is a kernel that refuses one packet, and takes the others.
type refusing struct {
	packet      ctnetlink.Packet
	packets, at int
	errno       unix.Errno
}

func (r *refusing) Next() *ctnetlink.Packet {
	r.packets++
	r.packet.Reset()
	return &r.packet
}

func (r *refusing) Execute() ([]ctnetlink.Refusal, error) {
	if r.packets == r.at {
		return []ctnetlink.Refusal{{Message: r.packet.Last(), Errno: r.errno}}, nil
	}
	return nil, nil
}

func (r *refusing) Close() error { return nil }

func TestAProbeSaysWhatIsMissing(t *testing.T) {
	for _, c := range []struct {
		packet int
		errno  unix.Errno
		says   string
		is     error
	}{
		{1, unix.ENOENT, "", nil},
		{1, unix.EINVAL, "no ctnetlink (modprobe nf_conntrack_netlink)", nil},
		{1, unix.EPERM, "CAP_NET_ADMIN", report.ErrNotPermitted},
		{2, unix.EOPNOTSUPP, "modprobe nf_conntrack_ftp", report.ErrUnavailable},
		{2, unix.ENOMEM, "nf_conntrack_max", report.ErrFull},
		{2, unix.EPERM, "CAP_NET_ADMIN", report.ErrNotPermitted},
		{3, unix.EINVAL, "modprobe nf_nat", nil},
		{3, unix.EOPNOTSUPP, "modprobe nf_nat", report.ErrUnavailable},
		{3, unix.EMFILE, "nf_conntrack_expect_max", report.ErrFull},
		{4, unix.ENOENT, "not kept", nil},
		{5, unix.ENOENT, "not kept", nil},
	} {
		err := probeKernel(&refusing{at: c.packet, errno: c.errno}, testMark)
		if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("packet %d, %s: %v, want %q", c.packet, c.errno, err, c.says)
		}
		if c.is != nil && !errors.Is(err, c.is) {
			t.Errorf("packet %d, %s: %v is not %v", c.packet, c.errno, err, c.is)
		}
	}
}
