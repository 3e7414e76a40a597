package opener

import (
	"errors"
	"net/netip"
	"slices"
	"testing"

	"ftpalg/alg/expect"
	"ftpalg/cmd/internal/config"
)

func settings() *config.Config {
	c := config.Default()
	c.Limits.Sessions, c.Limits.SessionsPerClient = 3, 2
	c.Limits.PromisesPerClient = 1000
	c.Data.PassivePorts, c.Data.ActivePorts = config.PortRange{First: 50000, Last: 50009}, config.PortRange{First: 51000, Last: 51009}
	return c
}

// fronted is a session with a server behind the gateway, routed one that
// reached its server through the gateway, from the client's own address.
func fronted(number uint64, client string) *session {
	return &session{
		number: number, listener: &config.Listener{}, config: settings(),
		client: netip.MustParseAddrPort(client), reached: netip.MustParseAddrPort("203.0.113.1:21"),
		server: netip.MustParseAddrPort("198.18.1.20:21"), seen: netip.MustParseAddrPort("198.18.1.1:40000"),
	}
}

func routed(number uint64, client string) *session {
	s := fronted(number, client)
	s.listener = &config.Listener{Transparent: &config.Transparent{}, Source: config.Source{Kind: config.SourceClient}}
	s.reached, s.seen = s.server, netip.AddrPortFrom(s.client.Addr(), 40000)
	return s
}

// balanced gives the session's client a policy of its own.
func balanced(s *session) *session {
	s.listener.Policies = []config.PolicyFor{{
		Clients: []netip.Prefix{netip.MustParsePrefix("203.0.113.10/32")},
		Policy:  config.Policy{ServerData: []netip.Prefix{netip.MustParsePrefix("198.18.7.0/24")}, LowestDataPort: 2000},
	}}
	return s
}

func TestAPromiseIsMadeFromTheSessionsOwnHosts(t *testing.T) {
	const client = "203.0.113.10:60001"
	for _, c := range []struct {
		name   string
		of     *session
		mode   expect.Mode
		target string
		port   uint16
		want   string
		err    error
	}{
		{"PASV", fronted(1, client), expect.PASV, "198.18.1.20:5000", 50003, "session 1 PASV: 203.0.113.10 -> 203.0.113.1:50003 => 198.18.1.20:5000 as 198.18.1.1", nil},
		{"PORT", fronted(1, client), expect.PORT, "203.0.113.10:5001", 51003, "session 1 PORT: 198.18.1.20 -> 198.18.1.1:51003 => 203.0.113.10:5001 as 203.0.113.1", nil},
		{"EPSV, routed", routed(1, client), expect.EPSV, "198.18.1.20:5000", 5000, "session 1 EPSV: 203.0.113.10 -> 198.18.1.20:5000", nil},
		{"EPRT, routed", routed(1, client), expect.EPRT, "203.0.113.10:5001", 5001, "session 1 EPRT: 198.18.1.20 -> 203.0.113.10:5001", nil},
		{"another server", fronted(1, client), expect.PASV, "198.18.1.21:5000", 50003, "", errTargetHost},
		{"another client", fronted(1, client), expect.PORT, "203.0.113.11:5001", 51003, "", errTargetHost},
		{"a client's port as a server's", fronted(1, client), expect.PASV, "203.0.113.10:5001", 50003, "", errTargetHost},
		{"a service of the server", fronted(1, client), expect.PASV, "198.18.1.20:22", 50003, "", errTargetPort},
		{"the last port of a service", fronted(1, client), expect.PORT, "203.0.113.10:1023", 51003, "", errTargetPort},
		{"below the range", fronted(1, client), expect.PASV, "198.18.1.20:5000", 49999, "", errRange},
		{"above the range", fronted(1, client), expect.PASV, "198.18.1.20:5000", 50010, "", errRange},
		{"the other range", fronted(1, client), expect.PORT, "203.0.113.10:5001", 50003, "", errRange},
		{"another port, routed", routed(1, client), expect.PASV, "198.18.1.20:5000", 5001, "", errRange},
		{"a member's own address", balanced(fronted(1, client)), expect.PASV, "198.18.7.3:5000", 50003, "session 1 PASV: 203.0.113.10 -> 203.0.113.1:50003 => 198.18.7.3:5000 as 198.18.1.1", nil},
		{"a member's own address, routed", balanced(routed(1, client)), expect.PASV, "198.18.7.3:5000", 5000, "session 1 PASV: 203.0.113.10 -> 198.18.7.3:5000", nil},
		{"no member's address", balanced(fronted(1, client)), expect.PASV, "198.18.8.3:5000", 50003, "", errTargetHost},
		{"a member as a client", balanced(fronted(1, client)), expect.PORT, "198.18.7.3:5000", 51003, "", errTargetHost},
		{"below the lowest port", balanced(fronted(1, client)), expect.PASV, "198.18.7.3:1999", 50003, "", errTargetPort},
		{"below the lowest port, active", balanced(fronted(1, client)), expect.PORT, "203.0.113.10:1999", 51003, "", errTargetPort},
		{"another client's policy", balanced(fronted(1, "203.0.113.77:60001")), expect.PASV, "198.18.7.3:5000", 50003, "", errTargetHost},
		{"no mode", fronted(1, client), 0, "198.18.1.20:5000", 50003, "", errMode},
		{"no mode at all", fronted(1, client), 200, "198.18.1.20:5000", 50003, "", errMode},
	} {
		t.Run(c.name, func(t *testing.T) {
			e, _, err := c.of.expectation(asked{1, 7, c.mode, netip.MustParseAddrPort(c.target), c.port, false})
			if !errors.Is(err, c.err) || err == nil && e.String() != c.want {
				t.Errorf("got %s, %v; want %s, %v", e, err, c.want, c.err)
			}
		})
	}
}

// converting gives the session's listener a conversion.
func converting(s *session, c config.Convert) *session {
	s.listener.Convert = c
	return s
}

func TestBothHostsAreWaitedForWhereTheServerIsMadeActive(t *testing.T) {
	const client = "203.0.113.10:60001"
	for _, c := range []struct {
		name    string
		of      *session
		mode    expect.Mode
		port    uint16
		relayed bool
		want    string
		err     error
	}{
		{"the client", converting(fronted(1, client), config.ConvertActive), expect.EPSV, 50003, true,
			"session 1 EPSV: 203.0.113.10 -> 203.0.113.1:50003 => invalid AddrPort as 198.18.1.1, relayed", nil},
		{"the server", converting(fronted(1, client), config.ConvertActive), expect.PORT, 51003, true,
			"session 1 PORT: 198.18.1.20 -> 198.18.1.1:51003 => invalid AddrPort as 203.0.113.1, relayed", nil},
		{"the client of a routed one", converting(routed(1, client), config.ConvertActive), expect.PASV, 50003, true,
			"session 1 PASV: 203.0.113.10 -> 198.18.1.20:50003 => invalid AddrPort, relayed", nil},
		{"not to be relayed", converting(fronted(1, client), config.ConvertActive), expect.EPSV, 50003, false, "", errTargetHost},
		{"not converted", fronted(1, client), expect.EPSV, 50003, true, "", errTargetHost},
		{"made passive", converting(fronted(1, client), config.ConvertPassive), expect.EPSV, 50003, true, "", errTargetHost},
		{"the other range", converting(fronted(1, client), config.ConvertActive), expect.EPSV, 51003, true, "", errRange},
		{"a port of nobody's, routed", converting(routed(1, client), config.ConvertActive), expect.PORT, 5000, true, "", errRange},
	} {
		t.Run(c.name, func(t *testing.T) {
			e, _, err := c.of.expectation(asked{1, 7, c.mode, netip.AddrPort{}, c.port, c.relayed})
			if !errors.Is(err, c.err) || err == nil && e.String() != c.want {
				t.Errorf("got %s, %v; want %s, %v", e, err, c.want, c.err)
			}
		})
	}
	l := newLedger()
	if err := l.begin(converting(fronted(1, client), config.ConvertActive)); err != nil {
		t.Fatal(err)
	}
	if _, _, err := l.promise(asked{1, 7, expect.PASV, netip.AddrPort{}, 50003, true}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := l.dialed(1, 7); !errors.Is(err, errNotToDial) {
		t.Errorf("what has no target is dialed: %v", err)
	}
}

func TestTheGatewayConnectsToTheSessionsOwnHosts(t *testing.T) {
	passive := func(s *session) *session { return converting(s, config.ConvertPassive) }
	const client = "203.0.113.10:60001"
	for _, c := range []struct {
		name   string
		of     *session
		mode   expect.Mode
		target string
		seen   string
		err    error
	}{
		{"the server", passive(fronted(1, client)), expect.EPSV, "198.18.1.20:5000", "198.18.1.1", nil},
		{"the client", passive(fronted(1, client)), expect.PORT, "203.0.113.10:5001", "203.0.113.1", nil},
		{"the client of a routed one", passive(routed(1, client)), expect.EPRT, "203.0.113.10:5001", "198.18.1.20", nil},
		{"a member of the server", balanced(passive(fronted(1, client))), expect.PASV, "198.18.7.3:5000", "198.18.1.1", nil},
		{"another server", passive(fronted(1, client)), expect.PASV, "198.18.1.21:5000", "", errTargetHost},
		{"another client", passive(fronted(1, client)), expect.PORT, "203.0.113.11:5001", "", errTargetHost},
		{"the client as a server", passive(fronted(1, client)), expect.PASV, "203.0.113.10:5001", "", errTargetHost},
		{"nobody", passive(fronted(1, client)), expect.PASV, "0.0.0.0:0", "", errTargetHost},
		{"a service of the server", passive(fronted(1, client)), expect.PASV, "198.18.1.20:22", "", errTargetPort},
		{"a service of the client", passive(fronted(1, client)), expect.EPRT, "203.0.113.10:1023", "", errTargetPort},
		{"below the lowest port", balanced(passive(fronted(1, client))), expect.PASV, "198.18.7.3:1999", "", errTargetPort},
		{"nothing is converted", fronted(1, client), expect.PASV, "198.18.1.20:5000", "", errMode},
		{"made active", converting(fronted(1, client), config.ConvertActive), expect.PASV, "198.18.1.20:5000", "", errMode},
		{"no mode", passive(fronted(1, client)), 0, "198.18.1.20:5000", "", errMode},
	} {
		t.Run(c.name, func(t *testing.T) {
			e, err := c.of.waitsFor(c.mode, netip.MustParseAddrPort(c.target))
			if !errors.Is(err, c.err) || err == nil && e.Seen.String() != c.seen {
				t.Errorf("seen as %s, %v; want %s, %v", e.Seen, err, c.seen, c.err)
			}
		})
	}
	l := newLedger()
	if err := l.begin(passive(fronted(1, client))); err != nil {
		t.Fatal(err)
	}
	var s *session
	for range mostPromises {
		var err error
		if s, err = l.beginConnecting(1); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := l.beginConnecting(1); !errors.Is(err, errPromises) {
		t.Errorf("one more is connected to: %v", err)
	}
	l.endConnecting(s)
	if _, err := l.beginConnecting(1); err != nil {
		t.Error(err)
	}
	if _, err := l.beginConnecting(2); !errors.Is(err, errUnknownSession) {
		t.Errorf("a session of nobody's: %v", err)
	}
}

func TestAServersNameBoundsItsAddresses(t *testing.T) {
	l := config.Listener{Listen: []netip.AddrPort{netip.MustParseAddrPort("203.0.113.1:21")}, ServerName: "farm.example.net", ServerPort: 2121}
	for at, want := range map[string]bool{
		"198.18.1.20:2121": true, "[2001:db8::20]:2121": true, "198.18.1.20:22": false, "127.0.0.1:2121": false, "0.0.0.0:2121": false,
		"224.0.0.1:2121": false, "169.254.0.1:2121": false, "[fe80::1]:2121": false, "255.255.255.255:2121": false,
	} {
		if got := l.MayServe(netip.MustParseAddrPort(at)); got != want {
			t.Errorf("%s may serve: %v", at, got)
		}
	}
	l.Source.Kind = config.SourceClient
	if l.MayServe(netip.MustParseAddrPort("[2001:db8::20]:2121")) {
		t.Error("a server of the other family could not see the client's address")
	}
}

func TestThirdPartiesAreForListenersThatAllowThem(t *testing.T) {
	s := fronted(1, "203.0.113.10:60001")
	s.listener.ThirdParty = true
	far := netip.MustParseAddrPort("192.0.2.9:5000")
	if _, _, err := s.expectation(asked{1, 7, expect.PORT, far, 51003, false}); err != nil {
		t.Errorf("PORT to a third party: %v", err)
	}
	if _, _, err := s.expectation(asked{1, 7, expect.PASV, far, 50003, false}); !errors.Is(err, errTargetHost) {
		t.Errorf("a third party as a server: %v", err)
	}
}

func TestTheLedgerKnowsWhatIsLive(t *testing.T) {
	l := newLedger()
	begin := func(s *session, want error) {
		t.Helper()
		if err := l.begin(s); !errors.Is(err, want) {
			t.Errorf("begin %d: %v, want %v", s.number, err, want)
		}
	}
	pasv := func(session uint64, id expect.ID, want error) {
		t.Helper()
		if _, _, err := l.promise(asked{session, id, expect.PASV, netip.MustParseAddrPort("198.18.1.20:5000"), 50003, false}); !errors.Is(err, want) {
			t.Errorf("promise %d: %v, want %v", id, err, want)
		}
	}
	begin(fronted(1, "203.0.113.10:60001"), nil)
	begin(fronted(1, "203.0.113.11:60001"), errKnownSession)
	begin(fronted(2, "203.0.113.10:60002"), nil)
	begin(fronted(3, "203.0.113.10:60003"), errClientSessions)
	begin(fronted(3, "203.0.113.11:60003"), nil)
	begin(fronted(4, "203.0.113.12:60004"), errSessions)
	if got := l.clientPorts(netip.MustParseAddr("203.0.113.10")); !slices.Equal(got, []uint16{60001, 60002}) {
		t.Errorf("the client's ports are %v", got)
	}
	pasv(9, 1, errUnknownSession)
	pasv(1, 1, nil)
	pasv(2, 1, errKnownPromise)
	for id := expect.ID(2); id <= mostPromises; id++ {
		pasv(1, id, nil)
	}
	pasv(1, mostPromises+1, errPromises)
	if !l.withdraw(5) || l.withdraw(5) {
		t.Error("a promise can be withdrawn once")
	}
	pasv(1, mostPromises+1, nil)
	if left := l.end(1); len(left) != mostPromises || len(l.owners) != 0 {
		t.Errorf("the end left %d promises, and %d owners", len(left), len(l.owners))
	}
	if left := l.end(1); left != nil {
		t.Errorf("a second end left %v", left)
	}
	pasv(1, 1, errUnknownSession)
	begin(fronted(5, "203.0.113.10:60005"), nil)
}

// A session may be promised nothing before its server is reached.
func TestNothingIsPromisedBeforeTheServerIsReached(t *testing.T) {
	l, s := newLedger(), fronted(1, "203.0.113.10:60001")
	s.seen = netip.AddrPort{}
	if err := l.begin(s); err != nil {
		t.Fatal(err)
	}
	if _, _, err := l.promise(asked{1, 1, expect.PASV, netip.MustParseAddrPort("198.18.1.20:5000"), 50003, false}); !errors.Is(err, errUnknownSession) {
		t.Errorf("got %v", err)
	}
}

// However many sessions a client has, its share of the ranges is one client's;
// ports that are not ours are no part of it.
func TestOneClientHasItsShareOfThePorts(t *testing.T) {
	l := newLedger()
	first, second, third := fronted(1, "203.0.113.10:60001"), fronted(2, "203.0.113.10:60002"), routed(3, "203.0.113.11:60003")
	for _, s := range []*session{first, second, third} {
		s.config.Limits.PromisesPerClient = 3
		if err := l.begin(s); err != nil {
			t.Fatal(err)
		}
	}
	promise := func(session uint64, id expect.ID, port uint16, want error) {
		t.Helper()
		target := netip.MustParseAddrPort("198.18.1.20:5000")
		if _, _, err := l.promise(asked{session, id, expect.PASV, target, port, false}); !errors.Is(err, want) {
			t.Errorf("promise %d: %v, want %v", id, err, want)
		}
	}
	promise(1, 1, 50001, nil)
	promise(2, 2, 50002, nil)
	promise(2, 3, 50003, nil)
	promise(1, 4, 50004, errShare)
	l.withdraw(2)
	promise(1, 4, 50004, nil)
	for id := expect.ID(10); id < 20; id++ {
		promise(3, id, 5000, nil)
	}
}
