package transparent

import (
	"errors"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"
)

func TestLocalAddresses(t *testing.T) {
	h := newHost(t)
	h.run(`
		ip addr add 192.0.2.1/24 dev lo
		ip addr add 2001:db8::1/64 dev lo nodad`)
	tests := []struct {
		addr string
		want bool
	}{
		{"192.0.2.1", true},
		{"192.0.2.2", false},
		{"192.0.2.0", false},
		{"::ffff:192.0.2.1", true},
		{"2001:db8::1", true},
		{"2001:db8::2", false},
		{"127.0.0.1", true},
		{"127.9.9.9", true},
		{"::1", true},
		{"0.0.0.0", true},
		{"::", true},
		{"203.0.113.1", false},
	}
	a := NewAddresses(InterfaceAddresses)
	for _, tt := range tests {
		h.must(h.do(func() error {
			got, err := a.Local(netip.MustParseAddr(tt.addr))
			if got != tt.want {
				t.Errorf("Local(%s) is %v, want %v", tt.addr, got, tt.want)
			}
			return err
		}))
	}
}

func TestAddressesAreReadAtMostOnceASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reads, ours := 0, netip.MustParseAddr("192.0.2.1")
		var present []netip.Addr
		a := &Addresses{list: func() ([]netip.Addr, error) { reads++; return present, nil }}
		expect := func(want bool, wantReads int) {
			t.Helper()
			if got, err := a.Local(ours); got != want || err != nil || reads != wantReads {
				t.Errorf("Local is %v, %v after %d reads; want %v after %d", got, err, reads, want, wantReads)
			}
		}
		expect(false, 1)
		present = []netip.Addr{ours}
		time.Sleep(refresh - 1)
		expect(false, 1)
		time.Sleep(time.Nanosecond)
		expect(true, 2)
		present = nil
		expect(true, 2)
		time.Sleep(refresh)
		expect(false, 3)
	})
}

func TestAFailedLookIsAnErrorAndIsRepeated(t *testing.T) {
	broken := errors.New("no netlink")
	a := &Addresses{list: func() ([]netip.Addr, error) { return nil, broken }}
	_, err := a.Local(netip.MustParseAddr("192.0.2.1"))
	if want := "is 192.0.2.1 an address of this machine: no netlink"; !errors.Is(err, broken) || err.Error() != want {
		t.Errorf("got error  %v\nwant %s", err, want)
	}
	a.list = func() ([]netip.Addr, error) { return nil, nil }
	if _, err := a.Local(netip.MustParseAddr("192.0.2.1")); err != nil {
		t.Errorf("asked again: %v", err)
	}
}
