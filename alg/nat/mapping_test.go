package nat

import (
	"errors"
	"net/netip"
	"testing"
)

func TestSee(t *testing.T) {
	prefixes := func(s ...string) (out []netip.Prefix) {
		for _, p := range s {
			out = append(out, netip.MustParsePrefix(p))
		}
		return out
	}
	addr := netip.MustParseAddr
	table := Table{
		{Local: addr("198.18.2.10"), Public: addr("203.0.113.80"), Except: prefixes("198.18.0.0/15", "192.0.2.0/24")},
		{Local: addr("198.18.2.10"), Public: addr("192.0.2.80"), Except: prefixes("198.18.0.0/15")},
		{Local: addr("198.18.2.11"), Name: "gate.example.net", Except: prefixes("198.18.0.0/15")},
		{Local: addr("2001:db8::10"), Public: addr("2001:db8:1::10"), Except: prefixes("2001:db8::/64")},
	}
	tests := []struct {
		name, local, peer, want string
		mapped                  bool
		excepting               int
	}{
		{"mapped", "198.18.2.10", "203.0.113.5", "203.0.113.80", true, 0},
		{"excepted by the first, mapped by the second", "198.18.2.10", "192.0.2.5", "192.0.2.80", true, 1},
		{"excepted by all", "198.18.2.10", "198.19.255.255", "198.18.2.10", false, 2},
		{"another of our addresses", "198.18.2.12", "203.0.113.5", "198.18.2.12", false, 0},
		{"IPv4-mapped", "::ffff:198.18.2.10", "::ffff:192.0.2.5", "192.0.2.80", true, 1},
		{"IPv6", "2001:db8::10", "2001:db8:2::5", "2001:db8:1::10", true, 0},
		{"IPv6 excepted", "2001:db8::10", "2001:db8::5", "2001:db8::10", false, 1},
		{"unresolved but excepted", "198.18.2.11", "198.18.0.1", "198.18.2.11", false, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v, err := table.See(addr(tt.local), addr(tt.peer))
			if err != nil || v.Addr != addr(tt.want) {
				t.Errorf("%s sees %s as %s, %v; want %s", tt.peer, tt.local, v.Addr, err, tt.want)
			}
			if m, excepting := table.Applies(addr(tt.local), addr(tt.peer)); (m != nil) != tt.mapped || len(excepting) != tt.excepting {
				t.Errorf("mapping %v, %d mappings except the peer; want %v, %d", m, len(excepting), tt.mapped, tt.excepting)
			}
			if port, ok := v.Port(50000); port != 50000 || !ok {
				t.Errorf("port 50000 is seen as %d, %v; want it as it is", port, ok)
			}
		})
	}
	t.Run("unresolved", func(t *testing.T) {
		_, err := table.See(addr("198.18.2.11"), addr("203.0.113.5"))
		if want := "the public address is not known yet: gate.example.net"; !errors.Is(err, ErrUnresolved) || err.Error() != want {
			t.Errorf("got error  %v\nwant %s", err, want)
		}
	})
}

func TestMappedPorts(t *testing.T) {
	local := netip.MustParseAddr("198.18.2.10")
	table := Table{{
		Local: local, Public: netip.MustParseAddr("203.0.113.80"),
		LocalPorts: Range{50000, 50099}, PublicPorts: Range{60000, 60099},
		Except: []netip.Prefix{netip.MustParsePrefix("198.18.0.0/15")},
	}}
	v, err := table.See(local, netip.MustParseAddr("203.0.113.5"))
	if err != nil {
		t.Fatal(err)
	}
	near, err := table.See(local, netip.MustParseAddr("198.18.0.5"))
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name          string
		view          View
		local, public uint16
		ok            bool
	}{
		{"first", v, 50000, 60000, true},
		{"last", v, 50099, 60099, true},
		{"below", v, 49999, 0, false},
		{"above", v, 50100, 0, false},
		{"zero", v, 0, 0, false},
		{"highest", v, 65535, 0, false},
		{"excepted peer", near, 50100, 50100, true},
		{"no room outside", View{local: Range{50000, 50099}, public: Range{60000, 60009}}, 50010, 0, false},
		{"top of the numbers", View{local: Range{1, 65535}, public: Range{1, 65535}}, 65535, 65535, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			public, ok := tt.view.Port(tt.local)
			if public != tt.public || ok != tt.ok || tt.view.Usable(tt.local) != tt.ok {
				t.Errorf("port %d is seen as %d, %v; want %d, %v", tt.local, public, ok, tt.public, tt.ok)
			}
		})
	}
}

func TestRange(t *testing.T) {
	tests := []struct {
		r       Range
		size    int
		text    string
		in, out uint16
	}{
		{Range{50000, 50999}, 1000, "50000-50999", 50999, 51000},
		{Range{50000, 50000}, 1, "50000-50000", 50000, 49999},
		{Range{1, 65535}, 65535, "1-65535", 65535, 0},
	}
	for _, tt := range tests {
		if tt.r.Size() != tt.size || tt.r.String() != tt.text || !tt.r.Contains(tt.in) || tt.r.Contains(tt.out) {
			t.Errorf("%s: size %d, contains %d: %v, contains %d: %v", tt.r, tt.r.Size(),
				tt.in, tt.r.Contains(tt.in), tt.out, tt.r.Contains(tt.out))
		}
	}
	for _, empty := range []Range{{}, {0, 10}, {11, 10}} {
		if empty.Size() != 0 || empty.Contains(empty.Low) || empty.Contains(empty.High) {
			t.Errorf("%s is not empty", empty)
		}
	}
}
