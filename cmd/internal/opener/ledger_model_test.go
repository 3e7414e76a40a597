package opener

import (
	"errors"
	"net/netip"
	"testing"

	"pgregory.net/rapid"

	"ftpalg/alg/expect"
)

// model is what the ledger must agree with: sessions by number, and of each
// promise the session.
type model struct {
	sessions map[uint64]netip.AddrPort
	promises map[expect.ID]uint64
	// todial are the relayed ones whose target was not dialed yet.
	todial map[expect.ID]bool
}

func (m *model) of(session uint64) (n int) {
	for _, s := range m.promises {
		if s == session {
			n++
		}
	}
	return n
}

func (m *model) ofHost(host netip.Addr) (sessions, promises int) {
	for number, client := range m.sessions {
		if client.Addr() == host {
			sessions++
			promises += m.of(number)
		}
	}
	return sessions, promises
}

// In whatever order sessions begin and end, and promises are asked for and
// withdrawn: every open promise belongs to a live session, none is open twice,
// and no limit is exceeded.
func TestTheLedgerAgreesWithItsModel(t *testing.T) {
	const perClient, share, all = 2, 5, 4
	target := netip.MustParseAddrPort("198.18.1.20:5000")
	rapid.Check(t, func(t *rapid.T) {
		l := newLedger()
		m := model{map[uint64]netip.AddrPort{}, map[expect.ID]uint64{}, map[expect.ID]bool{}}
		number := rapid.Uint64Range(1, 8)
		id := rapid.Custom(func(t *rapid.T) expect.ID { return expect.ID(rapid.Uint64Range(1, 12).Draw(t, "id")) })
		t.Repeat(map[string]func(*rapid.T){
			"begin": func(t *rapid.T) {
				s := fronted(number.Draw(t, "session"), rapid.SampledFrom([]string{"203.0.113.10:60001", "203.0.113.11:60002", "203.0.113.12:60003"}).Draw(t, "client"))
				s.config.Limits.Sessions, s.config.Limits.SessionsPerClient, s.config.Limits.PromisesPerClient = all, perClient, share
				_, known := m.sessions[s.number]
				sessions, _ := m.ofHost(s.client.Addr())
				may := !known && len(m.sessions) < all && sessions < perClient
				if err := l.begin(s); (err == nil) != may {
					t.Fatalf("begin %d: %v, may %v", s.number, err, may)
				}
				if may {
					m.sessions[s.number] = s.client
				}
			},
			"end": func(t *rapid.T) {
				n := number.Draw(t, "session")
				if left := l.end(n); len(left) != m.of(n) {
					t.Fatalf("end %d left %d promises, of %d", n, len(left), m.of(n))
				}
				delete(m.sessions, n)
				for p, s := range m.promises {
					if s == n {
						delete(m.promises, p)
					}
				}
			},
			"promise": func(t *rapid.T) {
				n, p := number.Draw(t, "session"), id.Draw(t, "promise")
				port := rapid.Uint16Range(49998, 50012).Draw(t, "port")
				client, live := m.sessions[n]
				_, open := m.promises[p]
				_, held := m.ofHost(client.Addr())
				may := live && !open && held < share && port >= 50000 && port <= 50009
				relayed := rapid.Bool().Draw(t, "relayed")
				e, _, err := l.promise(asked{n, p, expect.PASV, target, port, relayed})
				if (err == nil) != may {
					t.Fatalf("promise %d of %d at %d: %v, may %v", p, n, port, err, may)
				}
				if may {
					m.promises[p], m.todial[p] = n, relayed
					if e.From != client.Addr() || e.Target != target {
						t.Fatalf("promise %d of %d: %s", p, n, e)
					}
				}
			},
			"dial": func(t *rapid.T) {
				n, p := number.Draw(t, "session"), id.Draw(t, "promise")
				of, open := m.promises[p]
				may := open && of == n && m.todial[p]
				if _, _, err := l.dialed(n, p); (err == nil) != may {
					t.Fatalf("dial for %d of %d: %v, may %v", p, n, err, may)
				}
				if may {
					m.todial[p] = false
				}
			},
			"withdraw": func(t *rapid.T) {
				p := id.Draw(t, "promise")
				_, open := m.promises[p]
				if l.withdraw(p) != open {
					t.Fatalf("withdraw %d: it was open %v", p, open)
				}
				delete(m.promises, p)
			},
			"": func(t *rapid.T) {
				if len(l.owners) != len(m.promises) || len(l.sessions) != len(m.sessions) {
					t.Fatalf("%d promises and %d sessions, want %d and %d", len(l.owners), len(l.sessions), len(m.promises), len(m.sessions))
				}
				for p, s := range l.owners {
					if l.sessions[s.number] != s || m.promises[p] != s.number {
						t.Fatalf("promise %d belongs to session %d", p, s.number)
					}
				}
			},
		})
		if err := l.begin(fronted(99, "203.0.113.99:1")); err != nil && !errors.Is(err, errSessions) {
			t.Fatal(err)
		}
	})
}
