package opener

import (
	"net/netip"
	"slices"
	"testing"

	"ftpalg/cmd/internal/config"
)

func TestTransparentListenersServeTheFamiliesThatCanMeet(t *testing.T) {
	four, six := netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("2001:db8::/32")
	for _, c := range []struct {
		name             string
		clients, servers []netip.Prefix
		method           config.Method
		want             []string
	}{
		{"anybody", nil, nil, config.MethodTPROXY, []string{"127.0.0.1:0", "[::1]:0"}},
		{"anybody, redirected", nil, nil, config.MethodRedirect, []string{"0.0.0.0:0", "[::]:0"}},
		{"clients of IPv4", []netip.Prefix{four}, nil, config.MethodTPROXY, []string{"127.0.0.1:0"}},
		{"servers of IPv6", nil, []netip.Prefix{six}, config.MethodTPROXY, []string{"[::1]:0"}},
		{"both named", []netip.Prefix{four, six}, []netip.Prefix{four}, config.MethodTPROXY, []string{"127.0.0.1:0"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := &config.Listener{Name: "lan", Transparent: &config.Transparent{Clients: c.clients, Servers: c.servers, Method: c.method}}
			var got []string
			for _, e := range endpoints(l) {
				got = append(got, e.addr.String())
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("endpoints are %q, want %q", got, c.want)
			}
		})
	}
}

func TestTheGatewayKnowsItsOwnListeners(t *testing.T) {
	o := &Opener{sockets: map[endpoint]*socket{
		{kind: fronting, addr: netip.MustParseAddrPort("203.0.113.1:21")}: {},
		{kind: fronting, addr: netip.MustParseAddrPort("0.0.0.0:2121")}:   {},
		{kind: viaTPROXY, addr: netip.MustParseAddrPort("127.0.0.1:0")}:   {},
	}}
	for at, want := range map[string]bool{
		"203.0.113.1:21": true, "203.0.113.2:21": false, "198.18.1.1:2121": true,
		"[2001:db8::1]:2121": false, "127.0.0.1:8021": false,
	} {
		if got := o.listens(netip.MustParseAddrPort(at)); got != want {
			t.Errorf("listens(%s) is %v", at, got)
		}
	}
}
