package iptables

import (
	"errors"
	"ftpalg/rules/report"
	"ftpalg/rules/rule/ruletest"
	"testing"
	"testing/synctest"
	"time"
)

func TestHealthCountsWhatWasDone(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, m *Filter, v4 *fake) {
		started := m.Health()
		if started.Verified.IsZero() || started.Installed == 0 || started.Reconciled.Done == 0 {
			t.Errorf("after the start: %+v", started)
		}
		mustOpen(t, m, ruletest.Promise(1))
		time.Sleep(checkEvery)
		synctest.Wait()
		open := m.Health()
		if open.Opened.Done != 1 || open.Installed != started.Installed+3 || !open.Verified.After(started.Verified) {
			t.Errorf("with a pinhole of three rules: %+v, before it %+v", open, started)
		}
		m.Close(1)
		time.Sleep(checkEvery)
		synctest.Wait()
		closed := m.Health()
		if closed.Closed != (report.Tally{Done: 1}) || closed.Installed != started.Installed || closed.Reconciled.Done <= open.Reconciled.Done {
			t.Errorf("without it: %+v", closed)
		}
	})
}

func TestHealthCountsWhatFailed(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, m *Filter, v4 *fake) {
		before := m.Health()
		v4.set(func(int, string) error { return errors.New("no") }, "")
		if m.Open(t.Context(), ruletest.Promise(1)) == nil {
			t.Fatal("it opened")
		}
		time.Sleep(2 * checkEvery)
		synctest.Wait()
		after := m.Health()
		if after.Opened.Failed != 1 || after.Reconciled.Failed == 0 || after.Verified.After(before.Verified) {
			t.Errorf("before %+v, after %+v", before, after)
		}
	})
}
