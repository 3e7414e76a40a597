package daemon

import (
	"log/slog"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"ftpalg/alg"
	"ftpalg/alg/dialogue"
	"ftpalg/cmd/internal/api"
	"ftpalg/cmd/internal/link"
)

func TestMeterCountsEachByteOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMeter()
		m.connected(1)
		m.connected(2)
		time.Sleep(time.Second)
		m.read(1, 600)
		m.read(3, 5000) // of before the start: nobody knows when it began
		time.Sleep(time.Second)
		m.read(1, 1000)
		m.read(1, 0) // its end was missed
		m.read(2, 200)
		m.ended(1)
		m.ended(2)
		m.read(1, 9000)
		m.observer().TransferEnded(alg.Transfer{})
		time.Sleep(time.Minute)
		traffic := m.Traffic(time.Now())
		var bytes, transfers float64
		for i := range traffic.Bytes {
			bytes += traffic.Bytes[i] * traffic.Step
			transfers += traffic.Transfers[i] * traffic.Step
		}
		if bytes != 1200 || transfers != 1 {
			t.Errorf("%v bytes and %v transfers", bytes, transfers)
		}
		if len(m.carried) != 0 {
			t.Errorf("it remembers %v", m.carried)
		}
	})
}

// A client that breaks off its data connections again and again costs no
// memory.
func TestMeterForgetsAConnectionThatDidNotComeAbout(t *testing.T) {
	d := &Daemon{meter: newMeter(), gateway: alg.New(alg.Options{}), log: slog.New(slog.DiscardHandler)}
	for _, op := range []link.Op{link.Connected, link.Reopened} {
		d.follow(link.Record{Op: op, ID: 1})
	}
	if len(d.meter.carried) != 0 {
		t.Errorf("it remembers %v", d.meter.carried)
	}
}

func TestRefusalsAreCountedInWords(t *testing.T) {
	r := newRefusals()
	o := r.observer()
	o.Refused(alg.Refusal{Reason: dialogue.ThirdParty})
	o.Refused(alg.Refusal{Reason: dialogue.ThirdParty})
	o.Refused(alg.Refusal{Reason: "new"})
	o.Announced(alg.Announced{Result: alg.Replaced})
	o.Announced(alg.Announced{Result: alg.NotOpened, Cause: alg.CausePool})
	o.Rejected("legacy", netip.AddrPort{}, alg.RejectClientLimit)
	want := []api.Refusal{
		{Reason: "PORT to another host", Count: 2}, {Reason: "another reason", Count: 1},
		{Reason: "more than limits.sessions_per_client", Count: 1}, {Reason: "no data port is free", Count: 1},
	}
	if got := r.list(); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
