package transparent

import (
	"errors"
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"
)

func TestMissingCapabilitiesAreNamed(t *testing.T) {
	h := newHost(t)
	foreign := netip.MustParseAddrPort("192.0.2.1:2121")
	tests := []struct {
		name, capability, message string
		try                       func() error
	}{
		{"transparent listener", "CAP_NET_ADMIN",
			"listen on 192.0.2.1:2121: needs CAP_NET_ADMIN: setsockopt IP_TRANSPARENT: operation not permitted",
			func() error { _, err := Listen(t.Context(), foreign, true); return err }},
		{"transparent IPv6 listener", "CAP_NET_ADMIN",
			"listen on [2001:db8::1]:2121: needs CAP_NET_ADMIN: setsockopt IPV6_TRANSPARENT: operation not permitted",
			func() error {
				_, err := Listen(t.Context(), netip.MustParseAddrPort("[2001:db8::1]:2121"), true)
				return err
			}},
		{"foreign source", "CAP_NET_ADMIN",
			"dial 198.51.100.1:21 from 192.0.2.1: needs CAP_NET_ADMIN: setsockopt IP_TRANSPARENT: operation not permitted",
			func() error {
				_, err := Dial(t.Context(), Request{Server: netip.MustParseAddrPort("198.51.100.1:21"), Source: foreign.Addr(), Foreign: true})
				return err
			}},
		{"low port", "CAP_NET_BIND_SERVICE",
			"listen on 127.0.0.1:21: needs CAP_NET_BIND_SERVICE: bind: permission denied",
			func() error {
				_, err := Listen(t.Context(), netip.MustParseAddrPort("127.0.0.1:21"), false)
				return err
			}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := h.do(func() error {
				if err := dropCapabilities(); err != nil {
					t.Error(err)
				}
				return tt.try()
			})
			missing, ok := errors.AsType[*CapabilityError](err)
			if !ok || missing.Capability != tt.capability || err.Error() != tt.message {
				t.Errorf("got error  %v\nwant %s", err, tt.message)
			}
		})
	}
}

// dropCapabilities takes all rights from the calling thread.
func dropCapabilities() error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var none [2]unix.CapUserData // version 3 has two
	return unix.Capset(&header, &none[0])
}

func TestErrorsNameOperationAddressesAndCause(t *testing.T) {
	h := newHost(t)
	h.run("ip addr add 192.0.2.1/24 dev lo")
	ctx := t.Context()
	tests := []struct {
		name, message string
		is            error
		try           func() error
	}{
		{"nobody listens", "dial 127.0.0.1:9: connect: connection refused", unix.ECONNREFUSED,
			func() error { _, err := Dial(ctx, Request{Server: netip.MustParseAddrPort("127.0.0.1:9")}); return err }},
		{"source refused", "dial 192.0.2.1:9 from 192.0.2.1: connect: connection refused", unix.ECONNREFUSED,
			func() error {
				_, err := Dial(ctx, Request{Server: netip.MustParseAddrPort("192.0.2.1:9"), Source: netip.MustParseAddr("192.0.2.1")})
				return err
			}},
		{"source is foreign", "dial 192.0.2.1:9 from 203.0.113.1: bind: cannot assign requested address", unix.EADDRNOTAVAIL,
			func() error {
				_, err := Dial(ctx, Request{Server: netip.MustParseAddrPort("192.0.2.1:9"), Source: netip.MustParseAddr("203.0.113.1")})
				return err
			}},
		{"no route", "dial 198.51.100.1:21: connect: network is unreachable", unix.ENETUNREACH,
			func() error {
				_, err := Dial(ctx, Request{Server: netip.MustParseAddrPort("198.51.100.1:21")})
				return err
			}},
		{"families differ", "dial 192.0.2.1:21 from 2001:db8::1: the addresses are of different families", nil,
			func() error {
				_, err := Dial(ctx, Request{Server: netip.MustParseAddrPort("192.0.2.1:21"), Source: netip.MustParseAddr("2001:db8::1")})
				return err
			}},
		{"not our address", "listen on 203.0.113.1:21: bind: cannot assign requested address", unix.EADDRNOTAVAIL,
			func() error { _, err := Listen(ctx, netip.MustParseAddrPort("203.0.113.1:21"), false); return err }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := h.do(tt.try)
			if err == nil || err.Error() != tt.message || tt.is != nil && !errors.Is(err, tt.is) {
				t.Errorf("got error  %v\nwant %s", err, tt.message)
			}
		})
	}
}
