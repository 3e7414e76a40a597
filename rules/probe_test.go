package rules

import (
	"errors"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// refusing is a kernel that refuses one packet, and takes the others.
type refusing struct {
	packet
	packets, at int
	errno       unix.Errno
}

func (r *refusing) next() *packet {
	r.packets++
	r.reset()
	return &r.packet
}

func (r *refusing) execute() ([]refusal, error) {
	if r.packets == r.at {
		return []refusal{{r.count, r.errno}}, nil
	}
	return nil, nil
}

func (r *refusing) close() error { return nil }

func TestAProbeSaysWhatIsMissing(t *testing.T) {
	for _, c := range []struct {
		packet int
		errno  unix.Errno
		says   string
		is     error
	}{
		{1, unix.ENOENT, "", nil},
		{1, unix.EINVAL, "no ctnetlink (modprobe nf_conntrack_netlink)", nil},
		{1, unix.EPERM, "CAP_NET_ADMIN", ErrNotPermitted},
		{2, unix.EOPNOTSUPP, "modprobe nf_conntrack_ftp", ErrUnavailable},
		{2, unix.ENOMEM, "nf_conntrack_max", ErrFull},
		{2, unix.EPERM, "CAP_NET_ADMIN", ErrNotPermitted},
		{3, unix.EINVAL, "modprobe nf_nat", nil},
		{3, unix.EOPNOTSUPP, "modprobe nf_nat", ErrUnavailable},
		{3, unix.EMFILE, "nf_conntrack_expect_max", ErrFull},
		{4, unix.ENOENT, "not kept", nil},
		{5, unix.ENOENT, "not kept", nil},
	} {
		err := probe(&refusing{at: c.packet, errno: c.errno}, DefaultExpectationMark)
		if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("packet %d, %s: %v, want %q", c.packet, c.errno, err, c.says)
		}
		if c.is != nil && !errors.Is(err, c.is) {
			t.Errorf("packet %d, %s: %v is not %v", c.packet, c.errno, err, c.is)
		}
	}
}

func TestAProbeLeavesNothing(t *testing.T) {
	onKernel(t)
	if err := probeExpectations(t.Context(), DefaultExpectationMark, DefaultEventBuffer); err != nil {
		t.Error(err)
	}
	if text := listed(t); text != "" {
		t.Errorf("left:\n%s", text)
	}
}

func TestAutoTakesWhatTheProbeShows(t *testing.T) {
	onKernel(t)
	m := startManager(t, Options{Path: Auto}, Static{})
	if path, why := m.Path(); path != "conntrack" || !strings.Contains(why, "probe") {
		t.Errorf("path %s, because %s; want conntrack", path, why)
	}
	mustOpen(t, m, examplePromise(1))
	if text := sh(t, "conntrack -L expect 2>/dev/null"); !strings.Contains(text, "dport=50001") {
		t.Errorf("no expectation in %q", text)
	}
}
