package follow

import (
	"ftpalg/alg/expect"
	"ftpalg/rules/ctnetlink"
	"ftpalg/rules/report"
	"ftpalg/rules/rule/ruletest"
	"net/netip"
	"slices"
	"testing"
)

// oneKey is a data path with one promise.
type oneKey struct{ promised expect.Expectation }

func (o oneKey) MarkConnected(k expect.Key) (expect.Expectation, bool) {
	return o.promised, k == o.promised.Key()
}
func (oneKey) MarkEstablished(expect.ID)         {}
func (oneKey) Reopen(expect.ID) bool             { return false }
func (oneKey) IsMasterEntry(ctnetlink.Flow) bool { return false }
func (oneKey) MasterDeleted(ctnetlink.Flow)      {}

// When the end of a connection was missed and its tuple has come again by the
// time of the look, the end is told all the same.
func TestAMissedEndIsToldThoughTheTupleCameAgain(t *testing.T) {
	promised := ruletest.Promise(1)
	first := ctnetlink.Flow{
		Orig:  ctnetlink.Tuple{Src: netip.AddrPortFrom(promised.From, 40000), Dst: promised.Reached},
		Reply: ctnetlink.Tuple{Src: promised.Target, Dst: netip.AddrPortFrom(promised.Seen, 40000)},
		ID:    1, TCP: ctnetlink.TCPEstablished, Assured: true, Expected: true,
	}
	again := first
	again.ID = 2
	table := []ctnetlink.Flow{first}
	var told []report.EventKind
	w := &Watcher{
		options:     Options{Connections: func(e report.Event) { told = append(told, e.Kind) }},
		path:        oneKey{promised},
		connections: newConnections(),
		dump:        func(uint32) ([]ctnetlink.Flow, error) { return table, nil },
	}
	for _, table = range [][]ctnetlink.Flow{{first}, {again}} {
		if err := w.resync(); err != nil {
			t.Fatal(err)
		}
		w.deliverEvents()
	}
	if want := []report.EventKind{report.Connected, report.Disconnected, report.Connected}; !slices.Equal(told, want) {
		t.Errorf("told %v, want %v", told, want)
	}
}
