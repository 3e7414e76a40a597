package rule

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"
)

func TestWhatWouldBecomeNoRuleIsRefused(t *testing.T) {
	lan := Intercept{Name: "lan", Ports: []uint16{21}, Method: TPROXY, Port4: 4021}
	for want, spoil := range map[string]func() Static{
		"service": func() Static { return Static{Services: []Service{{Name: "x"}}} },
		"method":  func() Static { i := lan; i.Method = 0; return Static{Intercepts: []Intercept{i}} },
		"ports":   func() Static { i := lan; i.Ports = nil; return Static{Intercepts: []Intercept{i}} },
		"interface": func() Static {
			i := lan
			i.Interface = "lan -j ACCEPT"
			return Static{Intercepts: []Intercept{i}}
		},
		"network": func() Static {
			i := lan
			i.Clients = make([]netip.Prefix, 1)
			return Static{Intercepts: []Intercept{i}}
		},
		"outbound": func() Static { return Static{Outbound: []Outbound{{Name: "x"}}} },
	} {
		if err := spoil().Validate(); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v; want an error about the %s", err, want)
		}
	}
}

func TestDeliveryOutlivesAReload(t *testing.T) {
	lan := Static{Intercepts: []Intercept{{Name: "lan", Interface: "lan", Ports: []uint16{21, 2121}, Method: TPROXY, Port4: 8021}}}
	wan := Static{Outbound: []Outbound{{Name: "wan", Server: netip.MustParsePrefix("198.18.1.20/32"), Ports: []uint16{990}, Transparent: true}}}
	s := Static{}.After(wan.After(lan))
	if want := []uint16{21, 990, 2121}; !slices.Equal(s.Deliver4, want) || len(s.Deliver6) != 0 {
		t.Errorf("after two reloads ports %v and %v are delivered, want %v and none", s.Deliver4, s.Deliver6, want)
	}
	if !NeedsRoute(s.Rules(IPv4, Marks{})) {
		t.Error("the policy route goes with the listener")
	}
}
