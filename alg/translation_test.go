package alg

import (
	"net/netip"
	"testing"

	"ftpalg/alg/dialogue"
	"ftpalg/alg/expect"
	"ftpalg/alg/nat"
)

func TestTranslate(t *testing.T) {
	var (
		client   = netip.MustParseAddrPort("203.0.113.9:40000")
		reached  = netip.MustParseAddrPort("192.0.2.1:21")
		server   = netip.MustParseAddrPort("198.18.1.20:21")
		settings = Settings{
			PassivePorts: nat.Range{Low: 50000, High: 50999}, ActivePorts: nat.Range{Low: 51000, High: 51999},
			NAT: nat.Table{{
				Local: reached.Addr(), Public: netip.MustParseAddr("203.0.113.80"),
				LocalPorts: nat.Range{Low: 50000, High: 50999}, PublicPorts: nat.Range{Low: 60000, High: 60999},
			}},
		}
		fronting    = Service{Server: server}
		transparent = Service{Source: Source{Client: true}}
		translated  = Service{Source: Source{Addr: netip.MustParseAddr("198.18.1.1")}}
	)
	tests := map[string]struct {
		service Service
		mode    expect.Mode
		at      string
		leased  bool
		told    string // for port 50017, were it leased
		from    string
		door    string
		seen    string
	}{
		"passive, fronted":     {fronting, expect.PASV, "198.18.1.20:4711", true, "203.0.113.80:60017", "203.0.113.9", "192.0.2.1", "invalid IP"},
		"passive, transparent": {transparent, expect.EPSV, "192.0.2.1:4711", false, "192.0.2.1:4711", "203.0.113.9", "192.0.2.1", "203.0.113.9"},
		"active, fronted":      {fronting, expect.PORT, "203.0.113.9:5001", true, "invalid AddrPort", "198.18.1.20", "invalid IP", "192.0.2.1"},
		"active, translated":   {translated, expect.PORT, "203.0.113.9:5001", true, "198.18.1.1:50017", "192.0.2.1", "198.18.1.1", "192.0.2.1"},
		"active, transparent":  {transparent, expect.PORT, "203.0.113.9:5001", false, "203.0.113.9:5001", "192.0.2.1", "203.0.113.9", "192.0.2.1"},
		"active, third party":  {transparent, expect.EPRT, "203.0.113.7:5001", false, "203.0.113.7:5001", "192.0.2.1", "203.0.113.7", "192.0.2.1"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			a := &dialogue.Announcement{Mode: test.mode, At: netip.MustParseAddrPort(test.at)}
			got, err := Translate(test.service.Endpoints(client, reached), a, &settings)
			if err != nil {
				t.Fatal(err)
			}
			if got.Leased != test.leased || got.Text(50017).String() != test.told || got.From.String() != test.from ||
				got.Reached.String() != test.door || got.Seen.String() != test.seen || got.Target != a.At {
				t.Errorf("got %+v, told %s", got, got.Text(50017))
			}
		})
	}
}
